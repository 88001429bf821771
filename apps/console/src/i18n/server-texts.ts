import { useQuery } from "@tanstack/react-query";
import { useSpeech } from "./language.tsx";
import type { ServerTexts } from "./zh-server.ts";

interface Told {
  readonly id: string;
  readonly title: string;
}

const same = (text: string) => text;
const AS_WRITTEN: ServerTexts = { checks: {}, reason: same, advice: same, problem: same };

/** Texts of the server in the chosen language; they are read when they are first needed. */
export function useServerTexts() {
  const { language } = useSpeech();
  const { data = AS_WRITTEN } = useQuery({
    queryKey: ["server-texts", language],
    queryFn: async () => (await import("./zh-server.ts")).zhServer,
    enabled: language === "zh",
    staleTime: Number.POSITIVE_INFINITY,
  });
  const texts = language === "zh" ? data : AS_WRITTEN;
  return {
    reason: texts.reason,
    problem: texts.problem,
    titleOf: ({ id, title }: Told) => texts.checks[id]?.title ?? title,
    adviceOf: ({ id, advice }: { readonly id: string; readonly advice: string }) =>
      texts.checks[id]?.advice ?? texts.advice(advice),
  };
}

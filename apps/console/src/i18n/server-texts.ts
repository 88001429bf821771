import { useQuery } from "@tanstack/react-query";
import { useSpeech } from "./language.tsx";
import type { ServerTexts } from "./zh-server.ts";

interface Told {
  readonly id: string;
  readonly title: string;
}

const same = (text: string) => text;
const AS_WRITTEN: ServerTexts = {
  checks: {},
  rules: {},
  reason: same,
  advice: same,
  problem: same,
  blocking: same,
  outcome: same,
};

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
    /** Why a rule cannot block. */
    blocking: texts.blocking,
    /** What came of a response. */
    outcome: texts.outcome,
    /** Name, description and advice of a rule that comes with the product. */
    ruleTitle: (name: string) => texts.rules[name]?.title ?? name,
    ruleDescription: (name: string, description: string) => texts.rules[name]?.description ?? description,
    ruleAdvice: (name: string, advice: string) => texts.rules[name]?.advice ?? advice,
    titleOf: ({ id, title }: Told) => texts.checks[id]?.title ?? title,
    adviceOf: ({ id, advice }: { readonly id: string; readonly advice: string }) =>
      texts.checks[id]?.advice ?? texts.advice(advice),
  };
}

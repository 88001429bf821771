import { ApiError } from "../api/client.ts";
import { en, type Key } from "../i18n/en.ts";
import { useSpeech } from "../i18n/language.tsx";

export interface Explained {
  readonly title: string;
  readonly next: string | undefined;
}

/** Says an error in the reader's language as far as its code is known; what the server says beyond stays as it is. */
export function useExplain(): (error: Error) => Explained {
  const { t } = useSpeech();
  return (error) => {
    if (!(error instanceof ApiError)) return { title: t("problem.UNKNOWN"), next: error.message };
    const { code, next } = error.problem;
    const key = `problem.${code}`;
    const known = Object.hasOwn(en, key);
    const title = known ? t(key as Key) : t("problem.UNKNOWN");
    return { title, next: code === "OFFLINE" ? t("problem.offlineNext") : next };
  };
}

import type { BenchmarkResult } from "../../api/contract.ts";
import { useSpeech } from "../../i18n/language.tsx";

const TONES: Readonly<Record<string, string>> = { pass: "good", fail: "high", undetermined: "medium" };

/** The outcome of a check in its colour. */
export function OutcomeTag({ result }: { readonly result: Pick<BenchmarkResult, "outcome" | "exceptionId"> }) {
  const { t, nameOf } = useSpeech();
  const covered = result.exceptionId !== null && result.outcome !== "pass";
  if (covered) return <span className="tag tone-other">{t("outcome.excepted")}</span>;
  return <span className={`tag tone-${TONES[result.outcome] ?? "other"}`}>{nameOf("outcome", result.outcome)}</span>;
}

import type { Severity } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";
import "./severity.css";

const COUNTED = ["critical", "high", "medium", "low", "other"] as const;

/** Five colours tell six severities: negligible and unknown share the calm one. */
export type Tone = "critical" | "high" | "medium" | "low" | "other" | "good";

function toneOf(severity: string): Tone {
  return COUNTED.find((tone) => tone === severity) ?? "other";
}

/** How many findings of each severity; what is negligible or unknown is counted as one. */
export interface Counts {
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
  readonly other: number;
}

export function SeverityTag({ severity }: { readonly severity: Severity | (string & {}) }) {
  const { nameOf } = useSpeech();
  return <span className={`tag tone-${toneOf(severity)}`}>{nameOf("severity", severity)}</span>;
}

/** Findings by severity as one line of figures; a place without findings says so. */
export function SeverityCounts({ counts, brief = false }: { readonly counts: Counts; readonly brief?: boolean }) {
  const { t, format } = useSpeech();
  const shown = COUNTED.filter((tone) => (brief ? counts[tone] > 0 : tone !== "other"));
  if (brief && shown.length === 0) return <span className="quiet">{t("severity.nothing")}</span>;
  return (
    <span className="severity-counts">
      {shown.map((tone) => (
        <span
          key={tone}
          className={`count ${counts[tone] === 0 ? "count-zero" : `tone-${tone}`}`}
          title={`${t(toneKey(tone))}: ${format.number(counts[tone])}`}
        >
          <span className="unseen">{t(toneKey(tone))}</span>
          {format.number(counts[tone])}
        </span>
      ))}
    </span>
  );
}

function toneKey(tone: (typeof COUNTED)[number]) {
  return tone === "other" ? "severity.other" : (`severity.${tone}` as const);
}

/** The worst that was found, for colouring. */
export function worstOf(counts: Counts & { readonly malware: number }): Tone {
  if (counts.malware > 0) return "critical";
  return COUNTED.find((tone) => counts[tone] > 0) ?? "good";
}

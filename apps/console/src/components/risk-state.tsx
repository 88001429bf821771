import type { RiskState } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";

const TONES: Readonly<Record<RiskState, string>> = {
  open: "tone-high",
  assigned: "tone-low",
  fixing: "tone-medium",
  fixed: "tone-good",
  reopened: "tone-critical",
  accepted: "tone-other",
};

export function RiskStateTag({ state }: { readonly state: RiskState }) {
  const { t } = useSpeech();
  return <span className={`tag ${TONES[state]}`}>{t(`riskState.${state}`)}</span>;
}

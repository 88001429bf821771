import type { GoldenState } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";

const TONES: Readonly<Record<GoldenState, string>> = {
  proposed: "tone-medium",
  approved: "tone-low",
  published: "tone-good",
  "at-risk": "tone-high",
  deprecated: "tone-other",
  revoked: "tone-critical",
};

export function GoldenStateTag({ state }: { readonly state: GoldenState }) {
  const { t } = useSpeech();
  return <span className={`tag ${TONES[state]}`}>{t(`goldenState.${state}`)}</span>;
}

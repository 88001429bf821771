import type { ResponseState } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";

const TONES: Readonly<Record<ResponseState, string>> = {
  waiting: "tone-medium",
  queued: "tone-low",
  sent: "tone-low",
  done: "tone-good",
  unchanged: "tone-other",
  failed: "tone-critical",
  refused: "tone-other",
  expired: "tone-high",
  "dry-run": "tone-other",
};

export function ResponseStateTag({ state }: { readonly state: ResponseState }) {
  const { t } = useSpeech();
  return (
    <span className={`tag ${TONES[state]}`} title={t(`responseStateHint.${state}`)}>
      {t(`responseState.${state}`)}
    </span>
  );
}

import type { AlertState } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";

const TONES: Readonly<Record<AlertState, string>> = {
  open: "tone-high",
  acknowledged: "tone-low",
  closed: "tone-good",
  allowed: "tone-other",
};

/** Where an alert stands, and whether the node refused what it tells of. */
export function AlertStateTag({ state, blocked = false }: { readonly state: AlertState; readonly blocked?: boolean }) {
  const { t } = useSpeech();
  return (
    <span className="chips">
      <span className={`tag ${TONES[state]}`}>{t(`alertState.${state}`)}</span>
      {blocked ? <span className="tag tone-good">{t("alerts.blocked")}</span> : null}
    </span>
  );
}

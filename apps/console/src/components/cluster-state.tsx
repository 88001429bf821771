import type { Cluster } from "../api/contract.ts";
import { useSpeech } from "../i18n/language.tsx";

const TONES = { invited: "tone-low", live: "tone-good", stale: "tone-high" } as const;

/** Whether what is shown of a cluster is what is. */
export function ClusterState({ state }: Pick<Cluster, "state">) {
  const { t } = useSpeech();
  return <span className={`tag ${TONES[state]}`}>{t(`clusterState.${state}`)}</span>;
}

import { Segmented } from "antd";
import { useSetAdmissionMode } from "../../api/admission.ts";
import type { AdmissionModeChange, AdmissionPolicy } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

export const MODES = ["off", "audit", "enforce"] as const;
const ESTATE = { cluster: null, namespace: "" };

/** A cluster, a namespace, or a namespace of a cluster. */
export type ModePlace = Pick<AdmissionPolicy["modes"][number], "cluster" | "namespace">;

interface Props {
  readonly policy: string;
  /** Left out: the whole estate. */
  readonly place?: ModePlace;
  readonly mode: NonNullable<AdmissionModeChange["mode"]>;
}

/** A place as it is sent. */
export function sentPlace({ cluster, namespace }: ModePlace) {
  return { ...(cluster === null ? {} : { cluster: cluster.id }), ...(namespace === "" ? {} : { namespace }) };
}

/** What a policy does, everywhere or in one place; whoever may, changes it. */
export function ModeChoice({ policy, place = ESTATE, mode }: Props) {
  const { t } = useSpeech();
  const may = useMay()("runtime:write");
  const set = useSetAdmissionMode();
  const parts = [policy, place.cluster?.name ?? "", place.namespace].filter((part) => part !== "");
  const named = visible(parts.join(", "), 150);
  return (
    <Segmented
      size="small"
      aria-label={t("admission.modeOf", { policy: named })}
      value={mode}
      options={MODES.map((value) => ({ value, label: t(`admissionMode.${value}`), disabled: !may }))}
      onChange={(chosen) => set.mutate({ policy, ...sentPlace(place), mode: chosen })}
    />
  );
}

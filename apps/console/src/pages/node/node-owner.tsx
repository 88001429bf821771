import { Select } from "antd";
import { useOwners } from "../../api/administration.ts";
import type { SensorNode } from "../../api/contract.ts";
import { useSetNodeOwner } from "../../api/nodes.ts";
import { useMay } from "../../api/session.ts";
import { SafeText } from "../../components/safe-text.tsx";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const SHOWN_NAME = 60;

/** Who answers for what runs on a node, where no label, image, repository or registry says who does. */
export function NodeOwner({ node }: { readonly node: SensorNode }) {
  const may = useMay();
  if (may("admin:write")) return <ChooseOwner node={node} />;
  return <SafeText value={node.owner?.name} />;
}

function ChooseOwner({ node }: { readonly node: SensorNode }) {
  const { t } = useSpeech();
  const owners = useOwners();
  const set = useSetNodeOwner(node.id);
  return (
    <Select
      allowClear
      size="small"
      className="node-owner"
      aria-label={t("nodes.owner")}
      placeholder={t("about.noOwner")}
      loading={set.isPending || owners.loading}
      value={node.owner?.id ?? null}
      options={owners.items.map(({ id, name }) => ({ value: id, label: visible(name, SHOWN_NAME) }))}
      onChange={(ownerId?: number | null) => set.mutate(ownerId ?? null)}
    />
  );
}

import { useWorkloads } from "../../api/clusters.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { waysTo } from "../../components/exposure-ways.ts";
import { Failure } from "../../components/failure.tsx";
import { Waiting } from "../../components/waiting.tsx";
import { WayGraph } from "../../components/way-graph.tsx";
import { WorkloadTable } from "../../components/workload-table.tsx";
import { useSpeech } from "../../i18n/language.tsx";

/** What outside the cluster leads to which workload, by which services and routes. */
export function Exposure({ id }: { readonly id: number }) {
  const speech = useSpeech();
  const { t } = speech;
  const rows = useWorkloads({ clusterId: id, exposed: true });
  if (rows.loading) return <Waiting />;
  if (rows.error !== null) return <Failure error={rows.error} retry={rows.retry} />;
  if (rows.items.length === 0) return <EmptyState title={t("clusters.notExposed")} hint="" />;
  return (
    <div className="stack">
      <WayGraph label={t("clusters.exposure")} ways={waysTo(rows.items, speech)} />
      <WorkloadTable rows={rows} />
    </div>
  );
}

import { Tabs } from "antd";
import { Link, useParams } from "react-router";
import { useCluster, useClusterKinds, useWorkloads } from "../../api/clusters.ts";
import type { Cluster } from "../../api/contract.ts";
import { AttackPaths } from "../../components/attack-paths.tsx";
import { ClusterState } from "../../components/cluster-state.tsx";
import { FlagFilter, SearchFilter } from "../../components/filters.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { WorkloadTable } from "../../components/workload-table.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { Exposure } from "./exposure.tsx";

const TABS = ["workloads", "exposure", "paths", "about"] as const;

/** A cluster: what runs in it, what reaches it, where that leads, and how its agents are. */
export function Page() {
  const { t, format } = useSpeech();
  const id = Number(useParams().id);
  const cluster = useCluster(id);
  const url = useUrlState();
  const items = [
    { key: "workloads", label: t("clusters.workloads"), children: <Workloads id={id} /> },
    { key: "exposure", label: t("clusters.exposure"), children: <Exposure id={id} /> },
    { key: "paths", label: t("clusters.paths"), children: <AttackPaths filters={{ clusterId: id }} clusterId={id} /> },
    {
      key: "about",
      label: t("clusters.agents"),
      children: <Loaded query={cluster}>{(data) => <About cluster={data} />}</Loaded>,
    },
  ];
  const { name = t("clusters.cluster"), state, seenAt } = cluster.data ?? {};
  return (
    <Frame
      title={visible(name, 100)}
      heading={<SafeText value={name} wrap />}
      lead={
        <span className="chips">
          <Link to="/clusters">{t("clusters.title")}</Link>
          {state === undefined ? null : <ClusterState state={state} />}
          <SafeText value={cluster.data?.version} />
        </span>
      }
    >
      {state === "stale" && seenAt != null ? (
        <p className="note">{t("clusters.staleHint", { time: format.time(seenAt) })}</p>
      ) : null}
      <Tabs
        activeKey={url.oneOf("tab", TABS) ?? "workloads"}
        items={items}
        onChange={(tab) => url.set({ tab: tab === "workloads" ? undefined : tab })}
        destroyOnHidden
      />
    </Frame>
  );
}

function Workloads({ id }: { readonly id: number }) {
  const { t } = useSpeech();
  const url = useUrlState();
  const rows = useWorkloads(given({ clusterId: id, text: url.value("search"), exposed: url.flag("exposed") }));
  return (
    <>
      <div className="filters">
        <SearchFilter state={url} name="search" label={t("clusters.workload")} />
        <FlagFilter state={url} name="exposed" label={t("clusters.onlyExposed")} />
      </div>
      <WorkloadTable rows={rows} />
    </>
  );
}

function About({ cluster }: { readonly cluster: Cluster }) {
  const { t, format } = useSpeech();
  const kinds = useClusterKinds(cluster.id);
  return (
    <div className="columns">
      <Panel title={t("clusters.agents")}>
        <ul>
          {cluster.replicas.map(({ replica, roles, health }) => {
            const missing = Array.isArray(health?.missing) ? health.missing.map(String) : [];
            const bytes = Number(health?.residentBytes ?? 0);
            return (
              <li key={replica}>
                <SafeText value={replica} wrap /> <span className="quiet">{roles.join(", ")}</span>{" "}
                {health?.leads === true ? <span className="tag tone-good">{t("clusters.leads")}</span> : null}{" "}
                {bytes === 0 ? null : <span className="quiet">{format.bytes(bytes)}</span>}
                {missing.length === 0 ? null : (
                  <p className="tone-high note">
                    <SafeText value={t("clusters.missing", { kinds: missing.join(", ") })} wrap max={1_000} />
                  </p>
                )}
              </li>
            );
          })}
        </ul>
      </Panel>
      <Panel title={t("clusters.objects")}>
        <Loaded query={kinds}>
          {(counts) => (
            <dl className="facts">
              <dt>{t("clusters.plain")}</dt>
              <dd>{format.number(cluster.plainContainers)}</dd>
              {Object.entries(counts).map(([kind, n]) => (
                <div key={kind} style={{ display: "contents" }}>
                  <dt>
                    <SafeText value={kind} />
                  </dt>
                  <dd>{format.number(n)}</dd>
                </div>
              ))}
            </dl>
          )}
        </Loaded>
      </Panel>
    </div>
  );
}

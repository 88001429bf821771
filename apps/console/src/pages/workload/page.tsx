import { Link, useParams } from "react-router";
import { usePods, useWorkload } from "../../api/clusters.ts";
import type { Pod, Workload } from "../../api/contract.ts";
import { AttackPaths } from "../../components/attack-paths.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { waysTo } from "../../components/exposure-ways.ts";
import { ImageLink } from "../../components/image-link.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Page as Frame, Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { visible } from "../../components/visible.ts";
import { WayGraph } from "../../components/way-graph.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const TWO_LINES_PX = 48;

/** A workload: whose it is, of which images, what reaches it, and where that leads. */
export function Page() {
  const { t } = useSpeech();
  const id = Number(useParams().id);
  const workload = useWorkload(id);
  const name = workload.data === undefined ? t("clusters.workload") : nameOf(workload.data);
  return (
    <Frame
      title={visible(name, 100)}
      heading={<SafeText value={name} wrap />}
      lead={
        workload.data === undefined ? null : (
          <Link to={`/clusters/${workload.data.clusterId}`}>
            <SafeText value={workload.data.cluster} />
          </Link>
        )
      }
    >
      <Loaded query={workload}>{(data) => <Content workload={data} />}</Loaded>
    </Frame>
  );
}

function nameOf({ kind, namespace, name }: Workload): string {
  return `${kind} ${namespace}/${name}`;
}

function Content({ workload }: { readonly workload: Workload }) {
  const speech = useSpeech();
  const { t } = speech;
  return (
    <div className="stack">
      <div className="columns">
        <Panel title={t("alert.where")}>
          <Facts workload={workload} />
        </Panel>
        <Panel title={t("clusters.images")}>
          <ul>
            {workload.images.map(({ image, digest, imageId, containers }) => (
              <li key={`${image} ${digest}`}>
                <ImageLink image={image} digest={digest} imageId={imageId} />{" "}
                <span className="quiet">× {containers}</span>
              </li>
            ))}
          </ul>
        </Panel>
      </div>
      <Panel title={t("clusters.exposure")}>
        {workload.exposure.length === 0 ? (
          <p className="quiet">{t("clusters.notExposed")}</p>
        ) : (
          <WayGraph label={t("clusters.exposure")} ways={waysTo([workload], speech)} />
        )}
      </Panel>
      <Panel title={t("clusters.paths")}>
        <AttackPaths filters={{ workloadId: workload.id }} clusterId={workload.clusterId} />
      </Panel>
      <Panel title={t("clusters.pods")}>
        <Pods workloadId={workload.id} />
      </Panel>
    </div>
  );
}

function Facts({ workload }: { readonly workload: Workload }) {
  const { t, format } = useSpeech();
  const { owner, grade, serviceAccount, clusterId, namespace, openAlerts } = workload;
  const account = `${clusterId}/${namespace}/${serviceAccount}`;
  return (
    <dl className="facts">
      <dt>{t("images.owner")}</dt>
      <dd>
        <SafeText value={owner?.name} />{" "}
        <span className="quiet">{owner === null ? null : <SafeText value={owner.from} />}</span>
      </dd>
      <dt>{t("clusters.grade")}</dt>
      <dd>
        <SafeText value={grade ?? ""} />
      </dd>
      <dt>{t("clusters.serviceAccount")}</dt>
      <dd>
        <Link to={`/impact?cause=service-account&id=${encodeURIComponent(account)}`}>
          <SafeText value={serviceAccount} />
        </Link>
      </dd>
      <dt>{t("alerts.title")}</dt>
      <dd>{format.number(openAlerts)}</dd>
    </dl>
  );
}

function Pods({ workloadId }: { readonly workloadId: number }) {
  const { t } = useSpeech();
  const rows = usePods({ workloadId });
  const columns: readonly Column<Pod>[] = [
    { key: "name", title: t("place.pod"), cell: ({ name }) => <SafeText value={name} /> },
    { key: "phase", title: t("clusters.phase"), width: 110, cell: ({ phase }) => <SafeText value={phase} /> },
    {
      key: "node",
      title: t("place.node"),
      width: 180,
      cell: ({ node, nodeId }) =>
        nodeId === null ? (
          <SafeText value={node} />
        ) : (
          <Link to={`/nodes/${nodeId}`}>
            <SafeText value={node} />
          </Link>
        ),
    },
    {
      key: "containers",
      title: t("clusters.containers"),
      cell: ({ containers }) => (
        <>
          {containers.map(({ name, role, containerId, state }) => (
            <span key={`${role} ${name}`} className="chips">
              {containerId === null ? (
                <SafeText value={name} />
              ) : (
                <Link to={`/containers/${containerId}`}>
                  <SafeText value={name} />
                </Link>
              )}
              <span className="quiet">
                <SafeText value={state} />
              </span>
            </span>
          ))}
        </>
      ),
    },
  ];
  return (
    <DataTable
      label={t("clusters.pods")}
      rows={rows}
      columns={columns}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
      empty={<EmptyState title={t("clusters.noWorkloads")} hint="" />}
    />
  );
}

import { Link } from "react-router";
import type { SensorNode } from "../api/contract.ts";
import { useNodes } from "../api/nodes.ts";
import type { Capability, Health, NodeFacts } from "../api/runtime-facts.ts";
import { useSpeech } from "../i18n/language.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { EmptyState } from "./empty-state.tsx";
import { SearchFilter } from "./filters.tsx";
import { NoSensor } from "./no-sensor.tsx";
import { SafeText } from "./safe-text.tsx";
import { TwoLines } from "./two-lines.tsx";
import { given, type UrlState } from "./url-state.ts";

const TWO_LINES_PX = 48;

/** Nodes with a sensor, and how the sensors are. */
export function NodeTable({ url }: { readonly url: UrlState }) {
  const { t } = useSpeech();
  const filters = given({ text: url.value("text") });
  const rows = useNodes(filters);
  const columns = useColumns();
  const empty =
    filters.text === undefined ? (
      <NoSensor title={t("sensor.noneTitle")} hint={t("sensor.noneHint")} />
    ) : (
      <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
    );
  return (
    <div className="stack">
      <search className="filters">
        <SearchFilter state={url} name="text" label={t("nodes.search")} />
      </search>
      <DataTable
        label={t("nodes.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={empty}
      />
    </div>
  );
}

function useColumns(): readonly Column<SensorNode>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "name",
      title: t("place.node"),
      cell: ({ id, hostname, facts }) => (
        <TwoLines second={<SafeText value={systemOf(facts as NodeFacts)} />}>
          <Link to={`/nodes/${id}`}>
            <SafeText value={hostname} />
          </Link>
        </TwoLines>
      ),
    },
    { key: "state", title: t("filters.state"), width: 285, cell: (node) => <NodeState node={node} /> },
    { key: "can", title: t("nodes.canDo"), width: 190, cell: (node) => <CapabilitySummary node={node} /> },
    {
      key: "containers",
      title: t("asset.containers"),
      width: 100,
      numeric: true,
      cell: ({ containers }) => format.number(containers),
    },
    { key: "use", title: t("nodes.use"), width: 120, cell: ({ health }) => <Use health={health as Health | null} /> },
    {
      key: "lost",
      title: t("nodes.lostToday"),
      width: 160,
      numeric: true,
      cell: ({ lost }) => (lost === 0 ? format.number(0) : <strong className="bad">{format.number(lost)}</strong>),
    },
    {
      key: "version",
      title: t("nodes.sensor"),
      width: 90,
      cell: ({ sensorVersion }) => <SafeText value={sensorVersion} />,
    },
  ];
}

function systemOf({ osName = "", kernelRelease = "", architecture = "" }: NodeFacts): string {
  return [osName, kernelRelease, architecture].filter((each) => each !== "").join(" · ");
}

/** Whether its sensor is connected and does all that it should. */
export function NodeState({ node }: { readonly node: SensorNode }) {
  const { t, format } = useSpeech();
  const { degradation = 0, tampering = [] } = (node.health ?? {}) as Health;
  if (node.connectedAt === null) {
    return (
      <span className="chips">
        <span className="tag tone-critical" title={format.time(node.seenAt)}>
          {t("nodes.away")}
        </span>
        <span className="quiet">{format.ago(node.seenAt)}</span>
      </span>
    );
  }
  return (
    <span className="chips">
      <span className="tag tone-good">{t("nodes.connected")}</span>
      {degradation > 0 ? <span className="tag tone-medium">{t("nodes.degraded")}</span> : null}
      {tampering.length > 0 ? <span className="tag tone-critical">{t("nodes.tampered")}</span> : null}
    </span>
  );
}

function CapabilitySummary({ node }: { readonly node: SensorNode }) {
  const { t } = useSpeech();
  // Which is said for completeness: nothing is wanting without it.
  const capabilities = (node.capabilities as readonly Capability[]).filter(({ id }) => id !== "lsm");
  const count = (wanted: string) => capabilities.filter(({ state }) => state === wanted).length;
  if (capabilities.length === 0) return <span className="quiet">{t("nodes.notTold")}</span>;
  const [reduced, missing] = [count("reduced"), count("missing")];
  if (reduced + missing === 0) return <span className="tag tone-good">{t("nodes.allFull")}</span>;
  return (
    <span className="chips">
      {reduced > 0 ? <span className="tag tone-medium">{t("nodes.nReduced", { n: reduced })}</span> : null}
      {missing > 0 ? <span className="tag tone-high">{t("nodes.nMissing", { n: missing })}</span> : null}
    </span>
  );
}

function Use({ health }: { readonly health: Health | null }) {
  const { t, format } = useSpeech();
  if (health === null) return <span className="quiet">{t("none")}</span>;
  return (
    <TwoLines second={t("nodes.cpu", { share: format.percent(health.cpuShare ?? 0) })}>
      <span>{format.bytes(health.residentBytes ?? 0)}</span>
    </TwoLines>
  );
}

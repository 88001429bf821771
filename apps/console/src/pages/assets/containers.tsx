import { Link } from "react-router";
import { useContainers } from "../../api/assets.ts";
import type { Container } from "../../api/contract.ts";
import { ContainerState } from "../../components/container-state.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FlagFilter, SearchFilter } from "../../components/filters.tsx";
import { NoSensor } from "../../components/no-sensor.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, type UrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

const TWO_LINES_PX = 48;

/** Containers of all nodes, also those that have ended. */
export function ContainerList({ url }: { readonly url: UrlState }) {
  const { t } = useSpeech();
  const filters = given({
    text: url.value("text"),
    running: url.flag("running"),
    privileged: url.flag("privileged"),
    exposed: url.flag("exposed"),
    selfBuilt: url.flag("selfBuilt"),
    nodeId: url.integer("node"),
    image: url.integer("image"),
  });
  const rows = useContainers(filters);
  const columns = useColumns();
  const empty =
    Object.keys(filters).length > 0 ? (
      <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
    ) : (
      <NoSensor title={t("assets.noContainers")} hint={t("assets.noContainersHint")} />
    );
  return (
    <div className="stack">
      <search className="filters">
        <SearchFilter state={url} name="text" label={t("assets.searchContainers")} />
        <FlagFilter state={url} name="running" label={t("assets.onlyRunning")} />
        <FlagFilter state={url} name="privileged" label={t("assets.onlyPrivileged")} />
        <FlagFilter state={url} name="exposed" label={t("assets.onlyExposed")} />
        <FlagFilter state={url} name="selfBuilt" label={t("assets.onlySelfBuilt")} />
      </search>
      <DataTable
        label={t("asset.containers")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={empty}
      />
    </div>
  );
}

function useColumns(): readonly Column<Container>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "name",
      title: t("place.container"),
      cell: ({ id, name, runtimeId, namespace, pod }) => (
        <TwoLines second={<SafeText value={pod === "" ? runtimeId.slice(0, 12) : `${namespace}/${pod}`} />}>
          <Link to={`/containers/${id}`}>
            <SafeText value={name === "" ? runtimeId : name} />
          </Link>
        </TwoLines>
      ),
    },
    {
      key: "image",
      title: t("images.image"),
      cell: ({ image, imageDigest, imageId }) =>
        imageId === null ? (
          <SafeText value={image} />
        ) : (
          <Link to={`/images/${encodeURIComponent(imageDigest)}`}>
            <SafeText value={image} />
          </Link>
        ),
    },
    {
      key: "findings",
      title: t("images.findings"),
      width: 130,
      cell: ({ critical, high }) =>
        critical === null || high === null ? (
          <span className="quiet">{t("imageState.known")}</span>
        ) : (
          <span className="severity-counts">
            <Count tone="critical" n={critical} />
            <Count tone="high" n={high} />
          </span>
        ),
    },
    {
      key: "node",
      title: t("place.node"),
      width: 150,
      cell: ({ nodeId, hostname }) => (
        <Link to={`/nodes/${nodeId}`}>
          <SafeText value={hostname} />
        </Link>
      ),
    },
    { key: "state", title: t("filters.state"), width: 230, cell: (row) => <ContainerState container={row} /> },
    {
      key: "alerts",
      title: t("alerts.title"),
      width: 80,
      numeric: true,
      cell: ({ openAlerts }) =>
        openAlerts === 0 ? t("none") : <strong className="bad">{format.number(openAlerts)}</strong>,
    },
    {
      key: "started",
      title: t("container.started"),
      width: 120,
      cell: ({ startedAt }) => <span title={format.time(startedAt)}>{format.ago(startedAt)}</span>,
    },
  ];
}

function Count({ tone, n }: { readonly tone: "critical" | "high"; readonly n: number }) {
  const { t, format } = useSpeech();
  return (
    <span className={`count ${n === 0 ? "count-zero" : `tone-${tone}`}`} title={t(`severity.${tone}`)}>
      <span className="unseen">{t(`severity.${tone}`)}</span>
      {format.number(n)}
    </span>
  );
}

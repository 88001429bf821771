import { Link } from "react-router";
import type { Workload } from "../api/contract.ts";
import type { Rows } from "../api/paged.ts";
import { useSpeech } from "../i18n/language.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { EmptyState } from "./empty-state.tsx";
import { SafeText } from "./safe-text.tsx";
import { SeverityTag } from "./severity.tsx";

const TWO_LINES_PX = 48;

/** What was deployed: whose it is, what reaches it, what its images hold. */
export function WorkloadTable({ rows, placed }: { readonly rows: Rows<Workload>; readonly placed?: boolean }) {
  const { t, nameOf, format } = useSpeech();
  const count = (value: number | null) => (value === null ? "" : format.number(value));
  const columns: readonly Column<Workload>[] = [
    {
      key: "name",
      title: t("clusters.workload"),
      cell: ({ id, kind, namespace, name }) => (
        <>
          <Link to={`/workloads/${id}`}>
            <SafeText value={`${namespace}/${name}`} />
          </Link>
          <div className="quiet">
            <SafeText value={kind} />
          </div>
        </>
      ),
    },
    ...(placed === true
      ? [
          {
            key: "cluster",
            title: t("clusters.cluster"),
            width: 150,
            cell: (row: Workload) => <SafeText value={row.cluster} />,
          },
        ]
      : []),
    { key: "owner", title: t("images.owner"), width: 160, cell: ({ owner }) => <SafeText value={owner?.name} /> },
    { key: "grade", title: t("clusters.grade"), width: 100, cell: ({ grade }) => <SafeText value={grade ?? ""} /> },
    {
      key: "exposure",
      title: t("clusters.exposed"),
      width: 150,
      cell: ({ exposure }) =>
        exposure.length === 0 ? null : (
          <span className="tag tone-high">{nameOf("exposureWay", String(exposure[0]?.how ?? ""))}</span>
        ),
    },
    {
      key: "path",
      title: t("clusters.paths"),
      width: 130,
      cell: ({ worstPath }) => (worstPath === "" ? null : <SeverityTag severity={worstPath} />),
    },
    { key: "pods", title: t("clusters.pods"), width: 80, numeric: true, cell: ({ pods }) => format.number(pods) },
    { key: "critical", title: t("severity.critical"), width: 90, numeric: true, cell: (row) => count(row.critical) },
    { key: "high", title: t("severity.high"), width: 90, numeric: true, cell: (row) => count(row.high) },
    {
      key: "alerts",
      title: t("alerts.title"),
      width: 90,
      numeric: true,
      cell: ({ openAlerts }) => (openAlerts === 0 ? "" : format.number(openAlerts)),
    },
  ];
  return (
    <DataTable
      label={t("clusters.workloads")}
      rows={rows}
      columns={columns}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
      empty={<EmptyState title={t("clusters.noWorkloads")} hint={t("clusters.noneHint")} />}
    />
  );
}

import { Button } from "antd";
import { Link } from "react-router";
import type { Case } from "../../api/contract.ts";
import { useCases } from "../../api/search.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { questionOf } from "../search/question.ts";

export function Page() {
  const { t, format } = useSpeech();
  const rows = useCases();
  const start = (
    <Link to="/search">
      <Button type="primary">{t("nav.search")}</Button>
    </Link>
  );
  const columns: readonly Column<Case>[] = [
    {
      key: "title",
      title: t("cases.name"),
      cell: ({ id, title }) => (
        <Link to={`/cases/${id}`}>
          <SafeText value={title} />
        </Link>
      ),
    },
    { key: "query", title: t("cases.question"), cell: ({ query }) => <SafeText value={questionOf(query)} mono /> },
    {
      key: "state",
      title: t("filters.state"),
      width: 110,
      cell: ({ closedAt }) => (
        <span className={`tag ${closedAt === null ? "tone-high" : "tone-good"}`}>
          {t(closedAt === null ? "caseState.open" : "caseState.closed")}
        </span>
      ),
    },
    {
      key: "open",
      title: t("cases.affected"),
      width: 120,
      numeric: true,
      cell: (row) => t("cases.ofTotal", { n: row.open, total: row.open + row.closed }),
    },
    { key: "by", title: t("cases.by"), width: 150, cell: ({ createdBy }) => <SafeText value={createdBy} /> },
    { key: "at", title: t("cases.opened"), width: 150, cell: ({ createdAt }) => format.ago(createdAt) },
  ];
  return (
    <Frame title={t("cases.title")} lead={t("cases.lead")} actions={start} fill>
      <DataTable
        label={t("cases.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t("cases.emptyTitle")} hint={t("cases.emptyHint")} action={start} />}
        fill
      />
    </Frame>
  );
}

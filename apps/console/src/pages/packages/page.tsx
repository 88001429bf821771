import { Link } from "react-router";
import type { EstatePackage } from "../../api/contract.ts";
import { usePackages } from "../../api/vulnerabilities.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SearchFilter } from "../../components/filters.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

export function Page() {
  const { t, format } = useSpeech();
  const url = useUrlState();
  const filters = given({ search: url.value("search"), type: url.value("type") });
  const rows = usePackages(filters);
  const filtered = Object.keys(filters).length > 0;
  const columns: readonly Column<EstatePackage>[] = [
    {
      key: "name",
      title: t("packages.name"),
      cell: ({ name }) => (
        <Link to={`/search?component=${encodeURIComponent(name)}`}>
          <SafeText value={name} />
        </Link>
      ),
    },
    { key: "type", title: t("packages.type"), width: 140, cell: ({ type }) => <SafeText value={type} /> },
    {
      key: "versions",
      title: t("packages.versions"),
      width: 120,
      numeric: true,
      cell: ({ versions }) => format.number(versions),
    },
    {
      key: "worst",
      title: t("packages.worst"),
      width: 160,
      cell: ({ worst }) => (worst === null ? t("none") : <SeverityTag severity={worst} />),
    },
  ];
  return (
    <Frame title={t("packages.title")} lead={t("packages.lead")} fill>
      <search className="filters">
        <SearchFilter state={url} name="search" label={t("packages.search")} />
        <SearchFilter state={url} name="type" label={t("packages.typeFilter")} width={170} />
      </search>
      <DataTable
        label={t("packages.title")}
        rows={rows}
        columns={columns}
        rowKey={({ type, name }) => `${type}|${name}`}
        empty={
          filtered ? (
            <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
          ) : (
            <EmptyState title={t("packages.noneTitle")} hint={t("packages.noneHint")} />
          )
        }
        fill
      />
    </Frame>
  );
}

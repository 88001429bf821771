import { Select } from "antd";
import { Link } from "react-router";
import { useOwners } from "../../api/administration.ts";
import type { Repository } from "../../api/contract.ts";
import { useChangeRepository, useRegistries, useRepositories } from "../../api/registries.ts";
import { useMay } from "../../api/session.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter, SearchFilter } from "../../components/filters.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { visible } from "../../components/visible.ts";
import { useSpeech } from "../../i18n/language.tsx";

const GRADES = ["critical", "high", "medium", "low"] as const;
const SHOWN_NAME = 60;
const TWO_LINES_PX = 48;

/** Repositories: what is given an owner or a grade here, its images inherit. */
export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const registries = useRegistries();
  const filters = given({ search: url.value("search"), registry: url.integer("registry") });
  const rows = useRepositories(filters);
  const columns = useColumns();
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <Frame title={t("repositories.title")} lead={t("repositories.lead")} fill>
      <search className="filters">
        <SearchFilter state={url} name="search" label={t("repositories.search")} />
        <ChoiceFilter
          state={url}
          name="registry"
          label={t("repositories.registry")}
          options={registries.items.map(({ id, name }) => ({ value: String(id), label: visible(name, SHOWN_NAME) }))}
        />
      </search>
      <DataTable
        label={t("repositories.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={
          isFiltered ? (
            <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
          ) : (
            <EmptyState
              title={t("repositories.emptyTitle")}
              hint={t("repositories.emptyHint")}
              action={<Link to="/registries?connect=new">{t("registries.connect")}</Link>}
            />
          )
        }
        fill
      />
    </Frame>
  );
}

function useColumns(): readonly Column<Repository>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "name",
      title: t("repositories.name"),
      cell: ({ name, registry }) => (
        <TwoLines second={<SafeText value={registry.name} />}>
          <Link to={`/images?repository=${encodeURIComponent(name)}`}>
            <SafeText value={name} />
          </Link>
        </TwoLines>
      ),
    },
    { key: "owner", title: t("images.owner"), width: 190, cell: (row) => <OwnerChoice repository={row} /> },
    { key: "grade", title: t("filters.grade"), width: 190, cell: (row) => <GradeChoice repository={row} /> },
    {
      key: "critical",
      title: t("severity.critical"),
      width: 90,
      numeric: true,
      cell: (row) => format.number(row.critical),
    },
    { key: "high", title: t("severity.high"), width: 90, numeric: true, cell: (row) => format.number(row.high) },
    { key: "images", title: t("nav.images"), width: 90, numeric: true, cell: (row) => format.number(row.images) },
    { key: "first", title: t("images.firstSeen"), width: 130, cell: ({ firstSeen }) => format.ago(firstSeen) },
  ];
}

interface Props {
  readonly repository: Repository;
}

function OwnerChoice({ repository }: Props) {
  const { t } = useSpeech();
  const owners = useOwners();
  const change = useChangeRepository();
  const { id, owner } = repository;
  // Whoever may not list owners still reads whose it is.
  const options = owners.items.length > 0 ? owners.items : owner === null ? [] : [owner];
  return (
    <Select
      size="small"
      allowClear
      style={{ width: "100%" }}
      aria-label={t("images.owner")}
      disabled={!useMay()("images:write") || change.isPending}
      placeholder={t("about.noOwner")}
      value={owner?.id}
      options={options.map((each) => ({ value: each.id, label: visible(each.name, SHOWN_NAME) }))}
      onChange={(ownerId?: number) => change.mutate({ id, ownerId: ownerId ?? null })}
    />
  );
}

function GradeChoice({ repository }: Props) {
  const { t } = useSpeech();
  const change = useChangeRepository();
  const { id, grade } = repository;
  return (
    <Select
      size="small"
      allowClear
      style={{ width: "100%" }}
      aria-label={t("filters.grade")}
      disabled={!useMay()("images:write") || change.isPending}
      placeholder={t("about.noGrade")}
      value={grade ?? undefined}
      options={GRADES.map((value) => ({ value, label: t(`grade.${value}`) }))}
      onChange={(next?: string) => change.mutate({ id, grade: next ?? null })}
    />
  );
}

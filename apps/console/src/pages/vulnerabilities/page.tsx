import { SEVERITIES } from "@bulwark/model";
import { Link } from "react-router";
import type { Vulnerability } from "../../api/contract.ts";
import { useVulnerabilities } from "../../api/vulnerabilities.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter, FlagFilter, SearchFilter } from "../../components/filters.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";

const SORTS = ["rank", "-images", "-firstSeen"] as const;
const TWO_LINES_PX = 48;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const sort = url.oneOf("sort", SORTS) ?? "rank";
  const filters = given({
    search: url.value("search"),
    severity: url.oneOf("severity", SEVERITIES),
    exploited: url.flag("exploited"),
    fixable: url.flag("fixable"),
  });
  const rows = useVulnerabilities({ ...filters, sort });
  const columns = useColumns();
  const filtered = Object.keys(filters).length > 0;
  return (
    <Frame title={t("vulnerabilities.title")} lead={t("vulnerabilities.lead")} fill>
      <search className="filters">
        <SearchFilter state={url} name="search" label={t("vulnerabilities.search")} />
        <ChoiceFilter
          state={url}
          name="severity"
          label={t("filters.severity")}
          options={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
        />
        <FlagFilter state={url} name="exploited" label={t("filters.exploited")} />
        <FlagFilter state={url} name="fixable" label={t("filters.fixable")} />
      </search>
      <DataTable
        label={t("vulnerabilities.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        sort={sort}
        onSort={(next) => url.set({ sort: next })}
        empty={
          filtered ? (
            <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
          ) : (
            <EmptyState title={t("vulnerabilities.emptyTitle")} hint={t("vulnerabilities.emptyHint")} />
          )
        }
        fill
      />
    </Frame>
  );
}

function useColumns(): readonly Column<Vulnerability>[] {
  const { t, format } = useSpeech();
  return [
    {
      key: "severity",
      title: t("filters.severity"),
      width: 108,
      cell: ({ severity }) => <SeverityTag severity={severity} />,
    },
    {
      key: "id",
      title: t("vulnerabilities.vulnerability"),
      cell: ({ id, title }) => (
        <TwoLines second={<SafeText value={title} />}>
          <Link to={`/vulnerabilities/${encodeURIComponent(id)}`}>
            <SafeText value={id} />
          </Link>
        </TwoLines>
      ),
    },
    {
      key: "packages",
      title: t("vulnerabilities.packages"),
      width: 190,
      cell: ({ packages, fixedVersions }) => (
        <TwoLines
          second={
            fixedVersions.length === 0 ? (
              t("findings.noFix")
            ) : (
              <SafeText value={t("vulnerabilities.fixedIn", { version: fixedVersions.join(", ") })} />
            )
          }
        >
          <SafeText value={packages.join(", ")} />
        </TwoLines>
      ),
    },
    {
      key: "images",
      title: t("nav.images"),
      width: 90,
      sort: "images",
      greatestFirst: true,
      numeric: true,
      cell: ({ images }) => format.number(images),
    },
    {
      key: "cvss",
      title: t("findings.cvss"),
      width: 80,
      numeric: true,
      cell: ({ cvss }) => (cvss === null ? t("none") : format.number(cvss)),
    },
    {
      key: "epss",
      title: t("findings.epss"),
      width: 90,
      numeric: true,
      cell: ({ epss }) => (epss === null ? t("none") : format.percent(epss)),
    },
    {
      key: "marks",
      title: t("findings.marks"),
      width: 120,
      cell: ({ exploited }) => (
        <span className="chips">
          {exploited ? <span className="tag tone-critical">{t("findings.exploited")}</span> : null}
        </span>
      ),
    },
  ];
}

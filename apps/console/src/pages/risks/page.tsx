import { SEVERITIES } from "@bulwark/model";
import { Link } from "react-router";
import type { Risk } from "../../api/contract.ts";
import { useRisks } from "../../api/risks.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoiceFilter, FlagFilter, SearchFilter } from "../../components/filters.tsx";
import { Page as Frame } from "../../components/page.tsx";
import { ResponsibleCell } from "../../components/responsible.tsx";
import { RiskStateTag } from "../../components/risk-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, type UrlState, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { Measures } from "./measures.tsx";

const STATES = ["open", "assigned", "fixing", "fixed", "reopened", "accepted"] as const;
const VERDICTS = ["base", "own"] as const;
const TWO_LINES_PX = 48;

export function Page() {
  const { t } = useSpeech();
  const url = useUrlState();
  const filters = given({
    search: url.value("search"),
    state: url.oneOf("state", STATES),
    severity: url.oneOf("severity", SEVERITIES),
    verdict: url.oneOf("verdict", VERDICTS),
    overdue: url.flag("overdue"),
    waiting: url.flag("waiting"),
  });
  const rows = useRisks(filters);
  const columns = useColumns();
  const filtered = Object.keys(filters).length > 0;
  const empty = filtered ? (
    <EmptyState title={t("filters.noneTitle")} hint={t("filters.noneHint")} />
  ) : (
    <EmptyState title={t("risks.emptyTitle")} hint={t("risks.emptyHint")} />
  );
  return (
    <Frame title={t("risks.title")} lead={t("risks.lead")} fill>
      <Measures />
      <RiskFilterBar url={url} />
      <DataTable
        label={t("risks.title")}
        rows={rows}
        columns={columns}
        rowKey={({ id }) => id}
        rowHeight={TWO_LINES_PX}
        empty={empty}
        fill
      />
    </Frame>
  );
}

function RiskFilterBar({ url }: { readonly url: UrlState }) {
  const { t } = useSpeech();
  return (
    <search className="filters">
      <SearchFilter state={url} name="search" label={t("risks.search")} />
      <ChoiceFilter
        state={url}
        name="state"
        label={t("filters.state")}
        options={STATES.map((value) => ({ value, label: t(`riskState.${value}`) }))}
      />
      <ChoiceFilter
        state={url}
        name="severity"
        label={t("filters.severity")}
        options={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
      />
      <ChoiceFilter
        state={url}
        name="verdict"
        label={t("risks.verdict")}
        options={VERDICTS.map((value) => ({ value, label: t(`verdict.${value}`) }))}
        width={190}
      />
      <FlagFilter state={url} name="overdue" label={t("risks.overdue")} />
      <FlagFilter state={url} name="waiting" label={t("risk.awaitsApproval")} />
    </search>
  );
}

function useColumns(): readonly Column<Risk>[] {
  const { t, format } = useSpeech();
  const told = useServerTexts();
  return [
    {
      key: "severity",
      title: t("filters.severity"),
      width: 108,
      cell: ({ severity }) => <SeverityTag severity={severity} />,
    },
    {
      key: "risk",
      title: t("findings.finding"),
      cell: ({ id, finding, title }) => (
        <TwoLines second={<SafeText value={told.titleOf({ id: finding, title })} />}>
          <Link to={`/risks/${id}`}>
            <SafeText value={finding} />
          </Link>
        </TwoLines>
      ),
    },
    {
      key: "repository",
      title: t("risks.repository"),
      cell: ({ repository, package: subject }) => (
        <TwoLines second={<SafeText value={subject} />}>
          <SafeText value={`${repository.registry}/${repository.name}`} />
        </TwoLines>
      ),
    },
    { key: "state", title: t("filters.state"), width: 120, cell: ({ state }) => <RiskStateTag state={state} /> },
    {
      key: "who",
      title: t("risks.assignee"),
      width: 150,
      cell: ({ assignee, owner }) => (
        <TwoLines second={<SafeText value={owner?.name} />}>
          <SafeText value={assignee?.name} />
        </TwoLines>
      ),
    },
    {
      key: "responsible",
      title: t("risk.responsible"),
      width: 180,
      cell: ({ responsible }) => <ResponsibleCell responsible={responsible} />,
    },
    { key: "due", title: t("risks.due"), width: 150, cell: (risk) => <Due risk={risk} /> },
    { key: "images", title: t("nav.images"), width: 80, numeric: true, cell: ({ images }) => format.number(images) },
  ];
}

function Due({ risk }: { readonly risk: Risk }) {
  const { t, format } = useSpeech();
  if (risk.due === null) return <span className="quiet">{t("none")}</span>;
  return (
    <span className="two-lines">
      <span>{format.date(risk.due)}</span>
      {risk.overdue ? <span className="second bad">{t("risks.overdue")}</span> : null}
    </span>
  );
}

import { Button } from "antd";
import { useState } from "react";
import { resultsAddress, useBenchmarkResults } from "../../api/benchmarks.ts";
import type { BenchmarkResult } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ChoicesFilter } from "../../components/filters.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { given, useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { OutcomeTag } from "./outcome-tag.tsx";
import { ResultDrawer } from "./result-drawer.tsx";

const OUTCOMES = ["fail", "undetermined", "manual", "pass", "not-applicable"] as const;
const SEVERITIES = ["critical", "high", "medium", "low"] as const;
const TWO_LINES_PX = 48;

/** What checks found: failed and undetermined ones unless others are chosen. */
export function Results() {
  const { t } = useSpeech();
  const url = useUrlState();
  const [opened, setOpened] = useState<BenchmarkResult>();
  const filters = given({
    nodeId: url.integer("node"),
    clusterId: url.integer("cluster"),
    check: url.value("check"),
    outcomes: url.value("outcomes") ?? "fail,undetermined",
    severities: url.value("severities"),
  });
  const rows = useBenchmarkResults(filters);
  const columns = useColumns(setOpened);
  const options = OUTCOMES.map((value) => ({ value, label: t(`outcome.${value}`) }));
  return (
    <>
      <search className="filters">
        <ChoicesFilter state={url} name="outcomes" label={t("benchmarks.onlyOutcome")} options={options} />
        <ChoicesFilter
          state={url}
          name="severities"
          label={t("filters.severity")}
          options={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
        />
        <Button href={resultsAddress(filters)}>{t("benchmarks.download")}</Button>
      </search>
      <DataTable
        label={t("benchmarks.results")}
        rows={rows}
        columns={columns}
        rowKey={({ targetId, check }) => `${targetId} ${check}`}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("benchmarks.noResultsTitle")} hint={t("benchmarks.noResultsHint")} />}
      />
      <ResultDrawer result={opened} onClose={() => setOpened(undefined)} />
    </>
  );
}

function useColumns(onOpen: (result: BenchmarkResult) => void): readonly Column<BenchmarkResult>[] {
  const { t } = useSpeech();
  const texts = useServerTexts();
  return [
    {
      key: "check",
      title: t("benchmarks.check"),
      cell: (result) => (
        <TwoLines second={<SafeText value={texts.evidence(result.evidence)} />}>
          <button type="button" className="link-button" onClick={() => onOpen(result)}>
            <SafeText value={texts.benchmarkTitle(result.check, result.title)} />
          </button>
        </TwoLines>
      ),
    },
    {
      key: "severity",
      title: t("filters.severity"),
      width: 110,
      cell: ({ severity }) => <SeverityTag severity={severity} />,
    },
    { key: "outcome", title: t("benchmarks.outcome"), width: 150, cell: (result) => <OutcomeTag result={result} /> },
    { key: "place", title: t("benchmarks.place"), width: 200, cell: ({ place }) => <SafeText value={place} /> },
  ];
}

import { useState } from "react";
import { useAlertHardening } from "../../api/benchmarks.ts";
import type { BenchmarkResult } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { SeverityTag } from "../../components/severity.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { OutcomeTag } from "../benchmarks/outcome-tag.tsx";
import { ResultDrawer } from "../benchmarks/result-drawer.tsx";

const TWO_LINES_PX = 48;

/** Checks that fail where the alert was, and that would have made it harder: the cause is fixed from here. */
export function Hardening({ id }: { readonly id: number }) {
  const { t } = useSpeech();
  const texts = useServerTexts();
  const rows = useAlertHardening(id);
  const [opened, setOpened] = useState<BenchmarkResult>();
  const columns: readonly Column<BenchmarkResult>[] = [
    {
      key: "check",
      title: t("benchmarks.check"),
      cell: (result) => (
        <TwoLines second={<SafeText value={texts.benchmarkAdvice(result.check, result.advice)} />}>
          <button type="button" className="link-button" onClick={() => setOpened(result)}>
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
    { key: "place", title: t("benchmarks.place"), width: 180, cell: ({ place }) => <SafeText value={place} /> },
  ];
  return (
    <>
      <DataTable
        label={t("benchmarks.hardening")}
        rows={rows}
        columns={columns}
        rowKey={({ targetId, check }) => `${targetId} ${check}`}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("benchmarks.noHardeningTitle")} hint={t("benchmarks.noHardeningHint")} />}
      />
      <ResultDrawer result={opened} onClose={() => setOpened(undefined)} />
    </>
  );
}

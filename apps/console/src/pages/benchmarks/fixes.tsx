import { useBenchmarkFixes } from "../../api/benchmarks.ts";
import type { BenchmarkFix } from "../../api/contract.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";
import { FixActions, FixState } from "./fix-card.tsx";

const TWO_LINES_PX = 48;

/** Fixes: what was changed where, by whom, and whether it helped. */
export function Fixes() {
  const { t, format } = useSpeech();
  const texts = useServerTexts();
  const rows = useBenchmarkFixes();
  const columns: readonly Column<BenchmarkFix>[] = [
    {
      key: "check",
      title: t("benchmarks.check"),
      cell: ({ check, title, detail }) => (
        <TwoLines second={<SafeText value={texts.outcome(detail)} />}>
          <SafeText value={texts.benchmarkTitle(check, title)} />
        </TwoLines>
      ),
    },
    { key: "node", title: t("benchmarks.place"), width: 180, cell: ({ hostname }) => <SafeText value={hostname} /> },
    { key: "state", title: t("filters.state"), width: 170, cell: ({ state }) => <FixState state={state} /> },
    {
      key: "asked",
      title: t("benchmarks.cause"),
      width: 150,
      cell: ({ askedBy, createdAt }) => (
        <TwoLines second={format.ago(createdAt)}>
          <SafeText value={askedBy} />
        </TwoLines>
      ),
    },
    { key: "actions", title: t("actions"), width: 130, numeric: true, cell: (fix) => <FixActions fix={fix} /> },
  ];
  return (
    <DataTable
      label={t("benchmarks.fixes")}
      rows={rows}
      columns={columns}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
      empty={<EmptyState title={t("benchmarks.noFixesTitle")} hint={t("benchmarks.noFixesHint")} />}
    />
  );
}

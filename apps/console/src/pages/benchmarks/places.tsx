import { useCallback } from "react";
import { useBenchmarkPlaces, useBenchmarkRuns } from "../../api/benchmarks.ts";
import type { BenchmarkPlace, BenchmarkPlaces, BenchmarkRun } from "../../api/contract.ts";
import type { Rows } from "../../api/paged.ts";
import { Chart, type Palette } from "../../components/chart.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { TwoLines } from "../../components/two-lines.tsx";
import { useUrlState } from "../../components/url-state.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useServerTexts } from "../../i18n/server-texts.ts";

const HEIGHT_PX = 200;
const TWO_LINES_PX = 48;
const GOOD = 85;
const FAIR = 60;

/** How nodes and clusters stand, the worst first, and the mean over time. */
export function Places() {
  const { t, format } = useSpeech();
  const query = useBenchmarkPlaces();
  const url = useUrlState();
  const open = ({ nodeId, clusterId }: BenchmarkPlace) =>
    url.set({
      tab: "results",
      node: nodeId === null ? undefined : String(nodeId),
      cluster: clusterId === null ? undefined : String(clusterId),
    });
  const columns = useColumns(open);
  const rows: Rows<BenchmarkPlace> = {
    ...{
      items: query.data?.items ?? [],
      total: query.data?.items.length,
      loading: query.isPending,
      loadingMore: false,
    },
    ...{
      error: query.error,
      stale: false,
      hasMore: false,
      loadMore: () => undefined,
      retry: () => void query.refetch(),
    },
  };
  const score = query.data?.score ?? null;
  return (
    <>
      <section aria-label={t("benchmarks.trend")}>
        <p>
          {t("benchmarks.mean")}: <strong>{score === null ? t("benchmarks.noScore") : format.number(score)}</strong>
        </p>
        <Trend trend={query.data?.trend ?? []} />
      </section>
      <DataTable
        label={t("benchmarks.places")}
        rows={rows}
        columns={columns}
        rowKey={({ targetId }) => targetId}
        rowHeight={TWO_LINES_PX}
        empty={<EmptyState title={t("benchmarks.emptyTitle")} hint={t("benchmarks.emptyHint")} />}
      />
      <h2>{t("benchmarks.runs")}</h2>
      <Runs />
    </>
  );
}

/** A score in the colour of how good it is. */
function ScoreTag({ score }: { readonly score: number | null }) {
  const { t, format } = useSpeech();
  if (score === null) return <span className="tag tone-other">{t("benchmarks.noScore")}</span>;
  const tone = score >= GOOD ? "good" : score >= FAIR ? "medium" : "high";
  return <span className={`tag tone-${tone}`}>{format.number(score)}</span>;
}

function Trend({ trend }: { readonly trend: BenchmarkPlaces["trend"] }) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => ({
      aria: { enabled: false },
      xAxis: { type: "category", data: trend.map(({ day }) => format.date(day)), axisLabel: { color: palette.quiet } },
      yAxis: {
        type: "value",
        min: 0,
        max: 100,
        splitLine: { lineStyle: { color: palette.line } },
        axisLabel: { color: palette.quiet },
      },
      series: [
        {
          ...{ name: t("benchmarks.mean"), type: "line", color: palette.accent, data: trend.map(({ score }) => score) },
          // One day alone is a point, which no line shows.
          ...{ showSymbol: trend.length === 1, lineStyle: { width: 2 }, areaStyle: { opacity: 0.08 } },
        },
      ],
    }),
    [trend, t, format],
  );
  const last = trend.at(-1);
  if (last === undefined) return <p className="quiet">{t("benchmarks.noTrend")}</p>;
  return (
    <Chart
      label={t("benchmarks.trendLabel", { n: trend.length, score: last.score })}
      height={HEIGHT_PX}
      option={option}
    />
  );
}

function useColumns(onOpen: (place: BenchmarkPlace) => void): readonly Column<BenchmarkPlace>[] {
  const { t, format } = useSpeech();
  const texts = useServerTexts();
  return [
    {
      key: "place",
      title: t("benchmarks.place"),
      cell: (place) => (
        <TwoLines second={place.trouble === "" ? "" : <SafeText value={texts.outcome(place.trouble)} />}>
          <button type="button" className="link-button" onClick={() => onOpen(place)}>
            <SafeText value={place.name} />
          </button>
        </TwoLines>
      ),
    },
    { key: "score", title: t("benchmarks.score"), width: 110, cell: ({ score }) => <ScoreTag score={score} /> },
    ...(["pass", "fail", "undetermined", "excepted"] as const).map((outcome) => ({
      key: outcome,
      title: t(`outcome.${outcome}`),
      width: 140,
      numeric: true,
      cell: ({ counts }: BenchmarkPlace) => format.number(counts[outcome] ?? 0),
    })),
    {
      key: "trend",
      title: t("benchmarks.trend"),
      width: 130,
      cell: ({ trend }) => {
        const scores = trend.flatMap(({ score }) => (score === null ? [] : [score]));
        return scores.length < 2 ? "" : t("benchmarks.points", { first: scores[0]!, last: scores.at(-1)! });
      },
    },
    { key: "judged", title: t("benchmarks.judged"), width: 130, cell: ({ judgedAt }) => format.ago(judgedAt) },
  ];
}

function Runs() {
  const { t, nameOf, format } = useSpeech();
  const rows = useBenchmarkRuns();
  const columns: readonly Column<BenchmarkRun>[] = [
    { key: "profile", title: t("benchmarks.profile"), width: 140, cell: ({ profile }) => <SafeText value={profile} /> },
    {
      key: "done",
      title: t("benchmarks.places"),
      cell: ({ done, targets, failed }) => t("benchmarks.runOf", { done, all: targets, failed }),
    },
    { key: "score", title: t("benchmarks.score"), width: 110, cell: ({ score }) => <ScoreTag score={score} /> },
    {
      key: "cause",
      title: t("benchmarks.cause"),
      width: 200,
      cell: ({ cause, createdBy }) => (
        <TwoLines second={createdBy === "" ? "" : <SafeText value={createdBy} />}>
          <span>{nameOf("benchmarkCause", cause)}</span>
        </TwoLines>
      ),
    },
    { key: "at", title: t("benchmarks.judged"), width: 130, cell: ({ createdAt }) => format.ago(createdAt) },
  ];
  return (
    <DataTable
      label={t("benchmarks.runs")}
      rows={rows}
      columns={columns}
      rowKey={({ id }) => id}
      rowHeight={TWO_LINES_PX}
      empty={<EmptyState title={t("benchmarks.runEmptyTitle")} hint={t("benchmarks.runEmptyHint")} />}
    />
  );
}

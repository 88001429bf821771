import { useCallback } from "react";
import type { Coverage } from "../../api/contract.ts";
import { Chart, type Palette } from "../../components/chart.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import "../../components/plain-table.css";

const HEIGHT_PX = 300;
const FULL = 100;

/** How much of the images the largest bases carry together, on a logarithmic axis of bases. */
export function CoverageChart({ coverage }: { readonly coverage: Coverage }) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => ({
      grid: { left: 8, right: 72, top: 16, bottom: 22, outerBoundsMode: "same" },
      legend: { show: false },
      xAxis: {
        type: "log",
        min: 1,
        max: Math.max(2, coverage.bases),
        name: t("spread.basesAxis"),
        nameLocation: "middle",
        nameGap: 24,
        nameTextStyle: { color: palette.quiet },
        axisLabel: {
          color: palette.quiet,
          formatter: (value: number) => format.number(Math.round(value)),
          hideOverlap: true,
        },
        axisLine: { lineStyle: { color: palette.line } },
        splitLine: { show: false },
      },
      yAxis: {
        type: "value",
        min: 0,
        max: FULL,
        axisLabel: { color: palette.quiet, formatter: (value: number) => format.percent(value / FULL) },
        splitLine: { lineStyle: { color: palette.line } },
      },
      tooltip: tooltip(palette, ([bases = 0, share = 0]) =>
        t("spread.point", { bases, share: format.percent(share / FULL) }),
      ),
      series: [
        {
          type: "line",
          showSymbol: false,
          color: palette.accent,
          areaStyle: { opacity: 0.12 },
          data: coverage.points.map(({ bases, images }) => [bases, (images / coverage.images) * FULL]),
        },
        {
          type: "line",
          lineStyle: { opacity: 0 },
          symbol: "circle",
          symbolSize: 9,
          color: palette.critical,
          // All are in the table below it: those that would overlap are left out here.
          labelLayout: { hideOverlap: true },
          label: {
            show: true,
            position: "bottom",
            distance: 8,
            align: "left",
            color: palette.text,
            formatter: ({ value: [bases = 0, percent = 0] }: { readonly value: readonly number[] }) =>
              `${format.percent(percent / FULL)} · ${format.number(bases)}`,
          },
          data: coverage.reached.map(({ bases, percent }) => [bases, percent]),
        },
      ],
    }),
    [coverage, t, format],
  );
  return (
    <>
      <Chart label={t("spread.coverageLabel")} height={HEIGHT_PX} option={option} />
      <table className="plain-table">
        <thead>
          <tr>
            <th>{t("spread.share")}</th>
            {coverage.reached.map(({ percent }) => (
              <th key={percent} className="numeric">
                {format.percent(percent / FULL)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{t("spread.basesAxis")}</th>
            {coverage.reached.map(({ percent, bases }) => (
              <td key={percent} className="numeric">
                {format.number(bases)}
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </>
  );
}

function tooltip(palette: Palette, say: (value: readonly number[]) => string) {
  return {
    trigger: "axis",
    renderMode: "richText",
    backgroundColor: palette.surface,
    borderColor: palette.line,
    textStyle: { color: palette.text, fontSize: 12 },
    formatter: ([first]: readonly { readonly value: readonly number[] }[]) => say(first?.value ?? []),
  };
}

import { useCallback } from "react";
import { Chart, type Palette } from "../../components/chart.tsx";
import { useSpeech } from "../../i18n/language.tsx";

interface Point {
  readonly at: string;
  readonly open: number;
  readonly closed: number;
}

const HEIGHT_PX = 220;

/** How many affected images were left and how many were fixed, over time. */
export function ClosureCurve({ points }: { readonly points: readonly Point[] }) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => ({
      xAxis: {
        type: "category",
        boundaryGap: false,
        data: points.map(({ at }) => format.date(at)),
        axisLine: { lineStyle: { color: palette.line } },
        axisLabel: { color: palette.quiet, hideOverlap: true },
        axisTick: { show: false },
      },
      yAxis: {
        type: "value",
        minInterval: 1,
        axisLabel: { color: palette.quiet, formatter: (value: number) => format.number(value) },
        splitLine: { lineStyle: { color: palette.line } },
      },
      series: [
        area(
          t("cases.closed"),
          palette.good,
          points.map(({ closed }) => closed),
        ),
        area(
          t("cases.open"),
          palette.critical,
          points.map(({ open }) => open),
        ),
      ],
    }),
    [points, t, format],
  );
  const last = points.at(-1);
  if (last === undefined) return <p className="quiet">{t("cases.noCurve")}</p>;
  return (
    <Chart label={t("cases.curveLabel", { open: last.open, closed: last.closed })} height={HEIGHT_PX} option={option} />
  );
}

function area(name: string, color: string, data: readonly number[]) {
  return {
    name,
    type: "line",

    stack: "images",
    data: [...data],
    color,
    showSymbol: false,
    areaStyle: { opacity: 0.25 },
  };
}

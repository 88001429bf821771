import { useCallback } from "react";
import type { Overview } from "../../api/contract.ts";
import { Chart, type Palette } from "../../components/chart.tsx";
import { countAxes } from "../../components/count-axes.ts";
import { useSpeech } from "../../i18n/language.tsx";

const HEIGHT_PX = 220;

/** Open critical and high findings by day. */
export function TrendChart({ trend }: { readonly trend: Overview["trend"] }) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => ({
      aria: { enabled: false },
      ...countAxes(
        palette,
        trend.map(({ day }) => format.date(day)),
        format.number,
      ),
      series: [
        line(
          t("severity.critical"),
          palette.critical,
          trend.map(({ critical }) => critical),
        ),
        line(
          t("severity.high"),
          palette.high,
          trend.map(({ high }) => high),
        ),
      ],
    }),
    [trend, t, format],
  );
  const last = trend.at(-1);
  if (last === undefined) return <p className="quiet">{t("overview.noTrend")}</p>;
  const label = t("overview.trendLabel", { n: trend.length, critical: last.critical, high: last.high });
  return <Chart label={label} height={HEIGHT_PX} option={option} />;
}

function line(name: string, color: string, data: readonly number[]) {
  return {
    name,
    type: "line",
    data: [...data],
    color,
    // One day alone is a point, which no line shows.
    showSymbol: data.length === 1,
    lineStyle: { width: 2 },
    areaStyle: { opacity: 0.08 },
  };
}

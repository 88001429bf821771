import { useCallback } from "react";
import { Chart, type Palette } from "../../components/chart.tsx";
import { countAxes } from "../../components/count-axes.ts";
import { useSpeech } from "../../i18n/language.tsx";

const HEIGHT_PX = 160;

interface Props {
  readonly days: readonly { readonly day: string; readonly count: number }[];
}

/** New alerts by day. */
export function AlertChart({ days }: Props) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => {
      const axes = countAxes(
        palette,
        days.map(({ day }) => format.date(day)),
        format.number,
      );
      return {
        aria: { enabled: false },
        legend: { show: false },
        ...axes,
        grid: { left: 8, right: 12, top: 10, bottom: 4, outerBoundsMode: "same" },
        xAxis: { ...axes.xAxis, boundaryGap: true },
        series: [
          {
            name: t("alerts.title"),
            type: "bar",
            data: days.map(({ count }) => count),
            color: palette.high,
            barMaxWidth: 26,
            itemStyle: { borderRadius: [3, 3, 0, 0] },
          },
        ],
      };
    },
    [days, t, format],
  );
  const sum = days.reduce((all, { count }) => all + count, 0);
  if (sum === 0) return <p className="quiet">{t("overview.noAlertTrend")}</p>;
  return (
    <Chart label={t("overview.alertTrendLabel", { n: sum, days: days.length })} height={HEIGHT_PX} option={option} />
  );
}

import { useCallback } from "react";
import type { Overview } from "../../api/contract.ts";
import { Chart, type Palette } from "../../components/chart.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const HEIGHT_PX = 220;
const COUNTED = ["critical", "high", "medium", "low"] as const;

/** Findings by severity, worst on top. */
export function SeverityChart({ protect }: { readonly protect: Overview["protect"] }) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => ({
      legend: { show: false },
      grid: { left: 4, right: 56, top: 4, bottom: 4, outerBoundsMode: "same" },
      tooltip: { show: false },
      xAxis: { type: "value", axisLabel: { show: false }, splitLine: { show: false } },
      yAxis: {
        type: "category",
        inverse: true,
        data: COUNTED.map((severity) => t(`severity.${severity}`)),
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { color: palette.text },
      },
      series: [
        {
          type: "bar",
          barWidth: 18,
          label: {
            show: true,
            position: "right",
            color: palette.text,
            formatter: ({ value }: { value: number }) => format.number(value),
          },
          data: COUNTED.map((severity) => ({
            value: protect[severity],
            itemStyle: { color: palette[severity], borderRadius: 3 },
          })),
        },
      ],
    }),
    [protect, t, format],
  );
  const label = COUNTED.map((one) => `${t(`severity.${one}`)}: ${format.number(protect[one])}`).join(", ");
  return <Chart label={label} height={HEIGHT_PX} option={option} />;
}

import { useCallback } from "react";
import type { Overview } from "../../api/contract.ts";
import { Chart, type Palette } from "../../components/chart.tsx";
import { SEVERITIES, toneOf } from "../../components/severity.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const HEIGHT_PX = 220;

/** Findings by severity, worst on top. */
export function SeverityChart({ bySeverity }: { readonly bySeverity: Overview["protect"]["bySeverity"] }) {
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
        data: SEVERITIES.map((severity) => t(`severity.${severity}`)),
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { color: palette.text },
      },
      series: [
        {
          type: "bar",
          barWidth: 14,
          label: {
            show: true,
            position: "right",
            color: palette.text,
            formatter: ({ value }: { value: number }) => format.number(value),
          },
          data: SEVERITIES.map((severity) => ({
            value: bySeverity[severity] ?? 0,
            itemStyle: { color: palette[toneOf(severity)], borderRadius: 3 },
          })),
        },
      ],
    }),
    [bySeverity, t, format],
  );
  const label = SEVERITIES.map((one) => `${t(`severity.${one}`)}: ${format.number(bySeverity[one] ?? 0)}`).join(", ");
  return <Chart label={label} height={HEIGHT_PX} option={option} />;
}

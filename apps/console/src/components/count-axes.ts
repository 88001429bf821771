import type { Palette } from "./chart.tsx";

/** Axes of counts over time, as all charts have them. */
export function countAxes(palette: Palette, times: readonly string[], numberOf: (value: number) => string) {
  return {
    xAxis: {
      type: "category" as const,
      boundaryGap: false,
      data: [...times],
      axisLine: { lineStyle: { color: palette.line } },
      axisLabel: { color: palette.quiet, hideOverlap: true },
      axisTick: { show: false },
    },
    yAxis: {
      type: "value" as const,
      minInterval: 1,
      axisLabel: { color: palette.quiet, formatter: numberOf },
      splitLine: { lineStyle: { color: palette.line } },
    },
  };
}

import { useCallback } from "react";
import type { PlanStep } from "../../api/contract.ts";
import { Chart, type Palette } from "../../components/chart.tsx";
import { countAxes } from "../../components/count-axes.ts";
import { useSpeech } from "../../i18n/language.tsx";

const HEIGHT_PX = 220;
const FULL = 100;

/** What share is gone after each fix. */
export function PlanCurve({ steps }: { readonly steps: readonly PlanStep[] }) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => ({
      ...countAxes(palette, ["0", ...steps.map((_, at) => format.number(at + 1))], (value) =>
        format.percent(value / FULL),
      ),
      legend: { show: false },
      series: [
        {
          name: t("plan.together"),
          type: "line",
          color: palette.accent,
          areaStyle: { opacity: 0.15 },
          showSymbol: steps.length <= 20,
          data: [0, ...steps.map(({ share }) => share * FULL)],
          tooltip: { valueFormatter: (value: unknown) => format.percent(Number(value) / FULL) },
        },
      ],
    }),
    [steps, t, format],
  );
  const last = steps.at(-1);
  const label = t("plan.curveLabel", { n: steps.length, share: format.percent(last?.share ?? 0) });
  return <Chart label={label} height={HEIGHT_PX} option={option} />;
}

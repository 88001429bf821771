import { useCallback } from "react";
import type { Spread } from "../../api/contract.ts";
import { Chart, type Palette } from "../../components/chart.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const HEIGHT_PX = 210;
const LOG_FROM = 6;

/** How old the bases in use are. */
export function AgeChart({ ages }: { readonly ages: Spread["ages"] }) {
  const { t } = useSpeech();
  const nameOf = (days: number | string, at: number) => {
    if (typeof days === "number") return t("spread.younger", { n: days });
    const last = ages[at - 1]?.days;
    return days === "older" ? t("spread.older", { n: typeof last === "number" ? last : 0 }) : t("spread.unknownAge");
  };
  return (
    <Bars
      label={t("spread.ages")}
      names={ages.map(({ days }, at) => nameOf(days, at))}
      series={[{ name: t("spread.basesAxis"), values: ages.map(({ bases }) => bases) }]}
    />
  );
}

/** On how many bases, one upon another, images stand. */
export function DepthChart({ depths }: { readonly depths: readonly number[] }) {
  const { t, format } = useSpeech();
  return (
    <Bars
      label={t("spread.depths")}
      names={depths.map((_, depth) => format.number(depth))}
      series={[{ name: t("nav.images"), values: depths }]}
    />
  );
}

/** How many images stand right on a base: both axes are logarithmic. */
export function DegreeChart({ degrees }: { readonly degrees: readonly number[] }) {
  const { t, format } = useSpeech();
  const names = degrees.map((_, power) =>
    power === 0 ? "1" : `${format.number(2 ** power)}–${format.number(2 ** (power + 1) - 1)}`,
  );
  return (
    <Bars label={t("spread.degrees")} names={names} series={[{ name: t("spread.basesAxis"), values: degrees }]} log />
  );
}

interface BarsProps {
  readonly label: string;
  readonly names: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly log?: boolean;
}

function Bars({ label, names, series, log = false }: BarsProps) {
  const { format } = useSpeech();
  const key = JSON.stringify([names, series]);
  const option = useCallback(
    (palette: Palette) => {
      const [shownNames, shown] = JSON.parse(key) as [string[], BarsProps["series"]];
      return {
        legend: { show: false },
        grid: { left: 8, right: 8, top: 14, bottom: 4, outerBoundsMode: "same" },
        xAxis: {
          type: "category",
          data: shownNames,
          axisLabel: {
            color: palette.quiet,
            hideOverlap: true,
            fontSize: 11,
            rotate: shownNames.length > LOG_FROM ? 35 : 0,
          },
          axisLine: { lineStyle: { color: palette.line } },
          axisTick: { show: false },
        },
        yAxis: {
          type: log ? "log" : "value",
          ...(log ? { min: 0.5 } : { minInterval: 1 }),
          axisLabel: { color: palette.quiet, formatter: (value: number) => (value < 1 ? "" : format.number(value)) },
          splitLine: { lineStyle: { color: palette.line } },
        },
        series: shown.map(({ name, values }) => ({
          name,
          type: "bar",
          color: palette.accent,
          barMaxWidth: 34,
          // Nothing has no logarithm.
          data: values.map((value) => (log && value === 0 ? null : value)),
        })),
      };
    },
    [key, log, format],
  );
  return <Chart label={label} height={HEIGHT_PX} option={option} />;
}

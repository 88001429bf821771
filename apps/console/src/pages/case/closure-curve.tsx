import { useCallback } from "react";
import { Chart, type Palette } from "../../components/chart.tsx";
import { countAxes } from "../../components/count-axes.ts";
import { useSpeech } from "../../i18n/language.tsx";

interface Point {
  readonly at: string;
  readonly open: number;
  readonly closed: number;
}

const HEIGHT_PX = 220;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** A case as young as this is told by the minute. */
const YOUNG_DAYS = 3;

/** How many affected images were left and how many were fixed, over time. */
export function ClosureCurve({ points }: { readonly points: readonly Point[] }) {
  const { t, format } = useSpeech();
  const option = useCallback(
    (palette: Palette) => ({
      ...countAxes(
        palette,
        points.map(({ at }) => (isYoung(points) ? format.time(at) : format.date(at))),
        format.number,
      ),
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

function isYoung(points: readonly Point[]): boolean {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return true;
  return Date.parse(last.at) - Date.parse(first.at) < YOUNG_DAYS * DAY_MS;
}

function area(name: string, color: string, data: readonly number[]) {
  return {
    name,
    type: "line",
    // A point is written when something changes: until then it is as before.
    step: "end",
    data: [...data],
    color,
    showSymbol: data.length === 1,
    areaStyle: { opacity: 0.15 },
  };
}

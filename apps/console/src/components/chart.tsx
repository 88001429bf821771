import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { type EChartsCoreOption, init, use as install } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useLook } from "../theme/theme.tsx";

install([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, AriaComponent, CanvasRenderer]);

/** Colours of the page, for drawings. */
export interface Palette {
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  readonly surface: string;
  readonly accent: string;
  readonly critical: string;
  readonly high: string;
  readonly medium: string;
  readonly low: string;
  readonly other: string;
  readonly good: string;
}

interface Props {
  /** What the drawing shows, for those who don't see it. */
  readonly label: string;
  readonly height: number;
  readonly option: (palette: Palette) => EChartsCoreOption;
}

/** A drawing in the page's colours, made anew when these change. */
export function Chart(props: Props) {
  const { dark } = useLook();
  return <Drawing key={dark ? "dark" : "light"} {...props} />;
}

/** Drawn on a canvas, tooltips too: the page's policy allows no inline styles. */
function Drawing({ label, height, option }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const chart = init(element, null, { renderer: "canvas" });
    const palette = paletteOf(element);
    chart.setOption({ ...frame(palette), ...option(palette) });
    const watcher = new ResizeObserver(() => chart.resize());
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      chart.dispose();
    };
  }, [option]);
  return <div ref={place} role="img" aria-label={label} style={{ height }} />;
}

function frame(palette: Palette): EChartsCoreOption {
  return {
    animationDuration: 200,
    textStyle: { color: palette.quiet, fontFamily: "inherit" },
    grid: { left: 8, right: 12, top: 30, bottom: 4, outerBoundsMode: "same" },
    legend: { top: 0, right: 0, itemWidth: 12, itemHeight: 8, textStyle: { color: palette.quiet } },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      backgroundColor: palette.surface,
      borderColor: palette.line,
      textStyle: { color: palette.text, fontSize: 12 },
    },
  };
}

function paletteOf(element: Element): Palette {
  const style = window.getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: colour("text"),
    quiet: colour("quiet"),
    line: colour("line"),
    surface: colour("surface"),
    accent: colour("accent"),
    critical: colour("critical"),
    high: colour("high"),
    medium: colour("medium"),
    low: colour("low"),
    other: colour("other"),
    good: colour("good"),
  };
}

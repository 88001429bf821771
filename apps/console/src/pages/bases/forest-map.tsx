import { AimOutlined, MinusOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { nameOfNode } from "../../components/node-look.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { useLook } from "../../theme/theme.tsx";
import { type Colours, discAt, drawForest } from "./draw-forest.ts";
import { type Disc, placeOf, wholeOf } from "./forest-model.ts";
import type { Forest } from "./use-forest.ts";
import { between, fit, panBy, type Size, type View, zoomAt } from "./view.ts";

interface Props {
  readonly forest: Forest;
  readonly selected: number | undefined;
  readonly onSelect: (disc: Disc | undefined) => void;
}

const FLIGHT_MS = 350;
const WHEEL = 0.0016;
const STEP = 1.5;
const PAN_PX = 60;
/** A pointer that moved less was a click. */
const STILL_PX = 4;
/** How far beyond all one may zoom out, and how deep in, by pixels for a unit. */
const LEAST_ZOOM = 0.005;
const MOST_ZOOM = 20_000;
const NAMES = ["text", "quiet", "line", "surface", "page", "raised"] as const;
const TONES = ["critical", "high", "medium", "low", "other", "good"] as const;

/** The forest on a canvas: circles lie within what they stand on. All of it is in the list beside it, too. */
export function ForestMap(props: Props) {
  const { dark } = useLook();
  return <Drawing key={dark ? "dark" : "light"} {...props} />;
}

function Drawing({ forest, selected, onSelect }: Props) {
  const { t, format } = useSpeech();
  const canvas = useRef<HTMLCanvasElement>(null);
  const map = useRef<MapState>({
    view: undefined,
    size: { width: 0, height: 0 },
    frame: 0,
    colours: {},
    touched: false,
  });
  const [hovered, setHovered] = useState<Disc>();
  const draw = () => {
    const { current: element } = canvas;
    const state = map.current;
    const context = element?.getContext("2d");
    if (!context || state.size.width === 0) return;
    const whole = fit(wholeOf(forest.roots), state.size);
    if (!state.touched) state.view = whole;
    const view = state.view ?? whole;
    const { size, colours } = state;
    const { roots, insideOf } = forest;
    const scene = { roots, insideOf, view, size, colours, selected, hovered, countOf: format.number };
    for (const disc of drawForest(context, scene)) forest.open(disc);
  };
  const latest = useRef(draw);
  latest.current = draw;
  const soon = useRef(() => {
    const state = map.current;
    state.frame ||= window.requestAnimationFrame(() => {
      state.frame = 0;
      latest.current();
    });
  }).current;
  const look = (change: (view: View, size: Size) => View) => {
    const state = map.current;
    const view = change(state.view ?? fit(wholeOf(forest.roots), state.size), state.size);
    state.view = { ...view, zoom: Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, view.zoom)) };
    state.touched = true;
    soon();
  };
  const flyTo = useFlight(look);
  useEffect(() => soon());
  useCanvasSize(canvas, map, soon);
  useWheel(canvas, look);
  const flown = useRef<number>(undefined);
  useEffect(() => {
    const disc = selected === undefined ? undefined : forest.discOf(selected);
    if (disc === undefined || flown.current === selected) return;
    flown.current = selected;
    flyTo((_view, size) => fit(placeOf(disc), size, disc.node?.children === 0 ? 0.2 : 0.7));
  });
  const at = (x: number, y: number) => {
    const { view, size } = map.current;
    return view === undefined
      ? undefined
      : discAt({ roots: forest.roots, insideOf: forest.insideOf, view, size }, { x, y });
  };
  const pointer = usePointer(look, at, setHovered, onSelect);
  const whole = () => flyTo((_view, size) => fit(wholeOf(forest.roots), size));
  const keys = (event: KeyboardEvent) => {
    const act = actionOf(event.key, look, whole);
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  return (
    <div className="forest-map">
      <canvas
        ref={canvas}
        tabIndex={0}
        aria-label={t("bases.mapLabel", { n: forest.roots.nodes.length })}
        onKeyDown={keys}
        {...pointer}
      />
      <div className="forest-zoom">
        <Button
          icon={<PlusOutlined />}
          aria-label={t("bases.zoomIn")}
          title={t("bases.zoomIn")}
          onClick={zoom(look, STEP)}
        />
        <Button
          icon={<MinusOutlined />}
          aria-label={t("bases.zoomOut")}
          title={t("bases.zoomOut")}
          onClick={zoom(look, 1 / STEP)}
        />
        <Button icon={<AimOutlined />} aria-label={t("bases.whole")} title={t("bases.whole")} onClick={whole} />
      </div>
      <p className="forest-hint" aria-hidden="true">
        {hovered === undefined ? t("bases.mapHint") : <Hovered disc={hovered} />}
      </p>
    </div>
  );
}

interface MapState {
  view: View | undefined;
  size: Size;
  frame: number;
  colours: Colours;
  /** Somebody moved or zoomed it: from then on it stays as it is when more comes. */
  touched: boolean;
}

type Look = (change: (view: View, size: Size) => View) => void;

function Hovered({ disc }: { readonly disc: Disc }) {
  const { t, format } = useSpeech();
  if (disc.node === undefined) return <Rest disc={disc} />;
  return (
    <>
      {nameOfNode(disc.node)} · {t("bases.carries", { n: disc.node.beneath })} ·{" "}
      {t("bases.layerCount", { n: disc.node.layers })} · {t(`baseKind.${disc.node.kind}`)}
      {disc.node.image?.builtAt ? ` · ${format.date(disc.node.image.builtAt)}` : ""}
    </>
  );
}

/** What one disc stands for, in words: "and 24,000 bases with under 3 images". */
export function Rest({ disc }: { readonly disc: Disc }) {
  const { t } = useSpeech();
  const { nodes = 0, most = 0 } = disc.rest ?? {};
  return disc.level.under === undefined
    ? t("bases.rest", { n: nodes, most: most + 1 })
    : t("bases.restInside", { n: nodes });
}

const pan = (look: Look, dx: number, dy: number) => () => look((view) => panBy(view, dx, dy));
const zoom = (look: Look, by: number) => () =>
  look((view, size) => zoomAt(view, size, { x: size.width / 2, y: size.height / 2 }, by));

function actionOf(key: string, look: Look, whole: () => void): (() => void) | undefined {
  switch (key) {
    case "ArrowLeft":
      return pan(look, PAN_PX, 0);
    case "ArrowRight":
      return pan(look, -PAN_PX, 0);
    case "ArrowUp":
      return pan(look, 0, PAN_PX);
    case "ArrowDown":
      return pan(look, 0, -PAN_PX);
    case "+":
    case "=":
      return zoom(look, STEP);
    case "-":
      return zoom(look, 1 / STEP);
    case "0":
      return whole;
    default:
      return undefined;
  }
}

/** Moves there by and by, or at once where motion is not wanted. */
function useFlight(look: Look) {
  const flight = useRef(0);
  return (to: (view: View, size: Size) => View) => {
    const mine = ++flight.current;
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      look(to);
      return;
    }
    let [from, begun]: [View | undefined, number] = [undefined, 0];
    const step = (now: number) => {
      if (mine !== flight.current) return;
      begun ||= now;
      const part = Math.min(1, (now - begun) / FLIGHT_MS);
      look((view, size) => {
        from ??= view;
        return between(from, to(from, size), part);
      });
      if (part < 1) window.requestAnimationFrame(step);
    };
    window.requestAnimationFrame(step);
  };
}

type Ref<Value> = { readonly current: Value };

/** Keeps the canvas as sharp as the screen, and its colours those of the page. */
function useCanvasSize(canvas: Ref<HTMLCanvasElement | null>, map: Ref<MapState>, soon: () => void) {
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const style = window.getComputedStyle(element);
    const colour = (name: string) => [name, style.getPropertyValue(`--${name}`).trim()];
    const soft = TONES.map((tone) => `${tone}-soft`);
    map.current.colours = Object.fromEntries([...NAMES, ...TONES, ...soft].map(colour));
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = element;
      const density = window.devicePixelRatio;
      element.width = Math.round(width * density);
      element.height = Math.round(height * density);
      element.getContext("2d")?.setTransform(density, 0, 0, density, 0, 0);
      map.current.size = { width, height };
      soon();
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [canvas, map, soon]);
}

/** React listens to wheels passively, so that the page would scroll too. */
function useWheel(canvas: Ref<HTMLCanvasElement | null>, look: Look) {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const turn = (event: WheelEvent) => {
      event.preventDefault();
      const pointer = { x: event.offsetX, y: event.offsetY };
      latest.current((view, size) => zoomAt(view, size, pointer, Math.exp(-event.deltaY * WHEEL)));
    };
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [canvas]);
}

/** Dragging moves, clicking selects, two fingers zoom. */
function usePointer(
  look: Look,
  at: (x: number, y: number) => Disc | undefined,
  onHover: (disc: Disc | undefined) => void,
  onSelect: (disc: Disc | undefined) => void,
) {
  const down = useRef(new Map<number, { x: number; y: number }>());
  const moved = useRef(0);
  const placeOfEvent = ({ nativeEvent }: React.PointerEvent) => ({ x: nativeEvent.offsetX, y: nativeEvent.offsetY });
  const spread = () => {
    const [a, b] = [...down.current.values()];
    return a === undefined || b === undefined ? 0 : Math.hypot(a.x - b.x, a.y - b.y);
  };
  return {
    onPointerDown: (event: React.PointerEvent) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      down.current.set(event.pointerId, placeOfEvent(event));
      moved.current = 0;
    },
    onPointerMove: (event: React.PointerEvent) => {
      const place = placeOfEvent(event);
      const last = down.current.get(event.pointerId);
      if (last === undefined) {
        onHover(at(place.x, place.y));
        return;
      }
      const before = spread();
      down.current.set(event.pointerId, place);
      moved.current += Math.hypot(place.x - last.x, place.y - last.y);
      if (down.current.size === 2 && before > 0) look((view, size) => zoomAt(view, size, place, spread() / before));
      else look((view) => panBy(view, place.x - last.x, place.y - last.y));
    },
    onPointerUp: (event: React.PointerEvent) => {
      down.current.delete(event.pointerId);
      const place = placeOfEvent(event);
      if (moved.current < STILL_PX) onSelect(at(place.x, place.y));
    },
    onPointerCancel: (event: React.PointerEvent) => void down.current.delete(event.pointerId),
    onPointerLeave: () => onHover(undefined),
  };
}

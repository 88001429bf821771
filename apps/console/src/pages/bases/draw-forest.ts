import { shortNameOf, toneOfNode } from "../../components/node-look.ts";
import { type Disc, type Level, scaleInside } from "./forest-model.ts";
import type { Size, View } from "./view.ts";

/** Colours by name, as the page has them. */
export type Colours = Readonly<Record<string, string>>;

export interface Scene {
  readonly roots: Level;
  /** What was read of what stands on a node. */
  readonly insideOf: (disc: Disc) => Level | undefined;
  readonly view: View;
  readonly size: Size;
  readonly colours: Colours;
  readonly selected: number | undefined;
  readonly hovered: Disc | undefined;
  readonly countOf: (nodes: number) => string;
}

/** Below these radii, in pixels: a point, a square, a circle without outline. Above: names, content, reading what is inside. */
const POINT = 0.6;
const SQUARE = 2.2;
const OUTLINED = 5;
const NAMED = 17;
const OPENED = 26;
const READ = 90;
/** A square of the same area as its circle. */
const SQUARE_SIDE = 1.77;
const MOST_READ = 3;
const FULL_TURN = 2 * Math.PI;
const FONT = "11px system-ui, sans-serif";
const CHARACTER_PX = 6.1;

/**
 * Draws what is seen of the forest, with as much detail as its size allows.
 *
 * @returns discs that are large enough for their content, which was not read yet
 */
export function drawForest(context: CanvasRenderingContext2D, scene: Scene): readonly Disc[] {
  const { size, roots, view } = scene;
  context.clearRect(0, 0, size.width, size.height);
  context.font = FONT;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const wanted: Disc[] = [];
  const names: Name[] = [];
  drawLevel(context, scene, roots, { x: 0, y: 0, scale: 1 }, wanted, names);
  for (const name of names) drawName(context, scene.colours, name);
  const near = (disc: Disc) => Math.hypot(disc.x - view.x, disc.y - view.y);
  return wanted.toSorted((a, b) => near(a) - near(b)).slice(0, MOST_READ);
}

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

interface Name {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly above: boolean;
  readonly colour: string;
}

function drawLevel(
  context: CanvasRenderingContext2D,
  scene: Scene,
  level: Level,
  frame: Frame,
  wanted: Disc[],
  names: Name[],
): void {
  const { view, size, selected, hovered, colours } = scene;
  const zoom = view.zoom * frame.scale;
  const left = size.width / 2 + (frame.x - view.x) * view.zoom;
  const top = size.height / 2 + (frame.y - view.y) * view.zoom;
  let fill = "";
  for (const disc of level.discs) {
    const r = disc.r * zoom;
    const x = left + disc.x * zoom;
    const y = top + disc.y * zoom;
    if (x + r < 0 || y + r < 0 || x - r > size.width || y - r > size.height) continue;
    const tone = disc.node === undefined ? "line" : toneOfNode(disc.node);
    if (r < SQUARE) {
      const colour = colours[tone] ?? "";
      if (colour !== fill) context.fillStyle = fill = colour;
      const side = r < POINT ? 1 : r * SQUARE_SIDE;
      context.fillRect(x - side / 2, y - side / 2, side, side);
      continue;
    }
    const inside = r > OPENED && disc.node !== undefined ? scene.insideOf(disc) : undefined;
    drawDisc(context, colours, disc, { x, y, r, tone, isOpen: inside !== undefined });
    fill = "";
    const isMarked = (disc.node !== undefined && disc.node.id === selected) || disc === hovered;
    if (isMarked) ring(context, colours.text ?? "", x, y, r + 2);
    if (inside !== undefined) {
      const inner = { x: frame.x + disc.x * frame.scale, y: frame.y + disc.y * frame.scale };
      const scale = scaleInside({ ...inner, r: disc.r * frame.scale }, inside);
      const { x: mx, y: my } = inside.middle;
      drawLevel(context, scene, inside, { x: inner.x - mx * scale, y: inner.y - my * scale, scale }, wanted, names);
    } else if (r > READ && (disc.node?.children ?? 0) > 0) wanted.push(disc);
    if (r > NAMED) names.push(nameOf(scene, disc, { x, y, r, isOpen: inside !== undefined }));
  }
}

interface Drawn {
  readonly x: number;
  readonly y: number;
  readonly r: number;
  readonly tone: string;
  readonly isOpen: boolean;
}

/** A known base is full; a deleted one is hollow, one that nobody pushed has a dashed border. */
function drawDisc(context: CanvasRenderingContext2D, colours: Colours, disc: Disc, drawn: Drawn): void {
  const { x, y, r, tone, isOpen } = drawn;
  const kind = disc.node?.kind;
  const colour = colours[tone] ?? "";
  context.beginPath();
  context.arc(x, y, r, 0, FULL_TURN);
  if (isOpen) context.fillStyle = colours.surface ?? "";
  else if (kind === "known") context.fillStyle = colour;
  else if (kind === "deleted") context.fillStyle = colours.page ?? "";
  else context.fillStyle = colours[`${tone}-soft`] ?? colours.raised ?? "";
  context.fill();
  if (r < OUTLINED && kind === "known") return;
  context.strokeStyle = disc.node === undefined ? (colours.quiet ?? "") : colour;
  context.lineWidth = isOpen || kind === "deleted" ? Math.min(2, r / 4) : 1;
  const isDashed = kind === "anonymous" || kind === "cache" || kind === undefined;
  context.setLineDash(isDashed ? [3, 3] : []);
  context.stroke();
  context.setLineDash([]);
}

function ring(context: CanvasRenderingContext2D, colour: string, x: number, y: number, r: number): void {
  context.beginPath();
  context.arc(x, y, r, 0, FULL_TURN);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.stroke();
}

function nameOf({ countOf, colours }: Scene, disc: Disc, { x, y, r, isOpen }: Omit<Drawn, "tone">): Name {
  const isFull = disc.node?.kind === "known" && !isOpen;
  return {
    text: disc.node === undefined ? `+${countOf(disc.rest?.nodes ?? 0)}` : shortNameOf(disc.node),
    ...{ x, y: isOpen ? y - r + 9 : y, width: 2 * r * 0.86, above: isOpen },
    colour: (isFull ? colours.surface : colours.text) ?? "",
  };
}

function drawName(context: CanvasRenderingContext2D, colours: Colours, name: Name): void {
  const most = Math.floor(name.width / CHARACTER_PX);
  if (most < 3) return;
  const text = name.text.length > most ? `${name.text.slice(0, most - 1)}…` : name.text;
  if (name.above) {
    const width = text.length * CHARACTER_PX + 10;
    context.fillStyle = colours.surface ?? "";
    context.fillRect(name.x - width / 2, name.y - 8, width, 16);
  }
  context.fillStyle = name.colour;
  context.fillText(text, name.x, name.y);
}

/** The innermost disc at a point of the canvas. */
export function discAt(scene: Pick<Scene, "roots" | "insideOf" | "view" | "size">, at: { x: number; y: number }) {
  const { view, size } = scene;
  let [x, y] = [view.x + (at.x - size.width / 2) / view.zoom, view.y + (at.y - size.height / 2) / view.zoom];
  let level: Level | undefined = scene.roots;
  let zoom = view.zoom;
  let found: Disc | undefined;
  while (level !== undefined) {
    const reach = 1 / zoom;
    const [px, py] = [x, y];
    const hit: Disc | undefined = level.discs.find((disc) => Math.hypot(disc.x - px, disc.y - py) <= disc.r + reach);
    if (hit === undefined) return found;
    found = hit;
    if (hit.r * zoom <= OPENED) return found;
    level = scene.insideOf(hit);
    if (level === undefined) return found;
    const scale = scaleInside(hit, level);
    const { middle } = level;
    [x, y, zoom] = [(x - hit.x) / scale + middle.x, (y - hit.y) / scale + middle.y, zoom * scale];
  }
  return found;
}

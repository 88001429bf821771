import type { Place } from "./forest-model.ts";

/** What part of the forest is seen: a point of it lies in the middle, and one of its units is `zoom` pixels. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The whole forest, or one place of it, with some room around. */
export function fit({ x, y, r }: Place, { width, height }: Size, fill = 0.94): View {
  return { x, y, zoom: (Math.min(width, height) * fill) / (2 * Math.max(r, Number.MIN_VALUE)) };
}

/** Zooms while the point under the pointer stays under it. */
export function zoomAt(view: View, size: Size, pointer: { readonly x: number; readonly y: number }, by: number): View {
  const zoom = view.zoom * by;
  const dx = pointer.x - size.width / 2;
  const dy = pointer.y - size.height / 2;
  return { x: view.x + dx / view.zoom - dx / zoom, y: view.y + dy / view.zoom - dy / zoom, zoom };
}

/** Moves what is seen by so many pixels. */
export function panBy(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x - dx / view.zoom, y: view.y - dy / view.zoom };
}

/** Part of the way from one view to another, as zooming by equal factors. */
export function between(from: View, to: View, part: number): View {
  const eased = part * part * (3 - 2 * part);
  const zoom = from.zoom * (to.zoom / from.zoom) ** eased;
  // The middle moves with what is seen, not with time: otherwise it would fly past what it comes from.
  const moved = from.zoom === to.zoom ? eased : (1 / from.zoom - 1 / zoom) / (1 / from.zoom - 1 / to.zoom);
  return { x: from.x + (to.x - from.x) * moved, y: from.y + (to.y - from.y) * moved, zoom };
}

import { fitted, visible } from "./visible.ts";
import "./way-graph.css";

/** One thing on a way. */
export interface WayStep {
  readonly kind: string;
  readonly name: string;
  /** Read with the name, such as how one gets there. */
  readonly how: string;
}

/** Steps from left to right. */
export interface Way {
  readonly id: string | number;
  readonly steps: readonly WayStep[];
}

const COLUMN_PX = 230;
const BOX_PX = 190;
const ROW_PX = 52;
const BOX_HEIGHT_PX = 38;
/** Latin letters that fit into a box, of its name and of the smaller line below. */
const SHOWN = 27;
const SHOWN_HOW = 31;
const MARGIN_PX = 6;

interface Box {
  readonly key: string;
  readonly step: WayStep;
  readonly column: number;
  readonly row: number;
}

/** Draws ways as one graph: what they share stands there once, and they part where they differ. */
export function WayGraph({ label, ways }: { readonly label: string; readonly ways: readonly Way[] }) {
  const { boxes, edges, columns, rows } = layOut(ways);
  const x = (column: number) => MARGIN_PX + column * COLUMN_PX;
  const y = (row: number) => MARGIN_PX + row * ROW_PX;
  return (
    <figure className="way-graph">
      <svg
        role="img"
        aria-label={label}
        width={MARGIN_PX * 2 + (columns - 1) * COLUMN_PX + BOX_PX}
        height={MARGIN_PX * 2 + (rows - 1) * ROW_PX + BOX_HEIGHT_PX}
      >
        {edges.map(([from, to]) => {
          const [x1, y1] = [x(from.column) + BOX_PX, y(from.row) + BOX_HEIGHT_PX / 2];
          const [x2, y2] = [x(to.column), y(to.row) + BOX_HEIGHT_PX / 2];
          const half = (x2 - x1) / 2;
          return (
            <path
              key={`${from.key} ${to.key}`}
              className="way-edge"
              d={`M${x1} ${y1} C${x1 + half} ${y1} ${x2 - half} ${y2} ${x2} ${y2}`}
            />
          );
        })}
        {boxes.map(({ key, step, column, row }) => (
          <g key={key} className={`way-box way-${/^[a-z-]+$/.test(step.kind) ? step.kind : "other"}`}>
            <title>{visible([step.name, step.how].filter((each) => each !== "").join(" · "), 500)}</title>
            <rect x={x(column)} y={y(row)} width={BOX_PX} height={BOX_HEIGHT_PX} rx={6} />
            <text x={x(column) + 10} y={y(row) + (step.how === "" ? 24 : 17)}>
              {fitted(step.name, SHOWN)}
            </text>
            {step.how === "" ? null : (
              <text className="way-how" x={x(column) + 10} y={y(row) + 31}>
                {fitted(step.how, SHOWN_HOW)}
              </text>
            )}
          </g>
        ))}
      </svg>
    </figure>
  );
}

function layOut(ways: readonly Way[]) {
  const boxes = new Map<string, Box>();
  const edges = new Map<string, readonly [Box, Box]>();
  const used: number[] = [];
  for (const { steps } of ways) {
    let before: Box | undefined;
    let prefix = "";
    for (const [column, step] of steps.entries()) {
      // The same thing stands there once for all ways that came to it by the same steps.
      prefix = `${prefix}\0${step.kind} ${step.name}`;
      const known = boxes.get(prefix);
      const box = known ?? { key: prefix, step, column, row: rowFor(used, column, before) };
      if (known === undefined) {
        boxes.set(prefix, box);
        used[column] = box.row + 1;
      }
      if (before !== undefined) edges.set(`${before.key} ${box.key}`, [before, box]);
      before = box;
    }
  }
  const all = [...boxes.values()];
  return {
    boxes: all,
    edges: [...edges.values()],
    columns: Math.max(1, ...all.map(({ column }) => column + 1)),
    rows: Math.max(1, ...all.map(({ row }) => row + 1)),
  };
}

/** Not above what leads to it, and below what is there: edges then never run upwards. */
function rowFor(used: readonly number[], column: number, before: Box | undefined): number {
  return Math.max(used[column] ?? 0, before?.row ?? 0);
}

import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { nameOfNode, toneOfNode } from "../../components/node-look.ts";
import { useSpeech } from "../../i18n/language.tsx";
import { Rest } from "./forest-map.tsx";
import type { Disc, Level } from "./forest-model.ts";
import type { Forest } from "./use-forest.ts";

interface Props {
  readonly forest: Forest;
  readonly search: string;
  readonly selected: number | undefined;
  readonly onSelect: (disc: Disc | undefined) => void;
}

interface Row {
  readonly disc: Disc;
  readonly depth: number;
  readonly isOpen: boolean;
}

const ROW_PX = 30;
const OVERSCAN = 10;
const INDENT_PX = 16;
/** How far Page Up and Page Down go. */
const PAGE_ROWS = 15;

const rowId = (index: number) => `base-${index}`;

/** The forest as a list: what the map shows, for the keyboard and for those who don't see the map. */
export function ForestTree({ forest, search, selected, onSelect }: Props) {
  const { t } = useSpeech();
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState(0);
  const scrolled = useRef<HTMLDivElement>(null);
  const rows = rowsOf(forest, opened, search.trim().toLowerCase());
  const current = Math.min(active, Math.max(0, rows.length - 1));
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrolled.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    initialRect: { width: 320, height: 600 },
    rangeExtractor: (range) => withRow(range, current),
  });
  const moves = useRef(false);
  useEffect(() => {
    if (!moves.current) return;
    moves.current = false;
    const element = document.getElementById(rowId(current));
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest" });
  });
  const go = (to: number) => {
    moves.current = true;
    setActive(Math.max(0, Math.min(rows.length - 1, to)));
  };
  const toggle = ({ disc, isOpen }: Row) => {
    const { node } = disc;
    if (node === undefined || node.children === 0) return;
    forest.open(disc);
    setOpened((before) => {
      const after = new Set(before);
      if (isOpen) after.delete(node.id);
      else after.add(node.id);
      return after;
    });
  };
  const shown = useRef<number>(undefined);
  const select = (disc: Disc) => {
    // The list is there already: it must not come back here when the address has followed.
    shown.current = disc.node?.id;
    onSelect(disc);
  };
  const keys = (event: KeyboardEvent) => {
    const row = rows[current];
    if (row === undefined) return;
    const act = actionOf(event.key, { row, rows, current, go, toggle, select: () => select(row.disc) });
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  // What was chosen on the map is shown in the list.
  const chosen = selected === undefined ? -1 : rows.findIndex(({ disc }) => disc.node?.id === selected);
  useEffect(() => {
    if (chosen < 0 || shown.current === selected) return;
    shown.current = selected;
    setActive(chosen);
    virtual.scrollToIndex(chosen);
  });
  return (
    <div className="forest-tree" ref={scrolled} role="tree" aria-label={t("bases.tree")}>
      <div role="none" style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]!;
          return (
            <TreeRow
              key={row.disc.node?.id ?? `rest-${row.disc.level.under?.node?.id ?? ""}`}
              row={row}
              index={index}
              count={rows.length}
              top={start}
              isActive={index === current}
              isSelected={selected !== undefined && row.disc.node?.id === selected}
              onKeyDown={keys}
              onToggle={() => toggle(row)}
              onSelect={() => {
                setActive(index);
                select(row.disc);
              }}
            />
          );
        })}
      </div>
    </div>
  );
}

/** The rows in sight and one more: the focus is never on a row that the document does not hold. */
function withRow(range: Range, row: number): number[] {
  const inSight = defaultRangeExtractor(range);
  return row >= range.count || inSight.includes(row) ? inSight : [...inSight, row].toSorted((a, b) => a - b);
}

function rowsOf(forest: Forest, opened: ReadonlySet<number>, search: string): readonly Row[] {
  const rows: Row[] = [];
  const visit = (level: Level, depth: number) => {
    for (const disc of level.discs) {
      const { node } = disc;
      if (search !== "" && depth === 0 && (node === undefined || !nameOfNode(node).toLowerCase().includes(search)))
        continue;
      const inside = node !== undefined && opened.has(node.id) ? forest.insideOf(disc) : undefined;
      rows.push({ disc, depth, isOpen: inside !== undefined });
      if (inside !== undefined) visit(inside, depth + 1);
    }
  };
  visit(forest.roots, 0);
  return rows;
}

interface Acting {
  readonly row: Row;
  readonly rows: readonly Row[];
  readonly current: number;
  readonly go: (to: number) => void;
  readonly toggle: (row: Row) => void;
  readonly select: () => void;
}

/** Keys as WAI-ARIA's practices give them for trees. */
function actionOf(key: string, { row, rows, current, go, toggle, select }: Acting): (() => void) | undefined {
  const parent = () => rows.findLastIndex((each, at) => at < current && each.depth < row.depth);
  switch (key) {
    case "ArrowDown":
      return () => go(current + 1);
    case "ArrowUp":
      return () => go(current - 1);
    case "PageDown":
      return () => go(current + PAGE_ROWS);
    case "PageUp":
      return () => go(current - PAGE_ROWS);
    case "Home":
      return () => go(0);
    case "End":
      return () => go(rows.length - 1);
    case "ArrowRight":
      return () => (row.isOpen ? go(current + 1) : toggle(row));
    case "ArrowLeft":
      return () => (row.isOpen ? toggle(row) : go(parent()));
    case "Enter":
    case " ":
      return select;
    default:
      return undefined;
  }
}

interface RowProps {
  readonly row: Row;
  readonly index: number;
  readonly count: number;
  readonly top: number;
  readonly isActive: boolean;
  readonly isSelected: boolean;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly onToggle: () => void;
  readonly onSelect: () => void;
}

function TreeRow({ row, index, count, top, isActive, isSelected, onKeyDown, onToggle, onSelect }: RowProps) {
  const { t, format } = useSpeech();
  const { disc, depth, isOpen } = row;
  const { node } = disc;
  const opens = node !== undefined && node.children > 0;
  const classes = ["forest-row", isActive ? "active" : "", isSelected ? "selected" : ""].join(" ");
  return (
    <div
      id={rowId(index)}
      role="treeitem"
      tabIndex={isActive ? 0 : -1}
      className={classes}
      aria-level={depth + 1}
      aria-posinset={index + 1}
      aria-setsize={count}
      aria-selected={isSelected}
      {...(opens ? { "aria-expanded": isOpen } : {})}
      style={{ top, height: ROW_PX, paddingInlineStart: 8 + depth * INDENT_PX }}
      onClick={onSelect}
      onKeyDown={onKeyDown}
    >
      <button
        type="button"
        className="forest-caret"
        tabIndex={-1}
        aria-hidden="true"
        onClick={(event) => {
          event.stopPropagation();
          onToggle();
        }}
      >
        {opens ? (isOpen ? "▾" : "▸") : ""}
      </button>
      {node === undefined ? (
        <span className="quiet">
          <Rest disc={disc} />
        </span>
      ) : (
        <>
          <span className={`forest-dot kind-${node.kind} tone-${toneOfNode(node)}`} aria-hidden="true" />
          <bdi className="forest-name" title={nameOfNode(node)}>
            {nameOfNode(node)}
          </bdi>
          <span className="unseen">{t(`baseKind.${node.kind}`)}</span>
          <span className="quiet number">{format.number(node.beneath)}</span>
        </>
      )}
    </div>
  );
}

import { useVirtualizer } from "@tanstack/react-virtual";
import { Button } from "antd";
import { type ReactNode, useEffect, useRef } from "react";
import type { Rows } from "../api/paged.ts";
import { useSpeech } from "../i18n/language.tsx";
import { Failure } from "./failure.tsx";
import { Waiting } from "./waiting.tsx";
import "./data-table.css";

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** Pixels; a column without takes what is left. */
  readonly width?: number;
  /** The field that the server sorts by. */
  readonly sort?: string;
  /** The server sorts by it only with the greatest first. */
  readonly greatestFirst?: boolean;
  readonly numeric?: boolean;
  readonly cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  /** Names the table to those who don't see it. */
  readonly label: string;
  readonly rows: Rows<Row>;
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string | number;
  readonly empty: ReactNode;
  /** `field`, or `-field` for the greatest first. */
  readonly sort?: string | undefined;
  readonly onSort?: (sort: string) => void;
  readonly rowHeight?: number;
  /** Fills the height of the page and scrolls inside; otherwise it is as high as its rows, up to a bound. */
  readonly fill?: boolean;
}

const ROW_HEIGHT_PX = 38;
const LEAST_COLUMN_PX = 170;
/** Rows drawn beyond what is seen. */
const OVERSCAN = 12;
/** The next page is asked for when so few rows are left below. */
const AHEAD_ROWS = 60;

/** A table of any length: only rows in sight are in the document, further pages are read as one scrolls. */
export function DataTable<Row>(props: Props<Row>) {
  const { rows, empty } = props;
  if (rows.loading) return <Waiting />;
  if (rows.error !== null && rows.items.length === 0) return <Failure error={rows.error} retry={rows.retry} />;
  if (rows.items.length === 0) return empty;
  return <Filled {...props} />;
}

function Filled<Row>({
  label,
  rows,
  columns,
  rowKey,
  sort,
  onSort,
  rowHeight = ROW_HEIGHT_PX,
  fill = false,
}: Props<Row>) {
  const scrolled = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.items.length,
    getScrollElement: () => scrolled.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
    initialRect: { width: 1_000, height: 600 },
  });
  const seen = virtual.getVirtualItems();
  const last = seen.at(-1)?.index ?? 0;
  const { loadMore, hasMore } = rows;
  useEffect(() => {
    if (hasMore && last >= rows.items.length - AHEAD_ROWS) loadMore();
  }, [hasMore, last, rows.items.length, loadMore]);
  const above = seen[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (seen.at(-1)?.end ?? 0);
  return (
    <div
      className={`table-frame${fill ? " table-fill" : ""}${rows.stale ? " table-stale" : ""}`}
      aria-busy={rows.stale}
    >
      <div className="table-scroll" ref={scrolled}>
        <table
          className="data-table"
          style={{ minWidth: leastWidth(columns) }}
          aria-label={label}
          aria-rowcount={rows.total ?? rows.items.length}
        >
          <colgroup>
            {columns.map((column) => (
              <col key={column.key} {...(column.width === undefined ? {} : { width: column.width })} />
            ))}
          </colgroup>
          <thead>
            <tr>
              {columns.map((column) => (
                <Heading key={column.key} column={column} sort={sort} onSort={onSort} />
              ))}
            </tr>
          </thead>
          <tbody>
            <Spacer height={above} />
            {seen.map(({ index }) => {
              const row = rows.items[index]!;
              return (
                <tr key={rowKey(row)} aria-rowindex={index + 2} style={{ height: rowHeight }}>
                  {columns.map((column) => (
                    <td key={column.key} className={column.numeric ? "numeric" : undefined}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              );
            })}
            <Spacer height={below} />
          </tbody>
        </table>
      </div>
      <Footer rows={rows} />
    </div>
  );
}

/** Narrower than this a table is scrolled: a column that takes what is left has to be left something. */
function leastWidth<Row>(columns: readonly Column<Row>[]): number {
  return columns.reduce((sum, { width = LEAST_COLUMN_PX }) => sum + width, 0);
}

function Spacer({ height }: { readonly height: number }) {
  return height <= 0 ? null : <tr className="spacer" style={{ height }} />;
}

interface HeadingProps<Row> {
  readonly column: Column<Row>;
  readonly sort: string | undefined;
  readonly onSort: ((sort: string) => void) | undefined;
}

function Heading<Row>({ column, sort, onSort }: HeadingProps<Row>) {
  const className = column.numeric ? "numeric" : undefined;
  const field = column.sort;
  if (field === undefined || onSort === undefined) return <th className={className}>{column.title}</th>;
  const direction = sort === field ? "ascending" : sort === `-${field}` ? "descending" : "none";
  const next = direction !== "descending" ? `-${field}` : column.greatestFirst ? "" : field;
  const mark = direction === "ascending" ? "↑" : direction === "descending" ? "↓" : "";
  return (
    <th className={className} aria-sort={direction}>
      <button type="button" className="sort" onClick={() => onSort(next)}>
        {column.title}
        <span aria-hidden="true">{mark}</span>
      </button>
    </th>
  );
}

function Footer<Row>({ rows }: { readonly rows: Rows<Row> }) {
  const { t } = useSpeech();
  const shown = rows.items.length;
  const text =
    rows.total === undefined || rows.total === shown
      ? t(rows.hasMore ? "table.shownMore" : "table.shown", { n: shown })
      : t("table.shownOf", { n: shown, total: rows.total });
  return (
    <div className="table-footer">
      <span role="status">{rows.loadingMore ? t("table.loading") : text}</span>
      {rows.error === null ? null : (
        <Button size="small" onClick={rows.retry}>
          {t("retry")}
        </Button>
      )}
    </div>
  );
}

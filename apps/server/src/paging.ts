import { type TSchema, Type } from "typebox";
import { ServerError } from "./errors.ts";
import { List } from "./list.ts";

export const DEFAULT_PAGE = 50;
const MAX_PAGE = 500;
const MAX_CURSOR = 1_000;

/** Query of every list. */
export const PageQuery = {
  cursor: Type.Optional(Type.String({ maxLength: MAX_CURSOR, description: "`next` of the page before" })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE })),
};

/** One page of a list. `next` is there when there is more; `total` where counting is cheap. */
export function PageOf<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: List(item),
    next: Type.Optional(Type.String()),
    total: Type.Optional(Type.Integer()),
  });
}

/** Where a page begins: the sort keys of the last row of the page before. */
export type CursorKeys = readonly (string | number)[];

/** @example encodeCursor([image.risk, image.id]) */
export function encodeCursor(keys: CursorKeys): string {
  return Buffer.from(JSON.stringify(keys)).toString("base64url");
}

/**
 * Reads a cursor back.
 *
 * @param kinds what its keys are, in order
 * @throws ServerError `INVALID_REQUEST`
 */
export function decodeCursor(cursor: string | undefined, kinds: readonly KeyKind[]): CursorKeys | undefined {
  if (cursor === undefined) return undefined;
  const keys = parse(cursor);
  const fits = Array.isArray(keys) && keys.length === kinds.length && keys.every((key, i) => isKey(key, kinds[i]));
  if (fits) return keys;
  throw new ServerError("INVALID_REQUEST", "the cursor is none of this list's", "start again without a cursor");
}

/** What a cursor's key is; an id is an `integer`, which no other number may stand in for. */
type KeyKind = "string" | "number" | "integer";

function isKey(key: unknown, kind: KeyKind | undefined): boolean {
  if (kind === "integer") return Number.isSafeInteger(key);
  if (kind === "number") return Number.isFinite(key);
  return typeof key === "string" && key.isWellFormed() && !key.includes("\0");
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Makes a page of one row more than was asked for. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keysOf: (row: Row) => CursorKeys,
  itemOf: (row: Row) => Item,
): { readonly items: Item[]; readonly next?: string } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? { next: encodeCursor(keysOf(last)) } : {};
  return { items: shown.map(itemOf), ...next };
}

/** Id of the last row of the page before, of lists that are ordered by id alone. */
export function idOfCursor(cursor: string | undefined): number | undefined {
  return decodeCursor(cursor, ["integer"])?.[0] as number | undefined;
}

/** Makes a page of one row more than was asked for, of a list that is ordered by id alone and shows its rows as they are. */
export function pageById<Row extends { readonly id: number }>(rows: readonly Row[], limit: number) {
  return pageOf(
    rows,
    limit,
    ({ id }) => [id],
    (row) => row,
  );
}

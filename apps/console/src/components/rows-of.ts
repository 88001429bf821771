import type { Rows } from "../api/paged.ts";

/** Rows that are all there, for tables of what came within another answer. */
export function rowsOf<Item>(items: readonly Item[]): Rows<Item> {
  const nothing = () => undefined;
  return {
    items,
    total: items.length,
    loading: false,
    loadingMore: false,
    error: null,
    stale: false,
    hasMore: false,
    loadMore: nothing,
    retry: nothing,
  };
}

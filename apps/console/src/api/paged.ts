import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Page } from "./contract.ts";

/** Rows of a list that is read page by page as one scrolls. */
export interface Rows<Item> {
  readonly items: readonly Item[];
  readonly total: number | undefined;
  readonly loading: boolean;
  readonly loadingMore: boolean;
  readonly error: Error | null;
  /** These are the rows of the filters before; those of the new ones are on their way. */
  readonly stale: boolean;
  readonly hasMore: boolean;
  readonly loadMore: () => void;
  readonly retry: () => void;
}

/** Rows per request: few enough to answer at once, many enough that scrolling rarely waits. */
const PAGE_ROWS = 200;

/**
 * Reads a list page by page.
 *
 * @param key what makes the list another one: noun, then filters
 * @param read one page
 * @param enabled false while it must not be read, such as for want of the scope
 */
export function usePaged<Item>(
  key: readonly unknown[],
  read: (cursor: string | undefined) => Promise<Page<Item>>,
  enabled = true,
): Rows<Item> {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    enabled,
  });
  const items = useMemo(() => (query.data?.pages ?? []).flatMap((page) => page.items), [query.data]);
  return {
    items,
    total: query.data?.pages[0]?.total,
    loading: query.isPending,
    loadingMore: query.isFetchingNextPage,
    error: query.error,
    stale: query.isPlaceholderData,
    hasMore: query.hasNextPage,
    loadMore: () => {
      if (query.hasNextPage && !query.isFetching && !query.isFetchNextPageError) void query.fetchNextPage();
    },
    retry: () => void (query.isFetchNextPageError ? query.fetchNextPage() : query.refetch()),
  };
}

/** Query parameters of one page. */
export function pageQuery<Filters extends object>(
  filters: Filters,
  cursor: string | undefined,
): Filters & { limit: number } {
  return { ...filters, limit: PAGE_ROWS, ...(cursor === undefined ? {} : { cursor }) };
}

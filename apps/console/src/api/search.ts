import {
  type InfiniteData,
  keepPreviousData,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
  useQuery,
} from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { Image, SearchQuery, SearchResult } from "./contract.ts";
import { pageQuery, type Rows, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

/** Emergency search, its images page by page: a question without an answer yet is not asked. */
export function useSearch(query: SearchQuery) {
  const pages = useInfiniteQuery({
    queryKey: ["search", query],
    queryFn: ({ pageParam }) =>
      answer(api.POST("/api/v1/search", { body: { ...query, ...(pageParam === "" ? {} : { cursor: pageParam }) } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    enabled: Object.keys(query).length > 0,
    placeholderData: keepPreviousData,
  });
  return { ...pages, data: pages.data?.pages[0], images: imagesOf(pages) };
}

type Pages = UseInfiniteQueryResult<InfiniteData<SearchResult>>;

function imagesOf(pages: Pages): Rows<Image> {
  return {
    items: pages.data?.pages.flatMap(({ images }) => images) ?? [],
    total: pages.data?.pages[0]?.summary.images,
    loading: pages.isPending,
    loadingMore: pages.isFetchingNextPage,
    error: pages.error,
    stale: pages.isPlaceholderData,
    hasMore: pages.hasNextPage,
    loadMore: () => {
      if (pages.hasNextPage && !pages.isFetching && !pages.isFetchNextPageError) void pages.fetchNextPage();
    },
    retry: () => void (pages.isFetchNextPageError ? pages.fetchNextPage() : pages.refetch()),
  };
}

export function useCases() {
  return usePaged(["cases"], (cursor) =>
    answer(api.GET("/api/v1/cases", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useCase(id: number) {
  return useQuery({
    queryKey: ["cases", id],
    queryFn: () => answer(api.GET("/api/v1/cases/{id}", { params: { path: { id } } })),
  });
}

export function useCaseCurve(id: number) {
  return useQuery({
    queryKey: ["cases", id, "curve"],
    queryFn: () => answer(api.GET("/api/v1/cases/{id}/curve", { params: { path: { id } } })),
  });
}

export function useOpenCase() {
  return useSend(
    (body: { readonly title: string; readonly query: SearchQuery }) => answer(api.POST("/api/v1/cases", { body })),
    ["cases"],
  );
}

export function useChangeCase() {
  return useSend(
    ({ id, ...body }: { readonly id: number; readonly title: string; readonly note: string }) =>
      answer(api.PATCH("/api/v1/cases/{id}", { params: { path: { id } }, body })),
    ["cases"],
  );
}

export function useCaseImages(id: number) {
  return usePaged(["cases", id, "images"], () =>
    answer(api.GET("/api/v1/cases/{id}/images", { params: { path: { id } } })),
  );
}

export function caseExportAddress(id: number): string {
  return `/api/v1/cases/${id}/export`;
}

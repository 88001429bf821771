import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { ExportSettings } from "./contract.ts";
import { useSend } from "./send.ts";

/** Progress moves without anybody's doing. */
const LOOK_EVERY_MS = 5_000;
const at = (id: number) => ({ params: { path: { id } } });

export function useExports() {
  const query = useQuery({
    queryKey: ["exports"],
    queryFn: () => answer(api.GET("/api/v1/exports")),
    refetchInterval: LOOK_EVERY_MS,
  });
  return {
    ...{ items: query.data?.items ?? [], total: query.data?.items.length, loading: query.isPending },
    ...{ loadingMore: false, error: query.error, stale: false, hasMore: false, loadMore: () => {} },
    retry: () => void query.refetch(),
  };
}

export function usePutExport() {
  return useSend((body: ExportSettings) => answer(api.PUT("/api/v1/exports", { body })), ["exports"]);
}

export function useRemoveExport() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/exports/{id}", at(id))), ["exports"]);
}

export function useTestExport() {
  return useSend((id: number) => answer(api.POST("/api/v1/exports/{id}/test", at(id))), ["exports"]);
}

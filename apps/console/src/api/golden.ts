import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { GoldenEnd, GoldenFilters, GoldenPublication, NewGolden } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const CHANGED = ["golden", "rebuilds"] as const;
const at = (id: number) => ({ params: { path: { id } } });

export function useGoldenImages(filters: GoldenFilters) {
  return usePaged(["golden", "list", filters], (cursor) =>
    answer(api.GET("/api/v1/golden", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useGolden(id: number) {
  return useQuery({ queryKey: ["golden", id], queryFn: () => answer(api.GET("/api/v1/golden/{id}", at(id))) });
}

export function useGoldenDiff(id: number, version: number) {
  return useQuery({
    queryKey: ["golden", id, "diff", version],
    queryFn: () => answer(api.GET("/api/v1/golden/{id}/diff", { params: { path: { id }, query: { version } } })),
  });
}

export function useProposeGolden() {
  return useSend((body: NewGolden) => answer(api.POST("/api/v1/golden", { body })), CHANGED);
}

export function useApproveGolden(id: number) {
  return useSend(() => answer(api.POST("/api/v1/golden/{id}/approve", at(id))), CHANGED);
}

export function usePublishGolden(id: number) {
  return useSend(
    (body: GoldenPublication) => answer(api.POST("/api/v1/golden/{id}/publish", { ...at(id), body })),
    CHANGED,
  );
}

export function useDeprecateGolden(id: number) {
  return useSend((body: GoldenEnd) => answer(api.POST("/api/v1/golden/{id}/deprecate", { ...at(id), body })), CHANGED);
}

export function useRevokeGolden(id: number) {
  return useSend((body: GoldenEnd) => answer(api.POST("/api/v1/golden/{id}/revoke", { ...at(id), body })), CHANGED);
}

export function useWithdrawGolden(id: number) {
  return useSend(() => answer(api.DELETE("/api/v1/golden/{id}", at(id))), CHANGED);
}

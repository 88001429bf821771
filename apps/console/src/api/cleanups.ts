import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { CleanupChoice, NewHold } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

/** The most that the server lists; the largest come first. */
export const MAX_UNUSED = 500;
const at = (id: number) => ({ params: { path: { id } } });

export function useUnused(days: number) {
  return useQuery({
    queryKey: ["unused", days],
    queryFn: () => answer(api.GET("/api/v1/unused", { params: { query: { days, limit: MAX_UNUSED } } })),
  });
}

export function useCleanups() {
  return usePaged(["cleanups"], (cursor) =>
    answer(api.GET("/api/v1/cleanups", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useCleanupItems(id: number) {
  return usePaged(["cleanups", id], (cursor) =>
    answer(api.GET("/api/v1/cleanups/{id}/items", { params: { path: { id }, query: pageQuery({}, cursor) } })),
  );
}

export function useProposeCleanup() {
  return useSend((body: CleanupChoice) => answer(api.POST("/api/v1/cleanups", { body })), ["cleanups"]);
}

export function useApproveCleanup() {
  return useSend((id: number) => answer(api.POST("/api/v1/cleanups/{id}/approve", at(id))), ["cleanups", "jobs"]);
}

export function useRefuseCleanup() {
  return useSend((id: number) => answer(api.POST("/api/v1/cleanups/{id}/refuse", at(id))), ["cleanups"]);
}

export function useRestoreItem() {
  return useSend((id: number) => answer(api.POST("/api/v1/cleanup-items/{id}/restore", at(id))), ["cleanups"]);
}

/** Where the browser downloads the manifests of what was deleted. */
export function manifestsAddress(id: number): string {
  return `/api/v1/cleanup-items/${id}/manifests`;
}

export function useHolds() {
  return useQuery({ queryKey: ["holds"], queryFn: () => answer(api.GET("/api/v1/cleanup-holds")) });
}

export function useAddHold() {
  return useSend((body: NewHold) => answer(api.POST("/api/v1/cleanup-holds", { body })), ["holds", "unused"]);
}

export function useRemoveHold() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/cleanup-holds/{id}", at(id))), ["holds", "unused"]);
}

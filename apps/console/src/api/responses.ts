import { answer, api } from "./client.ts";
import type { AutomaticSettings, ResponseFilters, ResponseRequest } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });
const CHANGED = ["responses", "alerts"] as const;

export function useResponses(filters: ResponseFilters, enabled = true) {
  return usePaged(
    ["responses", "list", filters],
    (cursor) => answer(api.GET("/api/v1/responses", { params: { query: pageQuery(filters, cursor) } })),
    enabled,
  );
}

export function useAskResponse() {
  return useSend((body: ResponseRequest) => answer(api.POST("/api/v1/responses", { body })), CHANGED);
}

export function useApproveResponse() {
  return useSend((id: number) => answer(api.POST("/api/v1/responses/{id}/approve", at(id))), CHANGED);
}

export function useRefuseResponse() {
  return useSend((id: number) => answer(api.POST("/api/v1/responses/{id}/refuse", at(id))), CHANGED);
}

export function useUndoResponse() {
  return useSend((id: number) => answer(api.POST("/api/v1/responses/{id}/undo", at(id))), CHANGED);
}

/** Where the browser downloads a piece of evidence. */
export function evidenceAddress(id: number): string {
  return `/api/v1/evidence/${id}`;
}

export function useAutomaticResponses() {
  return usePaged(["automatic-responses"], async () => {
    const { items } = await answer(api.GET("/api/v1/automatic-responses"));
    return { items, total: items.length };
  });
}

export function usePutAutomaticResponse() {
  return useSend(
    (body: AutomaticSettings) => answer(api.PUT("/api/v1/automatic-responses", { body })),
    ["automatic-responses"],
  );
}

export function useRemoveAutomaticResponse() {
  return useSend(
    (id: number) => answer(api.DELETE("/api/v1/automatic-responses/{id}", at(id))),
    ["automatic-responses"],
  );
}

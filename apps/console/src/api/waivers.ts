import { answer, api } from "./client.ts";
import type { NewWaiver } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const CHANGED = ["waivers", "risks", "overview", "images"] as const;
const at = (id: number) => ({ params: { path: { id } } });

export interface WaiverFilters {
  readonly finding?: string;
  readonly waiting?: boolean;
}

export function useWaivers(filters: WaiverFilters) {
  return usePaged(["waivers", filters], (cursor) =>
    answer(api.GET("/api/v1/waivers", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useAskWaiver() {
  return useSend((body: NewWaiver) => answer(api.POST("/api/v1/waivers", { body })), CHANGED);
}

export function useApproveWaiver() {
  return useSend((id: number) => answer(api.POST("/api/v1/waivers/{id}/approve", at(id))), CHANGED);
}

export function useDeleteWaiver() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/waivers/{id}", at(id))), CHANGED);
}

import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { AlertAllowance, AlertChange, AlertFilters } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import type { Story } from "./runtime-facts.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });
const CHANGED = ["alerts", "containers"] as const;

export function useAlerts(filters: AlertFilters) {
  return usePaged(["alerts", "list", filters], (cursor) =>
    answer(api.GET("/api/v1/alerts", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useAlert(id: number) {
  return useQuery({ queryKey: ["alerts", id], queryFn: () => answer(api.GET("/api/v1/alerts/{id}", at(id))) });
}

export function useAlertCounts(enabled = true) {
  return useQuery({
    queryKey: ["alerts", "counts"],
    queryFn: () => answer(api.GET("/api/v1/alert-counts")),
    enabled,
  });
}

export function useChangeAlert(id: number) {
  return useSend((body: AlertChange) => answer(api.PATCH("/api/v1/alerts/{id}", { ...at(id), body })), CHANGED);
}

export function useAllowAlert(id: number) {
  return useSend(
    (body: AlertAllowance) => answer(api.POST("/api/v1/alerts/{id}/allow", { ...at(id), body })),
    [...CHANGED, "allow-entries"],
  );
}

/** What happened around an alert. The API leaves its shape to `packages/detect`, whose document it is. */
export function useStory(id: number) {
  return useQuery({
    queryKey: ["alerts", id, "story"],
    queryFn: async () => (await answer(api.GET("/api/v1/alerts/{id}/story", at(id)))) as Story,
  });
}

/** Where the browser downloads an alert's story. */
export function storyAddress(id: number, format: "json" | "html" | "text"): string {
  return `/api/v1/alerts/${id}/story?format=${format}`;
}

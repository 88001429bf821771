import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { RuntimeEventFilters } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import type { EventDetail } from "./runtime-facts.ts";
import { useSend } from "./send.ts";

export function useRuntimeEvents(filters: RuntimeEventFilters) {
  return usePaged(["runtime-events", "list", filters], (cursor) =>
    answer(api.GET("/api/v1/runtime-events", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useRuntimeEvent(id: string) {
  return useQuery({
    queryKey: ["runtime-events", id],
    queryFn: async () =>
      (await answer(api.GET("/api/v1/runtime-events/{id}", { params: { path: { id } } }))) as EventDetail,
  });
}

/** How long events are kept. */
export function useRuntimeRetention() {
  return useQuery({ queryKey: ["runtime-retention"], queryFn: () => answer(api.GET("/api/v1/runtime-retention")) });
}

export function useSetRuntimeRetention() {
  return useSend(
    (days: number | null) => answer(api.PUT("/api/v1/runtime-retention", { body: days === null ? {} : { days } })),
    ["runtime-retention"],
  );
}

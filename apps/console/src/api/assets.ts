import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { ContainerFilters, ListenerKind } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";

interface PlaceFilters {
  readonly text?: string;
  readonly nodeId?: number;
  /** The runtime's id. */
  readonly container?: string;
}

export function useAssetCounts(enabled = true) {
  return useQuery({ queryKey: ["assets"], queryFn: () => answer(api.GET("/api/v1/assets")), enabled });
}

export function useContainers(filters: ContainerFilters) {
  return usePaged(["containers", "list", filters], (cursor) =>
    answer(api.GET("/api/v1/containers", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useContainer(id: number) {
  return useQuery({
    queryKey: ["containers", id],
    queryFn: () => answer(api.GET("/api/v1/containers/{id}", { params: { path: { id } } })),
  });
}

/** The container of a place that an alert or an event names; null for one that was never told of. */
export function usePlacedContainer(nodeId: number, runtimeId: string) {
  return useQuery({
    queryKey: ["containers", "placed", nodeId, runtimeId],
    queryFn: async () => {
      const query = { nodeId, text: runtimeId, limit: 10 };
      const { items } = await answer(api.GET("/api/v1/containers", { params: { query } }));
      return items.find((container) => container.runtimeId === runtimeId) ?? null;
    },
    enabled: runtimeId !== "",
  });
}

export function usePrograms(filters: PlaceFilters) {
  return usePaged(["containers", "programs", filters], (cursor) =>
    answer(api.GET("/api/v1/programs", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useListeners(filters: PlaceFilters & { readonly kind?: ListenerKind }) {
  return usePaged(["containers", "listeners", filters], (cursor) =>
    answer(api.GET("/api/v1/listeners", { params: { query: pageQuery(filters, cursor) } })),
  );
}

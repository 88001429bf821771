import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { ImpactCause, NewCluster, PathFilters, PodFilters, WorkloadFilters } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });
const CHANGED = ["clusters"] as const;

export function useClusters(filters: { text?: string }) {
  return usePaged(["clusters", "list", filters], (cursor) =>
    answer(api.GET("/api/v1/clusters", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useCluster(id: number) {
  return useQuery({ queryKey: ["clusters", id], queryFn: () => answer(api.GET("/api/v1/clusters/{id}", at(id))) });
}

export function useClusterKinds(id: number) {
  return useQuery({
    queryKey: ["clusters", id, "kinds"],
    queryFn: () => answer(api.GET("/api/v1/clusters/{id}/kinds", at(id))),
  });
}

export function useInviteCluster() {
  return useSend((body: NewCluster) => answer(api.POST("/api/v1/clusters", { body })), CHANGED);
}

export function useRemoveCluster() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/clusters/{id}", at(id))), CHANGED);
}

export function useWorkloads(filters: WorkloadFilters) {
  return usePaged(["clusters", "workloads", filters], (cursor) =>
    answer(api.GET("/api/v1/workloads", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useWorkload(id: number) {
  return useQuery({
    queryKey: ["clusters", "workload", id],
    queryFn: () => answer(api.GET("/api/v1/workloads/{id}", at(id))),
  });
}

export function usePods(filters: PodFilters) {
  return usePaged(["clusters", "pods", filters], (cursor) =>
    answer(api.GET("/api/v1/pods", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useAttackPaths(filters: PathFilters) {
  return useQuery({
    queryKey: ["clusters", "paths", filters],
    queryFn: () => answer(api.GET("/api/v1/attack-paths", { params: { query: filters } })),
  });
}

export function useImpact(cause: ImpactCause, id: string) {
  return useQuery({
    queryKey: ["clusters", "impact", cause, id],
    queryFn: () => answer(api.GET("/api/v1/impact", { params: { query: { cause, id } } })),
    enabled: id !== "",
  });
}

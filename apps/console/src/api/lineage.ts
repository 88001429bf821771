import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { LineageNode, Page, PlanMeasure, PlanQuery, RebuildFilters } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

/** The most that the server gives at once: a forest has tens of thousands of roots. */
const NODES_PER_PAGE = 500;
/** Plans and simulations read the whole forest: what was asked lately is not asked again. */
const PLAN_STALE_MS = 60_000;

export interface NodesAsked {
  /** What stands right on this node; without it, what stands on nothing. */
  readonly under?: number;
  /** Leaves out what carries fewer images. */
  readonly least: number;
  readonly cursor?: string;
}

/** One page of nodes; those that carry the most come first. */
export function readNodes(asked: NodesAsked): Promise<Page<LineageNode>> {
  return answer(api.GET("/api/v1/lineage/nodes", { params: { query: { ...asked, limit: NODES_PER_PAGE } } }));
}

export function useLineageNode(id: number | undefined) {
  return useQuery({
    queryKey: ["lineage", "node", id],
    queryFn: () => answer(api.GET("/api/v1/lineage/nodes/{id}", { params: { path: { id: id ?? 0 } } })),
    enabled: id !== undefined,
  });
}

export function useImagesOnNode(id: number) {
  return usePaged(["lineage", "images", id], (cursor) =>
    answer(api.GET("/api/v1/lineage/nodes/{id}/images", { params: { path: { id }, query: pageQuery({}, cursor) } })),
  );
}

export function useImageBases(digest: string) {
  return useQuery({
    queryKey: ["lineage", "bases", digest],
    queryFn: () => answer(api.GET("/api/v1/images/{digest}/bases", { params: { path: { digest } } })),
  });
}

export function useSpread() {
  return useQuery({ queryKey: ["lineage", "spread"], queryFn: () => answer(api.GET("/api/v1/lineage/spread")) });
}

export function useMeasureSpread() {
  return useSend(() => answer(api.POST("/api/v1/lineage/spread")), ["lineage"]);
}

/** Where the browser downloads the curve of coverage. */
export const SPREAD_CSV = "/api/v1/lineage/spread.csv";

export function usePlan(query: PlanQuery) {
  return useQuery({
    queryKey: ["lineage", "plan", query],
    queryFn: () => answer(api.GET("/api/v1/lineage/plan", { params: { query } })),
    staleTime: PLAN_STALE_MS,
  });
}

interface Move {
  readonly from: number;
  readonly onto: number;
  readonly measure: PlanMeasure;
}

export function useSimulation({ from, onto, measure }: Partial<Move>) {
  return useQuery({
    queryKey: ["lineage", "move", from, onto, measure],
    queryFn: () =>
      answer(
        api.GET("/api/v1/lineage/simulate", {
          params: { query: { from: from ?? 0, onto: onto ?? 0, ...(measure === undefined ? {} : { measure }) } },
        }),
      ),
    enabled: from !== undefined && onto !== undefined && from !== onto,
    staleTime: PLAN_STALE_MS,
  });
}

export function useRebuilds(filters: RebuildFilters) {
  return usePaged(["rebuilds", filters], (cursor) =>
    answer(api.GET("/api/v1/rebuilds", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useCancelRebuild() {
  return useSend(
    (id: number) => answer(api.DELETE("/api/v1/rebuilds/{id}", { params: { path: { id } } })),
    ["rebuilds"],
  );
}

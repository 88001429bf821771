import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { RiskFilters } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const CHANGED = ["risks", "overview"] as const;
const at = (id: number) => ({ params: { path: { id } } });

export function useRisks(filters: RiskFilters) {
  return usePaged(["risks", "list", filters], (cursor) =>
    answer(api.GET("/api/v1/risks", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useRisk(id: number) {
  return useQuery({ queryKey: ["risks", id], queryFn: () => answer(api.GET("/api/v1/risks/{id}", at(id))) });
}

export function useRiskMeasures() {
  return useQuery({ queryKey: ["risks", "measures"], queryFn: () => answer(api.GET("/api/v1/risks/measures")) });
}

export function useOverview() {
  return useQuery({ queryKey: ["overview"], queryFn: () => answer(api.GET("/api/v1/overview")) });
}

export function useAssignRisk(id: number) {
  return useSend(
    (body: { accountId: number }) => answer(api.POST("/api/v1/risks/{id}/assign", { ...at(id), body })),
    CHANGED,
  );
}

export function useStartRisk(id: number) {
  return useSend(() => answer(api.POST("/api/v1/risks/{id}/start", at(id))), CHANGED);
}

export function useAcceptRisk(id: number) {
  return useSend(
    (body: { reason: string; until: string }) => answer(api.POST("/api/v1/risks/{id}/accept", { ...at(id), body })),
    CHANGED,
  );
}

export function useApproveRisk(id: number) {
  return useSend(() => answer(api.POST("/api/v1/risks/{id}/approve", at(id))), CHANGED);
}

export function useRefuseRisk(id: number) {
  return useSend(() => answer(api.POST("/api/v1/risks/{id}/refuse", at(id))), CHANGED);
}

export function useCommentRisk(id: number) {
  return useSend(
    (body: { text: string }) => answer(api.POST("/api/v1/risks/{id}/comment", { ...at(id), body })),
    CHANGED,
  );
}

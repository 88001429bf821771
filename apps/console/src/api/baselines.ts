import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { NewBaseline } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const CHANGED = ["admission"] as const;
const at = (id: number) => ({ params: { path: { id } } });

export function useBaselines() {
  return usePaged(["admission", "baselines"], (cursor) =>
    answer(api.GET("/api/v1/admission/baselines", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useBaseline(id: number) {
  return useQuery({
    queryKey: ["admission", "baselines", id],
    queryFn: () => answer(api.GET("/api/v1/admission/baselines/{id}", at(id))),
  });
}

export function useProposal(id: number) {
  return useQuery({
    queryKey: ["admission", "baselines", id, "proposal"],
    queryFn: () => answer(api.GET("/api/v1/admission/baselines/{id}/proposal", at(id))),
  });
}

export function useLearnBaseline() {
  return useSend((body: NewBaseline) => answer(api.POST("/api/v1/admission/baselines", { body })), CHANGED);
}

export function useEndLearning() {
  return useSend((id: number) => answer(api.POST("/api/v1/admission/baselines/{id}/propose", at(id))), CHANGED);
}

export function useActivateBaseline() {
  return useSend(
    ({ id, enforce }: { readonly id: number; readonly enforce: string[] }) =>
      answer(api.POST("/api/v1/admission/baselines/{id}/activate", { ...at(id), body: { enforce } })),
    CHANGED,
  );
}

export function useRetireBaseline() {
  return useSend((id: number) => answer(api.POST("/api/v1/admission/baselines/{id}/retire", at(id))), CHANGED);
}

import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type { NewEnrolmentToken } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });

export function useNodes(filters: { readonly text?: string } = {}) {
  return usePaged(["nodes", "list", filters], (cursor) =>
    answer(api.GET("/api/v1/nodes", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useNode(id: number) {
  return useQuery({ queryKey: ["nodes", id], queryFn: () => answer(api.GET("/api/v1/nodes/{id}", at(id))) });
}

export function useRemoveNode() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/nodes/{id}", at(id))), ["nodes", "assets", "containers"]);
}

export function useEnrolmentTokens() {
  return usePaged(["enrolment-tokens"], async () => {
    const { items } = await answer(api.GET("/api/v1/enrolment-tokens"));
    return { items, total: items.length };
  });
}

export function useAddEnrolmentToken() {
  return useSend(
    (body: NewEnrolmentToken) => answer(api.POST("/api/v1/enrolment-tokens", { body })),
    ["enrolment-tokens"],
  );
}

export function useRemoveEnrolmentToken() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/enrolment-tokens/{id}", at(id))), ["enrolment-tokens"]);
}

import { answer, api } from "./client.ts";
import type { JobState, RegistrySettings } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });

export function useRegistries() {
  return usePaged(["registries"], (cursor) =>
    answer(api.GET("/api/v1/registries", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useConnectRegistry() {
  return useSend((body: RegistrySettings) => answer(api.POST("/api/v1/registries", { body })), ["registries"]);
}

export function useChangeRegistry() {
  return useSend(
    ({ id, ...body }: Partial<RegistrySettings> & { readonly id: number }) =>
      answer(api.PATCH("/api/v1/registries/{id}", { ...at(id), body })),
    ["registries"],
  );
}

export function useTestRegistry() {
  return useSend((id: number) => answer(api.POST("/api/v1/registries/{id}/test", at(id))), ["registries"]);
}

export function useSyncRegistry() {
  return useSend((id: number) => answer(api.POST("/api/v1/registries/{id}/sync", at(id))), ["registries", "jobs"]);
}

export function useDeleteRegistry() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/registries/{id}", at(id))), ["registries"]);
}

export function useJobs(filters: { readonly state?: JobState; readonly kind?: string }) {
  return usePaged(["jobs", filters], (cursor) =>
    answer(api.GET("/api/v1/jobs", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useDeadLetters() {
  return usePaged(["jobs", "dead"], (cursor) =>
    answer(api.GET("/api/v1/jobs/dead", { params: { query: pageQuery({}, cursor) } })),
  );
}

export type JobAction = "pause" | "resume" | "cancel" | "retry";

export function useSteerJob() {
  return useSend(
    ({ id, action }: { readonly id: number; readonly action: JobAction }) =>
      answer(api.POST(`/api/v1/jobs/{id}/${action}`, at(id))),
    ["jobs"],
  );
}

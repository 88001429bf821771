import { answer, api } from "./client.ts";
import type { JobState, RegistrySettings, Task } from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });

export function useRegistries() {
  return usePaged(["registries"], () => answer(api.GET("/api/v1/registries")));
}

/** Keeps a registry and begins to synchronise it. */
export function useConnectRegistry() {
  return useSend((body: RegistrySettings) => answer(api.POST("/api/v1/registries", { body })), ["registries", "jobs"]);
}

/** Tries settings without keeping them. */
export function useTestRegistry() {
  return useSend((body: RegistrySettings) => answer(api.POST("/api/v1/registries/test", { body })), []);
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

export function useTasks(job: number, filters: { readonly state?: Task["state"] }) {
  return usePaged(["jobs", job, "tasks", filters], (cursor) =>
    answer(api.GET("/api/v1/jobs/{id}/tasks", { params: { path: { id: job }, query: pageQuery(filters, cursor) } })),
  );
}

export function useGivenUp() {
  return usePaged(["jobs", "given-up"], (cursor) =>
    answer(api.GET("/api/v1/tasks/failed", { params: { query: pageQuery({}, cursor) } })),
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

import { answer, api } from "./client.ts";
import type { JobState, NewSchedule, RegistryChange, RegistrySettings, RepositoryFilters, Task } from "./contract.ts";
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

export function useChangeRegistry() {
  return useSend(
    ({ id, ...body }: RegistryChange & { readonly id: number }) =>
      answer(api.PATCH("/api/v1/registries/{id}", { ...at(id), body })),
    ["registries"],
  );
}

/** The address that a registry is to call; it is told this once. */
export function useMakeWebhook() {
  return useSend((id: number) => answer(api.POST("/api/v1/registries/{id}/webhook", at(id))), ["registries"]);
}

export function useRepositories(filters: RepositoryFilters) {
  return usePaged(["repositories", filters], (cursor) =>
    answer(api.GET("/api/v1/repositories", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export interface RepositoryChange {
  readonly id: number;
  readonly ownerId?: number | null;
  readonly grade?: string | null;
}

export function useChangeRepository() {
  return useSend(
    ({ id, ...body }: RepositoryChange) => answer(api.PATCH("/api/v1/repositories/{id}", { ...at(id), body })),
    ["repositories", "images", "image", "risks"],
  );
}

export function useDeleteRegistry() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/registries/{id}", at(id))), ["registries"]);
}

export function useSchedules() {
  return usePaged(["schedules"], () => answer(api.GET("/api/v1/schedules")));
}

export function useAddSchedule() {
  return useSend((body: NewSchedule) => answer(api.POST("/api/v1/schedules", { body })), ["schedules"]);
}

export function useChangeSchedule() {
  return useSend(
    ({ id, ...body }: { readonly id: number; readonly enabled: boolean }) =>
      answer(api.PATCH("/api/v1/schedules/{id}", { ...at(id), body })),
    ["schedules"],
  );
}

export function useDeleteSchedule() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/schedules/{id}", at(id))), ["schedules"]);
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

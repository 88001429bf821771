import type { Registry } from "@bulwark/store";
import type { JobRequest } from "../jobs/start-job.ts";

/** A job that synchronises a registry, or one repository of it. */
export function syncJob(
  registry: Pick<Registry, "id" | "name">,
  createdBy: string,
  cause: JobRequest["cause"],
  repository?: string,
): JobRequest {
  const task = syncTask(registry, repository);
  return { kind: "sync", title: task.name, cause, createdBy, tasks: [task] };
}

/** A task that synchronises a registry, or one repository of it. */
export function syncTask(registry: Pick<Registry, "id" | "name">, repository?: string) {
  const name = repository === undefined ? registry.name : `${registry.name}/${repository}`;
  const payload = { registry: registry.id, ...(repository === undefined ? {} : { repository }) };
  return { kind: "sync-registry", name, payload };
}

import { listLocalImages } from "@bulwark/image";
import { FIRST_TENANT, type NewTask } from "@bulwark/store";
import { startJob } from "../jobs/start-job.ts";
import type { RunningServer } from "../start-server.ts";

/**
 * Puts a scan of this machine's own root file system first, and of the images that its daemons keep, so that there is
 * something to look at.
 */
export async function scanThisMachine(server: RunningServer): Promise<void> {
  await begin(server, "host", { kind: "scan-host", name: "this machine", payload: { root: "/" } });
  const { images } = await listLocalImages({});
  if (images.length > 0) await begin(server, "local", { kind: "scan-local", name: "local images", payload: {} });
}

async function begin({ store, queue }: RunningServer, kind: string, task: NewTask): Promise<void> {
  const request = { kind, title: task.name, cause: "start" as const, createdBy: "", tasks: [task] };
  const job = await store.tenant(FIRST_TENANT, (db) => startJob(db, FIRST_TENANT, request));
  await job.enqueue({ store, queue });
}

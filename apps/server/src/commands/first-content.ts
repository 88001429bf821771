import { FIRST_TENANT } from "@bulwark/store";
import { startJob } from "../jobs/start-job.ts";
import type { RunningServer } from "../start-server.ts";

/** Puts a scan of this machine's own root file system first, so that there is something to look at. */
export async function scanThisMachine({ store, queue }: RunningServer): Promise<void> {
  const tasks = [{ kind: "scan-host", name: "this machine", payload: { root: "/" } }];
  const request = { kind: "host", title: "this machine", cause: "start" as const, createdBy: "", tasks };
  const job = await store.tenant(FIRST_TENANT, (db) => startJob(db, FIRST_TENANT, request));
  await job.enqueue({ store, queue });
}

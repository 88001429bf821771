import { openDatabase } from "@bulwark/scan/shipped";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { startJob } from "../jobs/start-job.ts";
import { List } from "../list.ts";
import type { Routes } from "../routes.ts";

const N = Type.Integer();
const Text = Type.String();

const DatabaseShape = Type.Object({
  built: Text,
  records: N,
  seedOnly: Type.Boolean({ description: "only the shipped landmark advisories: most flaws are not known" }),
  ecosystems: List(Type.Object({ ecosystem: Text, records: N })),
  sources: List(Type.Object({ name: Text, updated: Text, newest: Text })),
  knownExploited: N,
  predictions: N,
});

/** The advisory database of this machine. */
export const databaseRoutes: Routes = async (app, { deps }) => {
  const tags = ["database"];

  app.get(
    "/api/v1/database",
    {
      config: { scope: "findings:read" },
      schema: {
        tags,
        operationId: "getDatabase",
        summary: "What the advisory database holds, and how old it is",
        response: { 200: DatabaseShape },
      },
    },
    async () => {
      const database = await openDatabase(undefined);
      try {
        const { built, records, seedOnly } = database.info;
        return { built, records, seedOnly, ...database.status() };
      } finally {
        database.close();
      }
    },
  );

  app.post(
    "/api/v1/database/update",
    {
      config: { scope: "jobs:write" },
      schema: {
        tags,
        operationId: "updateDatabase",
        summary: "Fetch new advisories, and match the estate with them",
        response: { 202: Type.Object({ job: N }) },
      },
    },
    async (request, reply) => {
      const { tenantId, name } = principalOf(request);
      const job = await deps.store.tenant(tenantId, async (db) => {
        const started = await startJob(db, tenantId, updateJob(name, "request"));
        await audit(db, request, "database.update", `job/${started.id}`);
        return started;
      });
      await job.enqueue(deps);
      return reply.status(202).send({ job: job.id });
    },
  );
};

/** A job that fetches new advisories. */
export function updateJob(createdBy: string, cause: "request" | "schedule") {
  const tasks = [{ kind: "update-advisories", name: "advisories", payload: {} }];
  return { kind: "advisories", title: "advisories", cause, createdBy, tasks };
}

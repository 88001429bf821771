import {
  countAttempt,
  getRegistry,
  notePulls,
  pendingSync,
  registryOfWebhook,
  setWebhook,
  type TenantQueries,
  tenantOf,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { type StartedJob, startJob } from "../jobs/start-job.ts";
import { isWanted } from "../registries/read-registry.ts";
import { syncJob } from "../registries/sync-job.ts";
import type { Routes } from "../routes.ts";
import { randomSecret, sha256 } from "../security/random-secret.ts";
import { pulledDigests, pushedRepositories } from "./pushed.ts";

const MAX_BODY_BYTES = 256 * 1024;
const WINDOW_MS = 60_000;
/** Calls of one webhook in a minute; a registry that is refused sends again. */
const MAX_CALLS = 600;
/** What Docker's registry sends its notifications as. */
const EVENTS_TYPE = "application/vnd.docker.distribution.events.v1+json";

const tags = ["registries"];

/** Registries tell what was pushed. */
export const webhookRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  app.addContentTypeParser(EVENTS_TYPE, { parseAs: "string" }, app.getDefaultJsonParser("error", "error"));

  app.post(
    "/api/v1/registries/:id/webhook",
    {
      config: { scope: "registries:write" },
      schema: {
        tags,
        operationId: "renewWebhook",
        summary: "Make the webhook of a registry; its address is shown this once, and an earlier one is void",
        params: Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
        response: { 201: Type.Object({ url: Type.String(), path: Type.String() }) },
      },
    },
    async (request, reply) => {
      const { tenantId } = principalOf(request);
      const { id } = request.params;
      const token = randomSecret();
      await store.tenant(tenantId, async (db) => {
        if ((await getRegistry(db, id)) === undefined) throw notFound("registry", id);
        await setWebhook(db, tenantId, id, sha256(token));
        await audit(db, request, "registry.webhook", `registry/${id}`);
      });
      const path = `/api/v1/webhooks/${token}`;
      const own = deps.publicUrl ?? `${request.protocol}://${request.host}`;
      return reply.status(201).send({ url: new URL(path, own).href, path });
    },
  );

  app.post(
    "/api/v1/webhooks/:token",
    {
      config: { scope: "public", unaudited: "nobody is logged in; the job that it starts tells of the push" },
      bodyLimit: MAX_BODY_BYTES,
      // The address is the secret: it stands in no log.
      logLevel: "error",
      schema: {
        tags,
        operationId: "callWebhook",
        summary: "A registry tells that a repository changed: it is read, and what is new is scanned",
        params: Type.Object({ token: Type.String({ minLength: 1, maxLength: 100 }) }),
        body: Type.Object({}, { additionalProperties: true }),
        response: { 202: Type.Object({ repositories: Type.Integer() }) },
      },
    },
    async (request, reply) => {
      const hash = sha256(request.params.token);
      const tenantId = await tenantOf(store.system, "webhook", hash);
      if (tenantId === undefined) throw unknown();
      const { count } = await countAttempt(store.system, sha256(`webhook ${hash}`), clock(), WINDOW_MS);
      if (count > MAX_CALLS) {
        throw new ServerError("TOO_MANY_REQUESTS", `more than ${MAX_CALLS} calls in a minute`, "send it again later");
      }
      const names = pushedRepositories(request.body);
      const pulled = pulledDigests(request.body);
      const started = await store.tenant(tenantId, async (db) => {
        await notePulls(db, hash, pulled, clock());
        return syncPushed(db, tenantId, hash, names);
      });
      for (const job of started) await job.enqueue(deps);
      return reply.status(202).send({ repositories: names.length });
    },
  );
};

async function syncPushed(
  db: TenantQueries,
  tenantId: number,
  hash: string,
  names: readonly string[],
): Promise<readonly StartedJob[]> {
  const id = await registryOfWebhook(db, hash);
  const registry = id === undefined ? undefined : await getRegistry(db, id);
  if (registry === undefined) throw unknown();
  const started: StartedJob[] = [];
  for (const name of names.filter((each) => isWanted(registry, each))) {
    // One that waits will see this push too; one that runs may have looked before it.
    if ((await pendingSync(db, registry.id, name, ["waiting"])) !== undefined) continue;
    started.push(await startJob(db, tenantId, syncJob(registry, "", "push", name)));
  }
  return started;
}

function unknown(): ServerError {
  return new ServerError("NOT_FOUND", "there is no such webhook", "make the registry's webhook anew");
}

import {
  addRegistry,
  changeRegistry,
  dropWebhook,
  getRegistry,
  listRegistries,
  pendingSync,
  type Registry,
  removeRegistry,
  setPlace,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { IdParams } from "../id.ts";
import { startJob } from "../jobs/start-job.ts";
import { demandOwner } from "../owners/demand-owner.ts";
import { PageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { createOutbound } from "../security/outbound.ts";
import { placeOf, secretPurpose } from "./access.ts";
import { RegistryBody, RegistryChangeBody, RegistryShape } from "./shapes.ts";
import { syncJob } from "./sync-job.ts";
import { tryRegistry } from "./try-registry.ts";

const JobStarted = Type.Object({ job: Type.Integer() });

/** Registries: connect, change, try, synchronise, forget. */
export const registryRoutes: Routes = async (app, { deps }) => {
  const { store, secrets } = deps;
  const tags = ["registries"];
  const read = { scope: "registries:read" } as const;
  const write = { scope: "registries:write" } as const;

  app.get(
    "/api/v1/registries",
    {
      config: read,
      schema: {
        tags,
        operationId: "listRegistries",
        summary: "All registries, by name",
        response: { 200: PageOf(RegistryShape) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listRegistries) }),
  );

  app.post(
    "/api/v1/registries",
    {
      config: write,
      schema: {
        tags,
        operationId: "connectRegistry",
        summary: "Connect a registry and begin to synchronise it",
        body: RegistryBody,
        response: { 201: RegistryShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name: who } = principalOf(request);
      const { name, kind, address, password, ownerId, grade, labels, ...settings } = request.body;
      await store.tenant(tenantId, (db) => demandOwner(db, ownerId));
      await checkAddress(address, settings.allowPrivate === true, settings.plainHttp === true);
      const { registry, job } = await store.tenant(tenantId, async (db) => {
        const id = await addRegistry(db, { name, kind, address, settings });
        if (id === undefined)
          throw new ServerError("CONFLICT", `there is a registry "${name}" already`, "choose another name");
        if (password !== undefined) {
          await changeRegistry(db, id, { secret: secrets.seal(tenantId, secretPurpose(id), password) });
        }
        await setPlace(db, "registry", id, placeChange({ ownerId, grade, labels }));
        const made = await found(db, id);
        const started = await startJob(db, tenantId, syncJob(made, who, "request"));
        await audit(db, request, "registry.connect", `registry/${id}`, { name, kind, address });
        return { registry: made, job: started };
      });
      await job.enqueue(deps);
      return reply.status(201).send(registry);
    },
  );

  app.get(
    "/api/v1/registries/:id",
    {
      config: read,
      schema: {
        tags,
        operationId: "getRegistry",
        summary: "One registry",
        params: IdParams,
        response: { 200: RegistryShape },
      },
    },
    async (request) => store.tenant(principalOf(request).tenantId, (db) => found(db, request.params.id)),
  );

  app.patch(
    "/api/v1/registries/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "changeRegistry",
        summary: "Change how a registry is read, its owner or its grade; a null password takes it away",
        params: IdParams,
        body: RegistryChangeBody,
        response: { 200: RegistryShape },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const { id } = request.params;
      const { name, address, password, ownerId, grade, labels, ...settings } = request.body;
      const before = await store.tenant(tenantId, async (db) => {
        await demandOwner(db, ownerId);
        return found(db, id);
      });
      const merged = { ...before.settings, ...settings };
      const place = address ?? before.address;
      await checkAddress(place, merged.allowPrivate === true, merged.plainHttp === true);
      // Credentials belong to the address that they were given for: they do not follow to another one.
      const isMoved = place !== before.address;
      const secret = password == null ? null : secrets.seal(tenantId, secretPurpose(id), password);
      return store.tenant(tenantId, async (db) => {
        await changeRegistry(db, id, {
          settings: merged,
          ...(name === undefined ? {} : { name }),
          ...(address === undefined ? {} : { address }),
          ...(password === undefined && !isMoved ? {} : { secret }),
        });
        await setPlace(db, "registry", id, placeChange({ ownerId, grade, labels }));
        await audit(db, request, "registry.change", `registry/${id}`, { fields: Object.keys(request.body).join(" ") });
        return found(db, id);
      });
    },
  );

  app.delete(
    "/api/v1/registries/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "forgetRegistry",
        summary: "Forget a registry and where images lie in it",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const { name } = await found(db, id);
        await dropWebhook(db, id);
        await removeRegistry(db, id, deps.clock());
        await audit(db, request, "registry.forget", `registry/${id}`, { name });
      });
      return reply.status(204).send(null);
    },
  );

  app.post(
    "/api/v1/registries/:id/sync",
    {
      config: write,
      schema: {
        tags,
        operationId: "syncRegistry",
        summary: "Synchronise a registry now; gives the job that does so already, if there is one",
        params: IdParams,
        response: { 202: JobStarted },
      },
    },
    async (request, reply) => {
      const { tenantId, name } = principalOf(request);
      const { id } = request.params;
      const { job, started } = await store.tenant(tenantId, async (db) => {
        const registry = await found(db, id);
        const pending = await pendingSync(db, id, undefined, ["waiting", "running"]);
        const made =
          pending === undefined ? await startJob(db, tenantId, syncJob(registry, name, "request")) : undefined;
        const jobId = made?.id ?? pending ?? 0;
        await audit(db, request, "registry.sync", `registry/${id}`, { job: jobId });
        return { job: jobId, started: made };
      });
      await started?.enqueue(deps);
      return reply.status(202).send({ job });
    },
  );

  app.post(
    "/api/v1/registries/test",
    {
      config: { scope: "registries:write", unaudited: "nothing is changed" },
      schema: {
        tags,
        operationId: "tryRegistry",
        summary: "Whether a registry can be read with these settings, before it is connected",
        body: RegistryBody,
        response: { 200: Type.Object({ ok: Type.Boolean(), problem: Type.String(), repositories: Type.Integer() }) },
      },
    },
    async (request) => {
      const { name: _name, password, ...settings } = request.body;
      await checkAddress(settings.address, settings.allowPrivate === true, settings.plainHttp === true);
      return tryRegistry({ ...settings, ...(password === undefined ? {} : { password }) });
    },
  );
};

async function found(db: TenantQueries, id: number): Promise<Registry> {
  const registry = await getRegistry(db, id);
  if (registry === undefined) throw notFound("registry", id);
  return registry;
}

async function checkAddress(address: string, allowPrivate: boolean, plainHttp: boolean): Promise<void> {
  const outbound = createOutbound({ allowPrivate });
  try {
    const place = placeOf({ address, settings: { plainHttp } });
    await outbound.check(place.startsWith("http://") ? place : `https://${place}`);
  } finally {
    outbound.close();
  }
}

/** Leaves out what was left out. */
function placeChange(place: {
  readonly ownerId: number | null | undefined;
  readonly grade: string | null | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
}) {
  const { ownerId, grade, labels } = place;
  return {
    ...(ownerId === undefined ? {} : { ownerId }),
    ...(grade === undefined ? {} : { grade }),
    ...(labels === undefined ? {} : { labels }),
  };
}

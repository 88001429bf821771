import { RUNTIME_EVENT_TYPES } from "@bulwark/model";
import {
  type ExportTarget,
  getExportTarget,
  listExportTargets,
  putExportTarget,
  removeExportTarget,
  setExportSecret,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { IdParams } from "../id.ts";
import { List } from "../list.ts";
import type { Routes } from "../routes.ts";
import { createOutbound } from "../security/outbound.ts";
import { exportPurpose, openExportSecret, openTransport } from "./open-transport.ts";
import { problemOf } from "./run-exports.ts";
import { testRecord } from "./test-record.ts";
import { transportOf } from "./transports/index.ts";

const TEST_MS = 10_000;
const Text = Type.String();
const Kind = Type.Enum(["syslog", "webhook", "kafka"]);
const Format = Type.Enum(["ocsf", "native"]);

const SettingsBody = Type.Object(
  {
    caPem: Type.Optional(Type.String({ maxLength: 100_000, description: "an authority to trust, PEM" })),
    allowPrivate: Type.Optional(Type.Boolean({ description: "the receiver may be in a private network" })),
    topic: Type.Optional(Type.String({ maxLength: 249, description: "of Kafka" })),
    username: Type.Optional(Type.String({ maxLength: 200, description: "of Kafka; the secret is the password" })),
    mechanism: Type.Optional(Type.Enum(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])),
  },
  { additionalProperties: false },
);

const TargetBody = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    kind: Kind,
    address: Type.String({ minLength: 1, maxLength: 2_000, examples: ["tls://logs.example.org:6514"] }),
    secret: Type.Optional(Type.String({ maxLength: 1_000, description: "signs webhooks; Kafka's password" })),
    format: Type.Optional(Format),
    settings: Type.Optional(SettingsBody),
    alerts: Type.Optional(Type.Boolean({ default: true })),
    events: Type.Optional(Type.Boolean({ default: false })),
    eventTypes: Type.Optional(
      Type.Array(Type.Enum([...RUNTIME_EVENT_TYPES]), { maxItems: 100, description: "empty: all of them" }),
    ),
    enabled: Type.Optional(Type.Boolean({ default: true })),
    backlog: Type.Optional(
      Type.Boolean({
        default: false,
        description: "of a target that is there: send also what it did not want, or did not get while it was off",
      }),
    ),
  },
  { additionalProperties: false },
);

const TargetShape = Type.Object({
  id: Type.Integer(),
  name: Text,
  kind: Kind,
  address: Text,
  format: Format,
  settings: Type.Record(Text, Type.Unknown()),
  alerts: Type.Boolean(),
  events: Type.Boolean(),
  eventTypes: List(Text),
  enabled: Type.Boolean(),
  hasSecret: Type.Boolean(),
  changedBy: Text,
  changedAt: Text,
  state: Type.Enum(["idle", "sending", "failing"]),
  problem: Type.String({ description: "why the last attempt failed" }),
  failures: Type.Integer(),
  sent: Type.Integer(),
  missed: Type.Integer({ description: "events whose day was dropped before they were sent" }),
  sentAt: Type.Union([Text, Type.Null()]),
  waitingSince: Type.Union([Text, Type.Null()], { description: "when the oldest came that has not been sent" }),
});

/** Exports: where events and alerts are sent as they come. */
export const exportRoutes: Routes = async (app, { deps }) => {
  const { store, secrets, clock } = deps;
  const tags = ["exports"];
  const write = { scope: "admin:write" } as const;

  app.get(
    "/api/v1/exports",
    {
      config: { scope: "admin:read" },
      schema: {
        tags,
        operationId: "listExports",
        summary: "Where events and alerts are sent, and how far that is",
        response: { 200: Type.Object({ items: List(TargetShape) }) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listExportTargets) }),
  );

  app.put(
    "/api/v1/exports",
    {
      config: write,
      schema: {
        tags,
        operationId: "putExport",
        summary: "Add a target, or change the one of this name; another address needs the secret again",
        body: TargetBody,
        response: { 200: TargetShape },
      },
    },
    async (request) => {
      const { tenantId, name: by } = principalOf(request);
      const { secret: given, settings = {}, eventTypes = [], backlog = false, ...body } = request.body;
      const { format = "ocsf", alerts = true, events = false, enabled = true } = body;
      const target = { ...body, settings, eventTypes, format, alerts, events, enabled };
      const kept = await store.tenant(tenantId, async (db) => {
        const before = (await listExportTargets(db)).find(({ name }) => name === target.name);
        // Secrets belong to the address that they were given for: they do not follow to another one.
        const isSame = before?.address === target.address && before.kind === target.kind;
        return isSame ? openExportSecret(db, secrets, tenantId, before.id) : "";
      });
      const secret = given ?? kept;
      await check(target, secret);
      return store.tenant(tenantId, async (db) => {
        const id = await putExportTarget(db, { ...target, by, backlog, now: clock() });
        await setExportSecret(db, id, secret === "" ? null : secrets.seal(tenantId, exportPurpose(id), secret));
        const { name, kind, address } = target;
        await audit(db, request, "export.put", `export/${id}`, {
          name,
          kind,
          address,
          alerts,
          events,
          enabled,
          backlog,
        });
        return found(db, id);
      });
    },
  );

  app.delete(
    "/api/v1/exports/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "removeExport",
        summary: "Send nothing more to a target, and forget it",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const name = await removeExportTarget(db, id);
        if (name === undefined) throw notFound("export", id);
        await audit(db, request, "export.remove", `export/${id}`, { name });
      });
      return reply.status(204).send(null);
    },
  );

  app.post(
    "/api/v1/exports/:id/test",
    {
      config: write,
      schema: {
        tags,
        operationId: "testExport",
        summary: "Send one record now that says that it is a test",
        params: IdParams,
        response: { 200: Type.Object({ ok: Type.Boolean(), problem: Text }) },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const { target, secret } = await store.tenant(tenantId, async (db) => {
        const target = await found(db, request.params.id);
        await audit(db, request, "export.test", `export/${target.id}`, { name: target.name });
        return { target, secret: await openExportSecret(db, secrets, tenantId, target.id) };
      });
      try {
        const transport = await openTransport(target, secret, { clock, withinMs: TEST_MS });
        await transport.send([testRecord(target, clock())]).finally(() => transport.close());
        return { ok: true, problem: "" };
      } catch (error) {
        return { ok: false, problem: problemOf(error) };
      }
    },
  );
};

async function found(db: TenantQueries, id: number): Promise<ExportTarget> {
  const target = await getExportTarget(db, id);
  if (target === undefined) throw notFound("export", id);
  return target;
}

async function check({ kind, address, settings }: Checked, secret: string): Promise<void> {
  const transport = transportOf(kind);
  const problem = transport.check(address, settings, secret);
  if (problem !== undefined) throw new ServerError("INVALID_REQUEST", problem, "see the documentation of exports");
  const outbound = createOutbound({ allowPrivate: settings.allowPrivate === true });
  try {
    for (const host of transport.hosts(address)) await outbound.check(host);
  } finally {
    outbound.close();
  }
}

type Checked = Pick<ExportTarget, "kind" | "address"> & { readonly settings: { readonly allowPrivate?: boolean } };

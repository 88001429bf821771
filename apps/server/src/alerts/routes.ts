import { storyHtml, storyText } from "@bulwark/detect";
import { SEVERITIES, type Severity } from "@bulwark/model";
import {
  type AlertDetail,
  addAllowEntry,
  announce,
  changeAlert,
  countAlerts,
  findAccount,
  getAlert,
  listAlerts,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { type Principal, principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { List } from "../list.ts";
import { listOf } from "../list-parameter.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { allowanceFor, PLACES } from "../rules/allow-condition.ts";
import { alertStory } from "./story.ts";

const STATES = ["open", "acknowledged", "closed", "allowed"] as const;
const Text = Type.String();
const Person = Type.Union([Type.Object({ id: Type.Integer(), name: Text }), Type.Null()]);

const AlertShape = Type.Object({
  id: Type.Integer(),
  rule: Text,
  title: Text,
  severity: Type.Enum([...SEVERITIES]),
  tags: List(Text),
  nodeId: Type.Union([Type.Integer(), Type.Null()], { description: "null where no sensor watches what it concerns" }),
  hostname: Text,
  cluster: Person,
  workload: Type.Union([Type.Object({ id: Type.Integer(), kind: Text, namespace: Text, name: Text }), Type.Null()]),
  container: Text,
  containerName: Text,
  image: Text,
  imageDigest: Text,
  imageId: Type.Union([Type.Integer(), Type.Null()]),
  namespace: Text,
  pod: Text,
  process: Text,
  exe: Text,
  pid: Type.Integer(),
  firstAt: Text,
  lastAt: Text,
  count: Type.Integer(),
  blocked: Type.Boolean(),
  exposed: Type.Boolean({
    description: "others than the node can reach a port of its container; it counts a step worse",
  }),
  state: Type.Enum([...STATES]),
  assignee: Person,
  owner: Type.Union([
    Type.Object({
      id: Type.Union([Type.Integer(), Type.Null()], { description: "null for one that only a label names" }),
      name: Text,
    }),
    Type.Null(),
  ]),
});

const DetailShape = Type.Object({
  ...AlertShape.properties,
  eventId: Type.String({ description: "the event that raised it first" }),
  facts: Type.Record(Text, Type.Unknown()),
  history: List(Type.Object({ at: Text, actor: Text, action: Text, detail: Text })),
});

/** Alerts: what rules saw, judged by people. */
export const alertRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["alerts"];

  app.get(
    "/api/v1/alerts",
    {
      config: { scope: "alerts:read" },
      schema: {
        tags,
        operationId: "listAlerts",
        summary: "Alerts, the newest first",
        querystring: Type.Object({
          ...PageQuery,
          states: Type.Optional(Type.String({ maxLength: 100, description: STATES.join(",") })),
          severities: Type.Optional(Type.String({ maxLength: 100, description: SEVERITIES.join(",") })),
          rule: Type.Optional(Type.String({ maxLength: 300 })),
          container: Type.Optional(Type.String({ maxLength: 200, description: "the runtime's id" })),
          nodeId: Type.Optional(Id),
          exposed: Type.Optional(Type.Boolean()),
          text: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: { 200: PageOf(AlertShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, states, severities, ...rest } = request.query;
      const { tenantId, owners } = principalOf(request);
      const filter = {
        ...rest,
        states: wanted(listOf(states, STATES)),
        severities: wanted(listOf<Severity>(severities, SEVERITIES)),
        before: idOfCursor(cursor),
        sight: owners,
        limit: limit + 1,
      };
      const rows = await store.tenant(tenantId, (db) => listAlerts(db, filter));
      return pageById(rows, limit);
    },
  );

  app.get(
    "/api/v1/alert-counts",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "countAlerts",
        summary: "Open alerts by severity, and how many came on each of the last 30 days",
        response: {
          200: Type.Object({
            open: Type.Record(Text, Type.Integer()),
            days: List(Type.Object({ day: Text, count: Type.Integer() })),
          }),
        },
      },
    },
    async (request) => store.tenant(principalOf(request).tenantId, countAlerts),
  );

  app.get(
    "/api/v1/alerts/:id",
    {
      config: { scope: "alerts:read" },
      schema: {
        tags,
        operationId: "getAlert",
        summary: "An alert: the event, the processes above it, the container, what was done",
        params: IdParams,
        response: { 200: DetailShape },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const alert = await store.tenant(principal.tenantId, (db) => found(db, request.params.id, principal));
      return shownDetail(alert);
    },
  );

  app.patch(
    "/api/v1/alerts/:id",
    {
      config: { scope: "alerts:write" },
      schema: {
        tags,
        operationId: "changeAlert",
        summary: "Acknowledge, close or open an alert again, assign it, or write a note",
        params: IdParams,
        body: Type.Object(
          {
            state: Type.Optional(Type.Enum(["open", "acknowledged", "closed"])),
            assigneeId: Type.Optional(Type.Union([Id, Type.Null()])),
            note: Type.Optional(Type.String({ maxLength: 4_000 })),
          },
          { additionalProperties: false },
        ),
        response: { 200: DetailShape },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { id } = request.params;
      const { state, assigneeId, note } = request.body;
      return store.tenant(principal.tenantId, async (db) => {
        await found(db, id, principal);
        if (typeof assigneeId === "number" && (await findAccount(db, assigneeId)) === undefined) {
          throw notFound("account", assigneeId);
        }
        await changeAlert(db, id, { state, assigneeId, note, actor: principal.name, now: clock() });
        await announce(db, { topic: "alerts", id });
        await audit(db, request, "alert.change", `alert/${id}`, { state, assigneeId, note });
        return shownDetail(await found(db, id, principal));
      });
    },
  );

  app.post(
    "/api/v1/alerts/:id/allow",
    {
      config: { scope: "runtime:write" },
      schema: {
        tags,
        operationId: "allowAlert",
        summary: "Accept what this alert saw: the same is not raised any more, in this scope and until this day",
        params: IdParams,
        body: Type.Object(
          {
            where: Type.Enum([...PLACES], {
              description:
                "of what a container does: container, image or everywhere; of what an API server was asked: object, namespace, cluster or everywhere, always by the same user",
            }),
            reason: Type.String({ minLength: 1, maxLength: 2_000 }),
            expiresAt: Type.Optional(Type.String({ format: "date-time" })),
          },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ id: Type.Integer(), rule: Text, condition: Text }) },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { id } = request.params;
      const { where, reason, expiresAt } = request.body;
      const made = await store.tenant(principal.tenantId, async (db) => {
        const alert = await found(db, id, principal);
        const entry = await addAllowEntry(db, {
          rule: alert.rule,
          ...allowanceFor(alert, where),
          reason,
          by: principal.name,
          now: clock(),
          expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
        });
        await changeAlert(db, id, { state: "allowed", note: reason, actor: principal.name, now: clock() });
        await announce(db, { topic: "policies", id: "" });
        await announce(db, { topic: "alerts", id });
        await audit(db, request, "alert.allow", `alert/${id}`, { where, reason, entry: entry.id });
        return entry;
      });
      return reply.status(201).send({ id: made.id, rule: made.rule, condition: made.condition });
    },
  );

  app.get(
    "/api/v1/alerts/:id/story",
    {
      config: { scope: "alerts:read" },
      schema: {
        tags,
        operationId: "getStory",
        summary: "What happened before and after an alert, as a graph with the ATT&CK tactic of each step",
        params: IdParams,
        querystring: Type.Object({ format: Type.Optional(Type.Enum(["json", "html", "text"])) }),
        response: { 200: Type.Unknown() },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const story = await store.tenant(principal.tenantId, async (db) =>
        alertStory(db, await found(db, request.params.id, principal)),
      );
      const { format = "json" } = request.query;
      if (format === "json") return story;
      const file = `attachment; filename="alert-${request.params.id}.${format === "html" ? "html" : "txt"}"`;
      // As a file and not as a page: what attackers named must never run under the console's address.
      reply.header("content-disposition", file);
      reply.type(format === "html" ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");
      return format === "html" ? storyHtml(story) : storyText(story);
    },
  );
};

function wanted<Word>(words: readonly Word[]): readonly Word[] | undefined {
  return words.length === 0 ? undefined : words;
}

async function found(db: TenantQueries, id: number, { owners }: Principal): Promise<AlertDetail> {
  const alert = await getAlert(db, id, owners);
  if (alert === undefined) throw notFound("alert", id);
  return alert;
}

function shownDetail({ batchId, position, processStart: _, ...rest }: AlertDetail) {
  return { ...rest, eventId: `${batchId}-${position}` };
}

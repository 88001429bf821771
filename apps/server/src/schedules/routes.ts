import {
  addSchedule,
  changeSchedule,
  getRegistry,
  getRepository,
  getSchedule,
  listSchedules,
  removeSchedule,
  type Schedule,
  type ScheduleSettings,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { List } from "../list.ts";
import { PageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { nextTime } from "./next-time.ts";

const MAX_PLACES = 1_000;
const MAX_SCHEDULES = 500;

const MaybeTime = Type.Union([Type.String(), Type.Null()]);

const SETTINGS = {
  timeZone: Type.Optional(Type.String({ minLength: 1, maxLength: 60, description: "IANA name; UTC if left out" })),
  registries: Type.Optional(Type.Array(Id, { maxItems: MAX_PLACES })),
  repositories: Type.Optional(Type.Array(Id, { maxItems: MAX_PLACES })),
  rescan: Type.Optional(Type.Boolean({ description: "images that are scanned already too" })),
  enabled: Type.Optional(Type.Boolean()),
  imagesPerMinute: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
};
const Name = Type.String({ minLength: 1, maxLength: 100 });
const Cron = Type.String({
  minLength: 9,
  maxLength: 100,
  description: "minute, hour, day of month, month, day of week",
});
const ScheduleBody = Type.Object({ name: Name, cron: Cron, ...SETTINGS }, { additionalProperties: false });
const ScheduleChange = Type.Object(
  { name: Type.Optional(Name), cron: Type.Optional(Cron), ...SETTINGS },
  { additionalProperties: false },
);
const ScheduleShape = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  cron: Type.String(),
  timeZone: Type.String(),
  registries: List(Type.Integer()),
  repositories: List(Type.Integer()),
  rescan: Type.Boolean(),
  enabled: Type.Boolean(),
  imagesPerMinute: Type.Integer(),
  nextAt: MaybeTime,
  lastAt: MaybeTime,
  lastJob: Type.Union([Type.Integer(), Type.Null()]),
  createdBy: Type.String(),
});

/** Scans at times that come again and again. */
export const scheduleRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["schedules"];
  const read = { scope: "jobs:read" } as const;
  const write = { scope: "jobs:write" } as const;

  app.get(
    "/api/v1/schedules",
    {
      config: read,
      schema: {
        tags,
        operationId: "listSchedules",
        summary: "All schedules, by name",
        response: { 200: PageOf(ScheduleShape) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listSchedules) }),
  );

  app.post(
    "/api/v1/schedules",
    {
      config: write,
      schema: {
        tags,
        operationId: "addSchedule",
        summary: "Scan registries or repositories at times of a cron expression",
        body: ScheduleBody,
        response: { 201: ScheduleShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name: createdBy } = principalOf(request);
      const settings = { ...DEFAULTS, ...request.body };
      const nextAt = nextTime(settings.cron, settings.timeZone, clock());
      const made = await store.tenant(tenantId, async (db) => {
        await demandPlaces(db, settings);
        if ((await listSchedules(db)).length >= MAX_SCHEDULES) {
          throw new ServerError("CONFLICT", `there are ${MAX_SCHEDULES} schedules`, "remove one that nobody needs");
        }
        const id = await addSchedule(db, { ...settings, createdBy, nextAt });
        if (id === undefined) throw taken(settings.name);
        await audit(db, request, "schedule.create", `schedule/${id}`, { name: settings.name, cron: settings.cron });
        return seen(db, id);
      });
      return reply.status(201).send(made);
    },
  );

  app.patch(
    "/api/v1/schedules/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "changeSchedule",
        summary: "Change a schedule, or stop and start it with `enabled`",
        params: IdParams,
        body: ScheduleChange,
        response: { 200: ScheduleShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      return store.tenant(principalOf(request).tenantId, async (db) => {
        const settings = { ...(await seen(db, id)), ...request.body };
        const nextAt = nextTime(settings.cron, settings.timeZone, clock());
        await demandPlaces(db, settings);
        if (!(await changeSchedule(db, id, { ...settings, nextAt }))) throw taken(settings.name);
        await audit(db, request, "schedule.change", `schedule/${id}`, { fields: Object.keys(request.body).join(" ") });
        return seen(db, id);
      });
    },
  );

  app.delete(
    "/api/v1/schedules/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "removeSchedule",
        summary: "Remove a schedule; a job of it that runs goes on",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const { name } = await seen(db, id);
        await removeSchedule(db, id);
        await audit(db, request, "schedule.remove", `schedule/${id}`, { name });
      });
      return reply.status(204).send(null);
    },
  );
};

const DEFAULTS = {
  timeZone: "UTC",
  registries: [] as readonly number[],
  repositories: [] as readonly number[],
  rescan: false,
  enabled: true,
  imagesPerMinute: 0,
};

/** A schedule of nothing, or of what other tenants own, is refused. */
async function demandPlaces(
  db: TenantQueries,
  { registries, repositories }: Pick<ScheduleSettings, "registries" | "repositories">,
): Promise<void> {
  if (registries.length + repositories.length === 0) {
    throw new ServerError("INVALID_REQUEST", "the schedule scans nothing", "name registries or repositories");
  }
  for (const id of registries) if ((await getRegistry(db, id)) === undefined) throw notFound("registry", id);
  for (const id of repositories) {
    if ((await getRepository(db, id, undefined)) === undefined) throw notFound("repository", id);
  }
}

async function seen(db: TenantQueries, id: number): Promise<Schedule> {
  const schedule = await getSchedule(db, id);
  if (schedule === undefined) throw notFound("schedule", id);
  return schedule;
}

function taken(name: string): ServerError {
  return new ServerError("CONFLICT", `there is a schedule "${name}" already`, "choose another name");
}

import {
  announce,
  cancelJob,
  getJob,
  imagesOf,
  type Job,
  listJobs,
  listTasks,
  pauseJob,
  resumeJob,
  retryJob,
  type TenantQueries,
  type Ticket,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { IdParams } from "../id.ts";
import { Digest } from "../images/shapes.ts";
import { DEFAULT_PAGE, decodeCursor, PageOf, PageQuery, pageById, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { scanTasks } from "../scans/scan-tasks.ts";
import { enqueue, startJob } from "./start-job.ts";

const N = Type.Integer();
const Text = Type.String();
const MaybeTime = Type.Union([Type.String(), Type.Null()]);
const JobStates = Type.Enum(["running", "paused", "done", "failed", "cancelled"]);
const TaskStates = Type.Enum(["waiting", "parked", "running", "done", "failed", "cancelled"]);

const JobShape = Type.Object({
  id: N,
  kind: Text,
  title: Text,
  cause: Text,
  state: JobStates,
  createdBy: Text,
  createdAt: Text,
  endedAt: MaybeTime,
  total: N,
  done: N,
  failed: N,
  running: N,
  progress: Type.Number(),
});

const TaskShape = Type.Object({
  id: N,
  jobId: N,
  kind: Text,
  name: Text,
  state: TaskStates,
  attempts: N,
  progress: Type.Number(),
  step: Text,
  problem: Text,
  worker: Text,
  startAt: MaybeTime,
  startedAt: MaybeTime,
  endedAt: MaybeTime,
});

const MAX_PLACES = 1_000;
const ScanBody = Type.Object(
  {
    images: Type.Optional(Type.Array(Digest, { maxItems: MAX_PLACES })),
    repositories: Type.Optional(Type.Array(N, { maxItems: MAX_PLACES })),
    registries: Type.Optional(Type.Array(N, { maxItems: MAX_PLACES })),
    force: Type.Optional(Type.Boolean({ description: "images that are scanned already too" })),
    imagesPerMinute: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  },
  { additionalProperties: false, minProperties: 1 },
);

/** Scans and other long work. */
export const jobRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["jobs"];
  const read = { scope: "jobs:read" } as const;
  const write = { scope: "jobs:write" } as const;

  app.post(
    "/api/v1/scans",
    {
      config: write,
      schema: {
        tags,
        operationId: "startScan",
        summary: "Scan a selection of images, repositories or whole registries",
        body: ScanBody,
        response: { 202: JobShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name } = principalOf(request);
      const { images = [], repositories = [], registries = [], force = false, imagesPerMinute = 0 } = request.body;
      const { job, started } = await store.tenant(tenantId, async (db) => {
        const found = await imagesOf(db, { images, repositories, registries, force: force || images.length > 0 });
        if (found.length === 0) {
          throw new ServerError(
            "NOT_FOUND",
            "nothing of this selection waits for a scan",
            "set force to scan again what is scanned",
          );
        }
        const tasks = scanTasks(found);
        const title = found.length === 1 ? (tasks[0]?.name ?? "") : `${found.length} images`;
        const made = await startJob(db, tenantId, {
          kind: "scan",
          title,
          cause: "request",
          createdBy: name,
          perMinute: imagesPerMinute,
          tasks,
        });
        await audit(db, request, "scan.start", `job/${made.id}`, { images: found.length });
        return { job: await seen(db, made.id), started: made };
      });
      await started.enqueue(deps);
      return reply.status(202).send(job);
    },
  );

  app.post(
    "/api/v1/scans/local",
    {
      config: write,
      schema: {
        tags,
        operationId: "scanLocalImages",
        summary: "Scan the images that containerd, Docker and Podman keep on the machine of a worker",
        body: Type.Object(
          {
            force: Type.Optional(Type.Boolean()),
            node: Type.Optional(
              Type.String({ minLength: 1, maxLength: 253, description: "host name of the worker; left out: of any" }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 202: JobShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name } = principalOf(request);
      const { force = false, node = "" } = request.body;
      const title = node === "" ? "local images" : `images of ${node}`;
      const tasks = [{ kind: "scan-local", name: title, payload: { force, node } }];
      const { job, started } = await store.tenant(tenantId, async (db) => {
        const made = await startJob(db, tenantId, { kind: "local", title, cause: "request", createdBy: name, tasks });
        await audit(db, request, "scan.start", `job/${made.id}`, { local: true, node });
        return { job: await seen(db, made.id), started: made };
      });
      await started.enqueue(deps);
      return reply.status(202).send(job);
    },
  );

  app.get(
    "/api/v1/jobs",
    {
      config: read,
      schema: {
        tags,
        operationId: "listJobs",
        summary: "Jobs, the newest first",
        querystring: Type.Object({
          ...PageQuery,
          state: Type.Optional(JobStates),
          kind: Type.Optional(Type.String({ maxLength: 40 })),
        }),
        response: { 200: PageOf(JobShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const after = decodeCursor(cursor, ["integer"]) as readonly [number] | undefined;
      const before = after === undefined ? {} : { before: after[0] };
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listJobs(db, { ...filter, ...before, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );

  app.get(
    "/api/v1/jobs/:id",
    {
      config: read,
      schema: { tags, operationId: "getJob", summary: "One job", params: IdParams, response: { 200: JobShape } },
    },
    async (request) => store.tenant(principalOf(request).tenantId, (db) => seen(db, request.params.id)),
  );

  app.get(
    "/api/v1/jobs/:id/tasks",
    {
      config: read,
      schema: {
        tags,
        operationId: "listJobTasks",
        summary: "The tasks of a job, the newest first",
        params: IdParams,
        querystring: Type.Object({ ...PageQuery, state: Type.Optional(TaskStates) }),
        response: { 200: PageOf(TaskShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const after = decodeCursor(cursor, ["integer"]) as readonly [number] | undefined;
      const before = after === undefined ? {} : { before: after[0] };
      const rows = await store.tenant(principalOf(request).tenantId, async (db) => {
        const { id } = await seen(db, request.params.id);
        return listTasks(db, { job: id, ...filter, ...before, limit: limit + 1 });
      });
      return pageOf(
        rows,
        limit,
        ({ id }) => [id],
        ({ payload: _payload, ticket: _ticket, ...row }) => row,
      );
    },
  );

  app.get(
    "/api/v1/tasks/failed",
    {
      config: read,
      schema: {
        tags,
        operationId: "listFailedTasks",
        summary: "Tasks that were given up, with their reason, the newest first",
        querystring: Type.Object(PageQuery),
        response: { 200: PageOf(TaskShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE } = request.query;
      const after = decodeCursor(cursor, ["integer"]) as readonly [number] | undefined;
      const before = after === undefined ? {} : { before: after[0] };
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listTasks(db, { state: "failed", ...before, limit: limit + 1 }),
      );
      return pageOf(
        rows,
        limit,
        ({ id }) => [id],
        ({ payload: _payload, ticket: _ticket, ...row }) => row,
      );
    },
  );

  for (const [action, change] of Object.entries(CHANGES)) {
    app.post(
      `/api/v1/jobs/:id/${action}`,
      {
        config: write,
        schema: {
          tags,
          operationId: `${action}Job`,
          summary: change.summary,
          params: IdParams,
          response: { 200: JobShape },
        },
      },
      async (request) => {
        const { tenantId } = principalOf(request);
        const { id } = request.params;
        const { job, tasks } = await store.tenant(tenantId, async (db) => {
          const before = await seen(db, id);
          const changed = await change.apply(db, id, deps.clock());
          if (changed === undefined) {
            throw new ServerError(
              "CONFLICT",
              `job ${id} is ${before.state}: it cannot ${action}`,
              "look at the job's state",
            );
          }
          await announce(db, { topic: "jobs", id });
          await audit(db, request, `job.${action}`, `job/${id}`);
          return { job: await seen(db, id), tasks: changed };
        });
        await enqueue(deps, tenantId, tasks);
        return job;
      },
    );
  }
};

/** What can be done to a job; each gives the tasks to be queued again, or undefined when the job's state forbids it. */
const CHANGES: Readonly<
  Record<
    string,
    {
      readonly summary: string;
      apply(db: TenantQueries, id: number, now: Date): Promise<readonly Ticket[] | undefined>;
    }
  >
> = {
  pause: {
    summary: "Let a job wait: tasks that run are finished, no other is begun",
    apply: async (db, id) => ((await pauseJob(db, id)) ? [] : undefined),
  },
  resume: { summary: "Let a paused job go on", apply: resumeJob },
  cancel: {
    summary: "End a job: tasks that run are stopped",
    apply: async (db, id, now) => ((await cancelJob(db, id, now)) ? [] : undefined),
  },
  retry: {
    summary: "Try the failed tasks of a job again",
    async apply(db, id) {
      const tasks = await retryJob(db, id);
      return tasks.length === 0 ? undefined : tasks;
    },
  },
};

async function seen(db: TenantQueries, id: number): Promise<Job> {
  const job = await getJob(db, id);
  if (job === undefined) throw notFound("job", id);
  return job;
}

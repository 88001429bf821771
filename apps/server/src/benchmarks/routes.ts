import { checksOf, STANDARDS } from "@bulwark/benchmark/benchmark";
import { SEVERITIES } from "@bulwark/model";
import {
  type AlertDetail,
  type BenchmarkResult,
  benchmarkTrend,
  countOutcomes,
  getAlert,
  getBenchmarkRun,
  getNode,
  listBenchmarkPlaces,
  listBenchmarkResults,
  listBenchmarkRuns,
  listComponents,
  type TenantQueries,
  targetsOfRun,
} from "@bulwark/store";
import { type Static, Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { csvOf } from "../cases/csv.ts";
import { demandCluster } from "../clusters/demand-cluster.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { List } from "../list.ts";
import { listOf } from "../list-parameter.ts";
import { DEFAULT_PAGE, decodeCursor, idOfCursor, PageOf, PageQuery, pageById, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { complianceOf } from "./compliance.ts";
import { benchmarkContent, profileNamed } from "./content.ts";
import { judgeWaiting, targetOf } from "./run-benchmarks.ts";
import {
  CheckId,
  CheckShape,
  Counts,
  MaybeId,
  OUTCOMES,
  PlaceShape,
  Profile,
  ProfileShape,
  ResultShape,
  RunShape,
  Score,
  SectionShape,
  TargetShape,
  Text,
} from "./shapes.ts";
import { startRun } from "./start-run.ts";

const TREND_DAYS = 90;
const DAY_MS = 86_400_000;
const MAX_NAMED = 1_000;
/** Of one export: 300 checks of 300 places. */
const MAX_EXPORTED = 100_000;

const RunBody = Type.Object(
  {
    profile: Type.Optional(Profile),
    nodes: Type.Optional(
      Type.Array(Id, { maxItems: MAX_NAMED, description: "all where neither nodes nor clusters are named" }),
    ),
    clusters: Type.Optional(Type.Array(Id, { maxItems: MAX_NAMED })),
  },
  { additionalProperties: false },
);

const ResultQuery = {
  nodeId: Type.Optional(Id),
  clusterId: Type.Optional(Id),
  targetId: Type.Optional({ ...Id, description: "of a run; the newest results where it is left out" }),
  check: Type.Optional(CheckId),
  outcomes: Type.Optional(Type.String({ maxLength: 200, description: OUTCOMES.join(",") })),
  severities: Type.Optional(Type.String({ maxLength: 100, description: SEVERITIES.join(",") })),
};
type ResultFilter = Static<Type.TObject<typeof ResultQuery>>;

/** Benchmarks: runs over nodes and clusters, their scores and results, and the flaws of components. */
export const benchmarkRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["benchmarks"];
  const read = { scope: "runtime:read" } as const;

  app.get(
    "/api/v1/benchmark-checks",
    {
      config: read,
      schema: {
        tags,
        operationId: "listBenchmarkChecks",
        summary: "All checks and profiles",
        response: { 200: Type.Object({ items: List(CheckShape), profiles: List(ProfileShape) }) },
      },
    },
    async () => {
      const { checks, profiles } = benchmarkContent();
      return {
        items: checks.map(
          ({ id, title, severity, description, subject, level, advice, impact, parameters, references, fix }) => ({
            ...{ id, title, severity, description, subject, level, advice, impact },
            ...{
              parameters,
              references: references as Record<string, readonly string[]>,
              fix: fix === undefined ? null : { ...fix },
            },
          }),
        ),
        profiles: profiles.map((profile) => {
          const { id, title, description } = profile;
          return { id, title, description, checks: checksOf(profile, checks).length };
        }),
      };
    },
  );

  app.get(
    "/api/v1/benchmark-places",
    {
      config: read,
      schema: {
        ...{
          tags,
          operationId: "listBenchmarkPlaces",
          summary: "How nodes and clusters stand, the worst first, and the mean score by day",
        },
        response: {
          200: Type.Object({
            items: List(PlaceShape),
            score: Score,
            trend: List(Type.Object({ day: Text, score: Type.Integer(), places: Type.Integer() })),
          }),
        },
      },
    },
    async (request) =>
      store.tenant(principalOf(request).tenantId, async (db) => {
        const items = await listBenchmarkPlaces(db);
        const trend = await benchmarkTrend(db, new Date(clock().getTime() - TREND_DAYS * DAY_MS));
        const scores = items.flatMap(({ score }) => (score === null ? [] : [score]));
        const mean =
          scores.length === 0 ? null : Math.floor(scores.reduce((sum, score) => sum + score, 0) / scores.length);
        return { items, score: mean, trend };
      }),
  );

  app.get(
    "/api/v1/benchmark-runs",
    {
      config: read,
      schema: {
        tags,
        operationId: "listBenchmarkRuns",
        summary: "Runs, the newest first",
        querystring: Type.Object(PageQuery),
        response: { 200: PageOf(RunShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE } = request.query;
      const before = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listBenchmarkRuns(db, { before, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );

  app.get(
    "/api/v1/benchmark-runs/:id",
    {
      config: read,
      schema: {
        tags,
        operationId: "getBenchmarkRun",
        summary: "A run and how far its nodes and clusters are",
        params: IdParams,
        response: { 200: Type.Object({ run: RunShape, targets: List(TargetShape) }) },
      },
    },
    async (request) => {
      const { id } = request.params;
      return store.tenant(principalOf(request).tenantId, async (db) => ({
        run: await demandRun(db, id),
        targets: await targetsOfRun(db, id),
      }));
    },
  );

  app.post(
    "/api/v1/benchmark-runs",
    {
      config: { scope: "runtime:write" },
      schema: {
        tags,
        operationId: "startBenchmarkRun",
        summary: "Judge nodes and clusters now",
        body: RunBody,
        response: { 201: RunShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name } = principalOf(request);
      const { profile = "recommended", nodes, clusters } = request.body;
      profileNamed(profile);
      const id = await store.tenant(tenantId, async (db) => {
        const made = await startRun(db, { profile, cause: "person", createdBy: name, nodes, clusters }, clock());
        const { targets } = await demandRun(db, made);
        if (targets === 0)
          throw new ServerError(
            "CONFLICT",
            "there is no such node or cluster to judge",
            "enrol a node, or join a cluster",
          );
        await audit(db, request, "benchmark.run", `benchmark-run/${made}`, { profile, targets });
        return made;
      });
      await store.tenant(tenantId, (db) => judgeWaiting(db, clock()));
      return reply.status(201).send(await store.tenant(tenantId, (db) => demandRun(db, id)));
    },
  );

  app.get(
    "/api/v1/benchmark-results",
    {
      config: read,
      schema: {
        tags,
        operationId: "listBenchmarkResults",
        summary: "What checks found, the most severe first: the newest of each place, or those of one target",
        querystring: Type.Object({ ...PageQuery, ...ResultQuery }),
        response: { 200: PageOf(ResultShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const after = decodeCursor(cursor, ["string", "integer", "string"]) as [string, number, string] | undefined;
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        resultsOf(db, filter, { after, limit: limit + 1, now: clock() }),
      );
      return pageOf(rows, limit, ({ severity, targetId, check }) => [severity, targetId, check], shown);
    },
  );

  app.get(
    "/api/v1/benchmark-results.csv",
    {
      config: read,
      schema: {
        tags,
        operationId: "exportBenchmarkResults",
        summary: "The same as CSV",
        querystring: Type.Object(ResultQuery),
        produces: ["text/csv"],
        response: { 200: Type.String() },
      },
    },
    async (request, reply) => {
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        resultsOf(db, request.query, { limit: MAX_EXPORTED, now: clock() }),
      );
      const head = [
        "place",
        "check",
        "title",
        "severity",
        "outcome",
        "evidence",
        "places",
        "sections",
        "exception",
        "judged at",
      ];
      const lines = rows.map((row) => {
        const { place, check, title, severity, outcome, evidence, faulty, exceptionId, at } = shown(row);
        const references = Object.entries(benchmarkContent().byId.get(check)?.references ?? {});
        const sections = references.map(([standard, all]) => `${standard} ${all?.join(" ")}`).join("; ");
        return [
          place,
          check,
          title,
          severity,
          outcome,
          evidence,
          String(faulty),
          sections,
          exceptionId === null ? "" : String(exceptionId),
          at,
        ];
      });
      reply.type("text/csv; charset=utf-8").header("content-disposition", 'attachment; filename="benchmark.csv"');
      return reply.send(csvOf([head, ...lines]));
    },
  );

  app.get(
    "/api/v1/alerts/:id/hardening",
    {
      config: read,
      schema: {
        ...{
          tags,
          operationId: "listAlertHardening",
          summary: "Checks that fail where an alert was, and that would have made what it tells of harder",
        },
        params: IdParams,
        response: { 200: PageOf(ResultShape) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { tenantId, owners } = principalOf(request);
      return store.tenant(tenantId, async (db) => {
        const alert = await getAlert(db, id, owners);
        if (alert === undefined) throw notFound("alert", id);
        return { items: (await causesOf(db, alert)).map(shown) };
      });
    },
  );

  app.get(
    "/api/v1/benchmark-compliance",
    {
      config: read,
      schema: {
        ...{
          tags,
          operationId: "getBenchmarkCompliance",
          summary: "The sections of a document that checks cover, and how they stand over all places",
        },
        querystring: Type.Object({ standard: Type.Enum([...STANDARDS]) }),
        response: { 200: PageOf(SectionShape) },
      },
    },
    async (request) => {
      const outcomes = await store.tenant(principalOf(request).tenantId, countOutcomes);
      return { items: complianceOf(request.query.standard, benchmarkContent().checks, outcomes) };
    },
  );

  app.get(
    "/api/v1/component-flaws",
    {
      config: read,
      schema: {
        ...{
          tags,
          operationId: "listComponentFlaws",
          summary: "Versions of kernels, runtimes, Kubernetes and Istio, and their flaws",
        },
        querystring: Type.Object({
          ...PageQuery,
          flawed: Type.Optional(Type.Boolean({ description: "only those with flaws" })),
        }),
        response: {
          200: PageOf(
            Type.Object({
              ...{
                id: Type.Integer(),
                nodeId: MaybeId,
                clusterId: MaybeId,
                place: Text,
                name: Text,
                version: Text,
                source: Text,
              },
              state: Type.Enum(["flawed", "clear", "undetermined", "waiting"]),
              why: Type.String({ description: "why nothing can be said" }),
              flaws: List(Type.Object({ id: Text, severity: Text, title: Text, fixedVersion: Text })),
              counts: Counts,
            }),
          ),
        },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, flawed } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listComponents(db, { after, flawed, limit: limit + 1 }),
      );
      return pageOf(
        rows,
        limit,
        ({ id }) => [id],
        ({ subject, matched, ...row }) => ({
          ...row,
          state:
            subject === null
              ? ("undetermined" as const)
              : matched === ""
                ? ("waiting" as const)
                : row.flaws.length > 0
                  ? ("flawed" as const)
                  : ("clear" as const),
          counts: Object.fromEntries(
            [...Map.groupBy(row.flaws, ({ severity }) => severity)].map(([severity, all]) => [severity, all.length]),
          ),
        }),
      );
    },
  );
};

/** Results at the place of an alert, of checks that would have made its techniques harder. */
async function causesOf(db: TenantQueries, alert: AlertDetail): Promise<readonly BenchmarkResult[]> {
  const { techniques = [] } = alert.facts as { readonly techniques?: readonly { readonly id: string }[] };
  const known = benchmarkContent().techniques;
  const checks = [...new Set(techniques.flatMap(({ id }) => known.get(id.split(".", 1)[0] ?? "") ?? []))];
  const places = [{ nodeId: alert.nodeId ?? undefined }, { clusterId: alert.cluster?.id }];
  const found: BenchmarkResult[] = [];
  for (const place of places.filter((each) => Object.values(each).some((id) => id !== undefined))) {
    const target = await targetOf(db, place);
    if (target === undefined) continue;
    found.push(
      ...(await listBenchmarkResults(db, {
        targetId: target.id,
        checks,
        outcomes: ["fail", "undetermined"],
        limit: checks.length,
      })),
    );
  }
  return found;
}

async function resultsOf(
  db: TenantQueries,
  filter: ResultFilter,
  page: {
    readonly after?: readonly [string, number, string] | undefined;
    readonly limit: number;
    readonly now: Date;
  },
): Promise<readonly BenchmarkResult[]> {
  const { nodeId, clusterId, targetId, check } = filter;
  const outcomes = listOf(filter.outcomes, OUTCOMES);
  const severities = listOf(filter.severities, SEVERITIES);
  // Nothing found of what there is not would read like nothing wrong with it.
  if (check !== undefined && !benchmarkContent().byId.has(check)) throw notFound("check", check);
  if (nodeId !== undefined && (await getNode(db, nodeId)) === undefined) throw notFound("node", nodeId);
  await demandCluster(db, clusterId, page.now);
  const isOne = nodeId !== undefined || clusterId !== undefined || targetId !== undefined;
  const target = isOne ? await targetOf(db, { targetId, nodeId, clusterId }) : undefined;
  if (isOne && target === undefined) return [];
  return listBenchmarkResults(db, {
    check,
    targetId: target?.id,
    outcomes: outcomes.length === 0 ? undefined : outcomes,
    severities: severities.length === 0 ? undefined : severities,
    ...page,
  });
}

function shown(row: BenchmarkResult) {
  const check = benchmarkContent().byId.get(row.check);
  const places = row.places as readonly Readonly<Record<string, unknown>>[];
  return {
    ...row,
    places,
    title: check?.title ?? row.check,
    advice: check?.advice ?? "",
    impact: check?.impact ?? "",
    fixable: check?.fix !== undefined,
  };
}

async function demandRun(db: TenantQueries, id: number) {
  const run = await getBenchmarkRun(db, id);
  if (run === undefined) throw notFound("run", id);
  return run;
}

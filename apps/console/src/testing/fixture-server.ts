import { randomUUID } from "node:crypto";
import { PassThrough } from "node:stream";
import { SEVERITIES } from "@bulwark/model";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { SCOPES } from "../../../server/src/access.ts";
import { serveConsole } from "../../../server/src/console/routes.ts";
import * as admission from "./fixture/admission.ts";
import * as benchmarks from "./fixture/benchmarks.ts";
import * as cleanups from "./fixture/cleanups.ts";
import * as clusters from "./fixture/clusters.ts";
import { findingsOf, packagesOf, vulnerabilities, vulnerabilityDetail } from "./fixture/findings.ts";
import * as forest from "./fixture/forest.ts";
import * as golden from "./fixture/golden.ts";
import { imageDetailOf, imageOf, riskOf } from "./fixture/images.ts";
import * as runtime from "./fixture/runtime.ts";
import * as work from "./fixture/work.ts";

const COOKIE = "bulwark_session";
const CSRF = "fixture-csrf";
/** What the fixture lets in. */
export const LOGIN = { login: "ada", password: "fixture-password", code: "123456" } as const;

interface Options {
  readonly images: number;
  /** The built console; without it only the API is served. */
  readonly dist?: string;
}

/** A stand-in for the server, for tests of the console and work on it: the API's shapes over made-up data in memory. */
export async function createFixtureServer({ images, dist }: Options): Promise<FastifyInstance> {
  const app = Fastify({ bodyLimit: 1_000_000 });
  const sessions = new Set<string>();
  app.addHook("onRequest", async (request, reply) => guard(request, reply, sessions));
  addSession(app, sessions);
  addImages(app, images);
  addForest(app);
  addGolden(app);
  addRest(app, images);
  addEvents(app);
  if (dist !== undefined) await serveConsole(app, dist);
  return app;
}

const problem = (reply: FastifyReply, status: number, code: string, title: string) =>
  reply
    .status(status)
    .type("application/problem+json")
    .send({ type: "about:blank", title, status, code, instance: "fixture" });

function isOpen(request: FastifyRequest): boolean {
  if (!request.url.startsWith("/api/")) return true;
  return request.url.startsWith("/api/v1/session/") || (request.url === "/api/v1/session" && request.method === "POST");
}

async function guard(request: FastifyRequest, reply: FastifyReply, sessions: ReadonlySet<string>): Promise<unknown> {
  if (isOpen(request)) return undefined;
  const cookie = new RegExp(`${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? "")?.[1];
  if (cookie === undefined || !sessions.has(cookie))
    return problem(reply, 401, "UNAUTHENTICATED", "nobody is logged in");
  if (request.method !== "GET" && request.headers["x-csrf-token"] !== CSRF) {
    return problem(reply, 403, "FORBIDDEN", "the CSRF token is missing");
  }
  return undefined;
}

const SESSION = {
  account: { ...work.accounts[0]!, scopes: SCOPES, tenant: { id: 1, name: "Example" } },
  csrf: CSRF,
};

function addSession(app: FastifyInstance, sessions: Set<string>): void {
  app.get("/api/v1/session/providers", async () => ({ items: [{ id: "corp", name: "Example Corp" }] }));
  app.get("/api/v1/session", async () => SESSION);
  app.post("/api/v1/session", async (request, reply) => {
    const { login, password, code } = request.body as Record<string, string>;
    if (login !== LOGIN.login || password !== LOGIN.password) {
      return problem(reply, 401, "UNAUTHENTICATED", "login or password is wrong");
    }
    if (code !== LOGIN.code) return problem(reply, 401, "TOTP_REQUIRED", "a one-time code is needed");
    const id = randomUUID();
    sessions.add(id);
    void reply.header("set-cookie", `${COOKIE}=${id}; HttpOnly; SameSite=Strict; Path=/`);
    return SESSION;
  });
  app.delete("/api/v1/session", async () => {
    sessions.clear();
    return {};
  });
}

type Query = Readonly<Record<string, string | undefined>>;

/** One page of rows; the cursor is the number of rows before it. */
function pageOf<Row>(rows: readonly Row[], query: Query) {
  const from = Number(query.cursor ?? 0);
  const to = from + Number(query.limit ?? 50);
  const next = to < rows.length ? { next: String(to) } : {};
  return { items: rows.slice(from, to), ...next, total: rows.length };
}

const query = (request: FastifyRequest) => request.query as Query;
const holds = (text: string, part: string | undefined) => text.toLowerCase().includes((part ?? "").toLowerCase());

function addImages(app: FastifyInstance, count: number): void {
  const order = Array.from({ length: count }, (_, i) => i);
  const byRisk = [...order].sort((a, b) => riskOf(b) - riskOf(a) || a - b);
  const indexOf = new Map<string, number>(order.map((i) => [imageOf(i).digest, i]));
  const ordered = (sort: string | undefined) =>
    sort === "-risk" ? byRisk : sort === "risk" ? [...byRisk].reverse() : order;
  const matching = (asked: Query) => {
    const { search, state, severity, exploited } = asked;
    if ([search, state, severity, exploited].every((filter) => filter === undefined)) return ordered(asked.sort);
    return ordered(asked.sort).filter((i) => {
      const image = imageOf(i);
      const fits = holds(image.reference, search) && (state === undefined || image.state === state);
      const severe = severity !== "critical" || image.counts.critical > 0;
      return fits && severe && (exploited === undefined || image.counts.exploited > 0);
    });
  };
  const found = (request: FastifyRequest) => indexOf.get((request.params as { digest: string }).digest);
  app.get("/api/v1/images", async (request) => {
    const page = pageOf(matching(query(request)), query(request));
    return { ...page, items: page.items.map(imageOf) };
  });
  app.get("/api/v1/images/:digest", async (request, reply) => {
    const i = found(request);
    return i === undefined ? problem(reply, 404, "NOT_FOUND", "there is no such image") : imageDetailOf(i);
  });
  app.get("/api/v1/images/:digest/bases", async (request) => ({ items: forest.basesOf(found(request) ?? 0) }));
  app.patch("/api/v1/images/:digest", async () => ({}));
  app.get("/api/v1/images/:digest/findings", async (request) => {
    const { kind, severity, origin, layer, search } = query(request);
    const rows = findingsOf(found(request) ?? 0).filter(
      (row) =>
        (kind === undefined || row.kind === kind) &&
        (severity === undefined || row.severity === severity) &&
        (origin === undefined || row.origin === origin) &&
        (layer === undefined || row.layer === Number(layer)) &&
        holds(`${row.id} ${row.title} ${row.package?.name} ${row.path}`, search),
    );
    return pageOf(rows, query(request));
  });
  app.get("/api/v1/images/:digest/packages", async (request) => {
    const { search, layer } = query(request);
    const rows = packagesOf(found(request) ?? 0).filter((row) => layer === undefined || row.layer === Number(layer));
    return pageOf(
      rows.filter((row) => holds(row.name, search)),
      query(request),
    );
  });
  app.get("/api/v1/images/:digest/sbom", async () => ({ bomFormat: "CycloneDX" }));
}

function addForest(app: FastifyInstance): void {
  const idOf = (request: FastifyRequest) => Number((request.params as { id: string }).id);
  app.get("/api/v1/lineage/nodes", async (request) => {
    const { under, least } = query(request);
    const nodes = forest.nodesUnder(under === undefined ? undefined : Number(under));
    const { total: _total, ...page } = pageOf(
      nodes.filter(({ beneath }) => beneath >= Number(least ?? 0)),
      query(request),
    );
    return page;
  });
  app.get("/api/v1/lineage/nodes/:id", async (request) => forest.lineageDetail(idOf(request)));
  app.get("/api/v1/lineage/nodes/:id/images", async (request) => {
    const { total: _total, ...page } = pageOf(
      Array.from({ length: 400 }, (_, i) => imageOf(i)),
      query(request),
    );
    return page;
  });
  app.get("/api/v1/lineage/spread", async () => forest.spread());
  app.get("/api/v1/lineage/plan", async (request) => forest.plan(Number(query(request).fixes ?? 40)));
  app.get("/api/v1/lineage/simulate", async () => ({ images: 59_000, cleared: 118_400, added: 310 }));
  app.get("/api/v1/rebuilds", async (request) => {
    const { state } = query(request);
    const { total: _total, ...page } = pageOf(
      forest.rebuilds.filter((row) => state === undefined || row.state === state),
      query(request),
    );
    return page;
  });
}

function addGolden(app: FastifyInstance): void {
  app.get("/api/v1/golden", async (request) => {
    const { search, state } = query(request);
    const rows = golden
      .golden()
      .filter(
        (row) => holds(row.repository.name, search) && (state === undefined || state.split(",").includes(row.state)),
      );
    const { total: _total, ...page } = pageOf(rows, query(request));
    return page;
  });
  app.get("/api/v1/golden/:id", async (request) => golden.goldenDetail(Number((request.params as { id: string }).id)));
  app.get("/api/v1/golden/:id/diff", async (request) => golden.goldenDiff(Number(query(request).version)));
  app.get("/api/v1/programmes/increment", async (request) => golden.increment(query(request).since ?? ""));
  app.get("/api/v1/programmes/stock", async (request) => golden.stock(query(request).since ?? ""));
  app.get("/api/v1/programmes/teams", async () => ({ items: golden.teams() }));
}

function addRest(app: FastifyInstance, images: number): void {
  const list = (path: string, rows: () => readonly unknown[]) =>
    app.get(`/api/v1/${path}`, async (request) => pageOf(rows(), query(request)));
  const one = (path: string, read: (id: string) => unknown) =>
    app.get(`/api/v1/${path}`, async (request) => read((request.params as { id: string }).id));
  const some = Array.from({ length: 40 }, (_, i) => imageOf(i));
  app.get("/api/v1/overview", async () => work.overview(images));
  app.get("/api/v1/assets", async () => runtime.assets);
  app.get("/api/v1/alert-counts", async () => runtime.alertCounts());
  app.get("/api/v1/runtime-rules", async () => ({ items: [], problems: [] }));
  list("nodes", () => runtime.nodes);
  list("alerts", () => runtime.alerts());
  list("responses", () => []);
  app.get("/api/v1/vulnerabilities", async (request) => {
    const { search, severity, exploited, fixable } = query(request);
    const rows = vulnerabilities().filter(
      (row) =>
        holds(`${row.id} ${row.title}`, search) &&
        (severity === undefined || row.severity === severity) &&
        (exploited === undefined || row.exploited) &&
        (fixable === undefined || row.fixedVersions.length > 0),
    );
    return pageOf(rows, query(request));
  });
  one("vulnerabilities/:id", vulnerabilityDetail);
  list("packages", () =>
    packagesOf(0).map(({ type, name }, n) => ({
      type,
      name,
      versions: 1 + (n % 4),
      images: 900 - n,
      worst: SEVERITIES[n % 6],
    })),
  );
  app.post("/api/v1/search", async (request) => {
    const { component } = request.body as Record<string, string>;
    const hits = component === "nothing" ? [] : some;
    return {
      summary: { images: hits.length, layers: 2, bases: 1, owners: 1, unowned: 4, repositories: 12 },
      images: hits,
      layers: imageDetailOf(0)
        .layers.slice(4, 6)
        .map(({ diffId, depth, createdBy }) => ({ diffId, depth, createdBy, images: 12 })),
      bases: [{ reference: "docker.io/library/debian:13", digest: imageOf(9).digest, images: 30 }],
      owners: [
        { id: 1, name: work.owners[3]!.name, email: "team@example.org", images: 8 },
        { id: null, name: "", images: 4 },
      ],
      repositories: [],
      subjects: vulnerabilityDetail("CVE-2025-10008").subjects,
      undetermined: [{ id: 1, ecosystem: "Maven", name: component ?? "", version: "2.x-internal" }],
    };
  });
  list("cases", () => work.cases);
  one("cases/:id", (id) => work.cases[Number(id) - 1]);
  list("cases/:id/images", () => work.caseImages);
  list("tasks/failed", () => work.tasks().filter((task) => task.state === "failed"));
  one("cases/:id/curve", () => ({ points: work.curve }));
  app.get("/api/v1/risks", async (request) => {
    const { state, severity, overdue, search, verdict } = query(request);
    const rows = work
      .risks()
      .filter(
        (row) =>
          (state === undefined || row.state === state) &&
          (severity === undefined || row.severity === severity) &&
          (overdue === undefined || row.overdue) &&
          (verdict === undefined || row.responsible?.verdict === verdict) &&
          holds(`${row.finding} ${row.title} ${row.repository.name}`, search),
      );
    return pageOf(rows, query(request));
  });
  app.get("/api/v1/risks/measures", async () => work.measures);
  one("risks/:id", (id) => work.riskDetail(Number(id)));
  const lists = {
    registries: work.registries,
    channels: work.channels,
    accounts: work.accounts,
  };
  const more = {
    "notification-rules": work.rules,
    deliveries: work.deliveries,
    tokens: work.tokens,
    owners: work.owners,
    audit: work.audit,
  };
  for (const [path, rows] of Object.entries({ ...lists, ...more })) list(path, () => rows);
  list("jobs", work.jobs);
  list("repositories", () => work.repositories);
  list("waivers", () => work.waivers);
  for (const [path, rows] of Object.entries(admission.lists)) list(`admission/${path}`, () => rows);
  app.get<{ Params: { id: string } }>("/api/v1/admission/baselines/:id", async ({ params }) =>
    admission.baselineDetail(Number(params.id)),
  );
  app.get("/api/v1/admission/baselines/:id/proposal", async () => admission.proposal);
  app.get("/api/v1/admission/policies", async () => ({ revision: 3, dropped: 0, items: admission.policies }));
  app.get("/api/v1/benchmark-places", async () => benchmarks.places);
  app.get("/api/v1/alerts/:id", async () => runtime.requestAlert());
  app.get("/api/v1/alerts/:id/hardening", async () => ({ items: benchmarks.results.slice(0, 5) }));
  app.get("/api/v1/benchmark-compliance", async () => ({ items: benchmarks.sections }));
  app.get("/api/v1/benchmark-checks", async () => benchmarks.checks);
  app.get("/api/v1/benchmark-tunings", async () => ({ items: benchmarks.tunings }));
  app.get("/api/v1/benchmark-schedules", async () => ({ items: benchmarks.schedules }));
  list("clusters", () => clusters.clusters);
  list("workloads", () => clusters.workloads);
  list("pods", () => clusters.pods);
  app.get("/api/v1/clusters/:id", async () => clusters.clusters[0]);
  app.get("/api/v1/clusters/:id/kinds", async () => clusters.kinds);
  app.get("/api/v1/workloads/:id", async () => clusters.workloads[0]);
  app.get("/api/v1/attack-paths", async () => ({ items: clusters.paths }));
  app.get("/api/v1/impact", async () => clusters.impact);
  list("benchmark-runs", () => benchmarks.runs);
  list("benchmark-results", () => benchmarks.results);
  list("benchmark-fixes", () => benchmarks.fixes);
  list("benchmark-exceptions", () => benchmarks.exceptions);
  list("component-flaws", () => benchmarks.components);
  list("cleanups", () => cleanups.cleanups);
  list("cleanups/:id/items", () => cleanups.cleanupItems);
  app.get("/api/v1/unused", async () => ({ items: cleanups.unused }));
  app.get("/api/v1/cleanup-holds", async () => ({ items: cleanups.holds }));
  list("schedules", () => work.schedules);
  list("identity-providers", () => work.providers);
  list("tenants", () => [{ id: 1, name: "Example", createdAt: new Date().toISOString() }]);
  app.get("/api/v1/jobs/:id/tasks", async (request) => {
    const { state } = query(request);
    return pageOf(
      work.tasks().filter((task) => state === undefined || task.state === state),
      query(request),
    );
  });
  app.get("/api/v1/audit/verify", async () => ({ entries: 400, intact: true }));
  app.get("/api/v1/database", async () => ({
    built: new Date().toISOString(),
    records: 412_000,
    seedOnly: true,
    ecosystems: ["Debian:13", "Alpine:v3.22", "npm", "PyPI", "Maven"].map((ecosystem, n) => ({
      ecosystem,
      records: 90_000 - n * 9_000,
    })),
    sources: [{ name: "osv/npm", updated: new Date().toISOString(), newest: "" }],
    knownExploited: 1_300,
    predictions: 0,
  }));
  addChanges(app);
}

/** Changes are accepted and forgotten. */
function addChanges(app: FastifyInstance): void {
  app.post("/api/v1/cases", async () => work.cases[0]);
  app.post("/api/v1/registries", async () => work.registries[0]);
  app.post("/api/v1/registries/test", async () => ({ ok: true, problem: "", repositories: 12 }));
  app.post("/api/v1/session/totp", async () => ({
    secret: "JBSWY3DPEHPK3PXP",
    uri: "otpauth://totp/Bulwark:ada?secret=JBSWY3DPEHPK3PXP",
  }));
  app.post("/api/v1/tokens", async () => ({ ...work.tokens[0], token: "bwk_fixture_0123456789abcdef" }));
  app.post("/api/v1/*", async () => ({}));
  app.patch("/api/v1/*", async () => ({}));
  app.delete("/api/v1/*", async () => ({}));
}

function addEvents(app: FastifyInstance): void {
  const open = new Set<PassThrough>();
  app.addHook("preClose", async () => {
    for (const events of open) events.end();
  });
  app.get("/api/v1/events", async (_request, reply) => {
    const events = new PassThrough();
    open.add(events);
    events.on("close", () => open.delete(events));
    events.write('event: jobs\ndata: {"id":100}\n\n');
    return reply.type("text/event-stream").header("cache-control", "no-cache").send(events);
  });
}

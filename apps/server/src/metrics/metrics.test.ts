import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startProbeServer } from "../health/probe-server.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { createMetrics } from "./metrics.ts";

let server: TestApp;
let admin: TestAccount;
const lines: Record<string, unknown>[] = [];
beforeAll(async () => {
  const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  server = await openTestApp({ logger });
  admin = await server.account("admin");
});
afterAll(() => server.close());

const scrape = (headers: Readonly<Record<string, string>> = {}, remoteAddress = "203.0.113.9") =>
  server.app.inject({ url: "/metrics", headers, remoteAddress });

test("metrics count requests by route and status, and what the estate holds", async () => {
  await server.app.inject({ url: "/api/v1/images?search=payroll", headers: admin.bearer });
  await server.app.inject({ url: `/api/v1/images/sha256:${"0".repeat(64)}`, headers: admin.bearer });
  await server.app.inject("/api/v1/nothing/of/the/kind");
  const answer = await scrape(admin.bearer);
  expect(answer.headers["content-type"]).toContain("text/plain");
  for (const line of [
    'bulwark_http_request_duration_seconds_count{method="GET",route="/api/v1/images",status="200"} 1',
    'bulwark_http_request_duration_seconds_count{method="GET",route="/api/v1/images/:digest",status="404"} 1',
    'bulwark_notifications{state="noticed"} 0',
    'bulwark_database_connections{state="waited-for"}',
    "process_resident_memory_bytes",
  ]) {
    expect(answer.body).toContain(line);
  }
  // What was asked for is no label: whoever tries addresses would fill the memory of everybody who keeps the figures.
  expect(answer.body).not.toContain("of/the/kind");
});

test("metrics tell the images, tasks and risks of all tenants", async () => {
  const tenant = await server.tenant();
  for (const id of [1, tenant]) {
    await server.store.tenant(id, (db) =>
      db
        .insertInto("image")
        .values({ tenant_id: id, digest: `sha256:${"b".repeat(64)}`, state: "known" })
        .execute(),
    );
  }
  server.clock.now = new Date(server.clock.now.getTime() + 60_000);
  expect((await scrape(admin.bearer)).body).toContain('bulwark_images{state="known"} 2');
});

test("metrics are for administrators of the first tenant, and for programs on this machine", async () => {
  expect((await scrape()).statusCode).toBe(401);
  expect((await scrape(await server.token(admin, ["images:read"]))).statusCode).toBe(403);
  const other = await server.account("admin", await server.tenant());
  expect((await scrape(other.bearer)).statusCode).toBe(403);
  expect((await scrape({ host: "127.0.0.1:8080" }, "127.0.0.1")).statusCode).toBe(200);
  expect((await scrape({ host: "[::1]:8080" }, "::1")).statusCode).toBe(200);
});

test("who comes through a proxy on this machine, or by a name that was made to lead here, is not this machine", async () => {
  const host = "127.0.0.1:8080";
  for (const header of ["x-forwarded-for", "forwarded", "via", "x-real-ip"]) {
    expect((await scrape({ host, [header]: "203.0.113.9" }, "127.0.0.1")).statusCode).toBe(401);
  }
  expect((await scrape({ host: "rebound.example.org" }, "127.0.0.1")).statusCode).toBe(401);
  const proxied = await openTestApp({ publicUrl: "https://bulwark.example.org" });
  const answer = await proxied.app.inject({ url: "/metrics", headers: { host }, remoteAddress: "127.0.0.1" });
  expect(answer.statusCode).toBe(401);
  await proxied.close();
});

test("the log has one line for each request, without what was asked or sent", async () => {
  lines.length = 0;
  const answer = await server.app.inject({ url: "/api/v1/owners?search=payroll-secret", headers: admin.bearer });
  expect(answer.statusCode).toBe(200);
  await server.app.inject({
    method: "POST",
    url: "/api/v1/session",
    payload: { login: "x", password: "hunter2-hunter2" },
  });
  const told = lines.filter(({ msg }) => msg === "request");
  expect(told).toMatchObject([
    { method: "GET", route: "/api/v1/owners", status: 200, account: expect.stringContaining("admin-"), tenant: 1 },
    { method: "POST", route: "/api/v1/session", status: 401 },
  ]);
  for (const line of told) expect(line).toMatchObject({ reqId: expect.any(String), ms: expect.any(Number) });
  const text = JSON.stringify(lines);
  for (const hidden of ["payroll-secret", "hunter2", admin.bearer.authorization]) expect(text).not.toContain(hidden);
});

test("probes and figures are answered on a port of their own, where workers have no API", async () => {
  const metrics = createMetrics(server.store, () => server.clock.now);
  const probes = await startProbeServer(server.store, { host: "127.0.0.1", port: 0 }, metrics);
  const status = async (path: string) => (await fetch(`${probes.url}${path}`)).status;
  expect([await status("/healthz"), await status("/readyz"), await status("/api/v1/images")]).toEqual([200, 200, 404]);
  const figures = await fetch(`${probes.url}/metrics`);
  expect(figures.headers.get("content-type")).toMatch(/^text\/plain; version=0/);
  expect(await figures.text()).toMatch(/^bulwark_database_connections\{state="idle"\} \d+$/m);
  await probes.close();
  const broken = await startProbeServer(
    { ...server.store, answers: async () => false },
    { host: "127.0.0.1", port: 0 },
    { ...metrics, text: () => Promise.reject(new Error("no database")) },
  );
  expect((await fetch(`${broken.url}/metrics`)).status).toBe(503);
  expect((await fetch(`${broken.url}/readyz`)).status).toBe(503);
  await broken.close();
});

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openAdvisoryDatabase } from "./database.ts";
import { plainCatalog } from "./testing/catalog.ts";
import { osv } from "./testing/records.ts";
import { zipOf } from "./testing/zip.ts";
import { updateAdvisories } from "./update.ts";

type Document = Readonly<Record<string, unknown>>;

let folder: string;
let server: Server;
let root: string;
let requests: string[];
let records: Map<string, Document>;
let fault: (request: IncomingMessage, response: ServerResponse, body: Buffer) => boolean;

/** Speaks the layout of OSV's bulk export, of the KEV catalogue and of EPSS. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? "";
  requests.push(url);
  const body = bodyOf(url);
  if (body === undefined) {
    response.writeHead(404).end();
    return;
  }
  if (fault(request, response, body)) return;
  const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const headers = { etag: '"one"', "content-length": body.length - start };
  response.writeHead(start > 0 ? 206 : 200, headers).end(body.subarray(start));
}

function bodyOf(url: string): Buffer | undefined {
  const all = [...records.values()];
  if (url === "/kev.json")
    return Buffer.from(JSON.stringify({ dateReleased: "2026-01-01", vulnerabilities: [] }, null, 1));
  if (url === "/epss.csv.gz") return gzipSync("#score_date:2026-01-01T\ncve,epss,percentile\nCVE-2026-1000,0.1,0.5\n");
  if (url === "/npm/all.zip") {
    return Buffer.from(zipOf(Object.fromEntries(all.map((record) => [`${record.id}.json`, JSON.stringify(record)]))));
  }
  if (url === "/npm/modified_id.csv") {
    const lines = all.map(({ id, modified }) => `${modified},${id}`);
    return Buffer.from(`${lines.sort().reverse().join("\n")}\n`);
  }
  const record = records.get(/^\/npm\/([^/]+)\.json$/.exec(url)?.[1] ?? "");
  return record === undefined ? undefined : Buffer.from(JSON.stringify(record, null, 2));
}

const put = (id: string, fields: Document = {}) => records.set(id, osv(id, fields));
const update = (fields: object = {}) =>
  updateAdvisories({
    database: join(folder, "advisories.db"),
    catalog: plainCatalog,
    ecosystems: ["npm"],
    osvUrl: root,
    kevUrl: `${root}/kev.json`,
    epssUrl: `${root}/epss.csv.gz`,
    ...fields,
  });

function flaws(): readonly string[] {
  const opened = openAdvisoryDatabase(join(folder, "advisories.db"), plainCatalog);
  const [result] = opened.match([{ ecosystem: "npm", name: "thing", version: "1.0" }]);
  opened.close();
  return result?.matches.map(({ id }) => id).sort() ?? [];
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "bulwark-update-"));
  [requests, records, fault] = [[], new Map(), () => false];
  for (const number of [1, 2, 3]) put(`X-${number}`);
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

test("the first update takes the whole archive, later ones only what changed", async () => {
  await update();
  expect(flaws()).toEqual(["X-1", "X-2", "X-3"]);
  expect(requests).toContain("/npm/all.zip");
  requests = [];
  put("X-4", { modified: "2026-03-01T00:00:00Z" });
  put("X-2", { modified: "2026-03-02T00:00:00Z", withdrawn: "2026-03-02T00:00:00Z" });
  await update();
  expect(flaws()).toEqual(["X-1", "X-3", "X-4"]);
  expect(requests.filter((url) => url.startsWith("/npm/")).sort()).toEqual([
    "/npm/X-2.json",
    "/npm/X-4.json",
    "/npm/modified_id.csv",
  ]);
  requests = [];
  expect((await update()).lines[0]).toBe("npm: up to date");
  expect(requests.filter((url) => url.startsWith("/npm/"))).toEqual(["/npm/modified_id.csv"]);
});

test("a cut download is taken up where it ended", async () => {
  const ranges: string[] = [];
  let cut: () => void = () => {};
  fault = (request, response, body) => {
    if (request.url !== "/npm/all.zip") return false;
    ranges.push(request.headers.range ?? "");
    if (ranges.length > 1) return false;
    response.writeHead(200, { etag: '"one"', "content-length": body.length });
    response.write(body.subarray(0, 100));
    cut = () => response.destroy();
    return true;
  };
  // The connection is cut once the first bytes are there, not before.
  await update({ onProgress: (what: string) => what.includes("MiB") && cut() });
  expect(ranges).toEqual(["", "bytes=100-"]);
  expect(flaws()).toEqual(["X-1", "X-2", "X-3"]);
});

test("an update that fails changes nothing", async () => {
  await update();
  put("X-4", { modified: "2026-03-01T00:00:00Z" });
  fault = (request, response) => {
    if (request.url !== "/epss.csv.gz") return false;
    response.writeHead(403).end();
    return true;
  };
  await expect(update()).rejects.toMatchObject({
    code: "FEED_UNREACHABLE",
    message: expect.stringMatching(/epss.*403/),
  });
  expect(flaws()).toEqual(["X-1", "X-2", "X-3"]);
});

test("a feed that is older than what is held is refused unless it is asked for", async () => {
  put("X-4", { modified: "2026-03-01T00:00:00Z" });
  await update();
  records.delete("X-4");
  await expect(update()).rejects.toMatchObject({ code: "FEED_ROLLBACK" });
  await update({ force: true });
});

test("a list of changes cannot make us ask for other addresses", async () => {
  fault = (request, response) => {
    if (request.url !== "/npm/modified_id.csv") return false;
    response.end("2026-01-01T00:00:00Z,../../secret\n");
    return true;
  };
  await expect(update()).rejects.toMatchObject({ code: "FEED_INVALID" });
});

test("an archive that a failed update left behind does not stand for changes made since", async () => {
  await expect(update({ kevUrl: `${root}/missing.json` })).rejects.toMatchObject({ code: "FEED_UNREACHABLE" });
  put("X-4", { modified: "2026-02-01T00:00:00Z" });
  await update();
  expect(flaws()).toEqual(["X-1", "X-2", "X-3", "X-4"]);
});

import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openLayerCache } from "./layer-cache.ts";
import { fact, layer } from "./testing/layers.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-cache-"));
afterAll(() => rmSync(folder, { recursive: true }));

const report = { ...layer({ files: { "a.jar": [fact("a")] }, whiteouts: ["b"], paths: ["c"] }), diffId: "sha256:aa" };

test("a report comes back as it was put, for the same analyzers only", () => {
  const cache = openLayerCache(join(folder, "deep/er/layers.db"));
  cache.put("dpkg@1", report);
  expect(cache.get("sha256:aa", "dpkg@1")).toEqual({
    ...report,
    paths: new Uint8Array(report.paths),
    owned: new Uint8Array(report.owned),
    recorded: new Uint8Array(report.recorded),
    digests: new Uint8Array(report.digests),
  });
  expect(cache.get("sha256:aa", "dpkg@2")).toBeUndefined();
  expect(cache.get("sha256:bb", "dpkg@1")).toBeUndefined();
  cache.close();
  expect(statSync(join(folder, "deep/er")).mode & 0o077).toBe(0);
});

test("a cache in a directory that others may read is still its owner's alone", () => {
  const file = join(folder, "open.db");
  const cache = openLayerCache(file);
  cache.put("x", report);
  for (const name of [file, `${file}-wal`]) expect(statSync(name).mode & 0o077).toBe(0);
  cache.close();
});

test("two processes may use one cache at once", () => {
  const [first, second] = [openLayerCache(join(folder, "two.db")), openLayerCache(join(folder, "two.db"))];
  first.put("x", report);
  second.put("x", { ...report, diffId: "sha256:bb" });
  expect(second.get("sha256:aa", "x")?.whiteouts).toEqual(["b"]);
  expect(first.get("sha256:bb", "x")?.whiteouts).toEqual(["b"]);
  first.close();
  second.close();
});

test("a file that is no cache is refused with what to do", () => {
  writeFileSync(join(folder, "junk.db"), "this is not a database at all");
  expect(() => openLayerCache(join(folder, "junk.db"))).toThrow(expect.objectContaining({ code: "CACHE_DAMAGED" }));
});

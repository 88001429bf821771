import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { databaseCommand } from "./db.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-db-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

test("what a feed or a pulled database names does not move the terminal", async () => {
  const written: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => written.push(String(text)) > 0);
  }
  const feed = join(folder, "feed.json");
  const affected = [{ package: { ecosystem: "Debian:12\u001b[2J", name: "a" }, versions: ["1"] }];
  writeFileSync(feed, JSON.stringify([{ id: "X-1", affected }, { id: "X \u001b[31m" }]));
  const database = join(folder, "a.db");
  expect(await databaseCommand(["import", "--db", database, feed])).toBe(0);
  expect(await databaseCommand(["status", "--db", database])).toBe(0);
  expect(written.join("")).toMatch(/Debian:12\ufffd/);
  expect(written.join("")).not.toContain("\u001b");
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTestStore, type TestStore } from "@bulwark/store/testing";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { upCommand } from "../commands/serve.ts";
import { keepRuntimeDays } from "./keep-runtime.ts";

const now = new Date("2026-06-10T08:00:00Z");
let opened: TestStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

/** Days that a run drops. */
async function dropped(retention?: { readonly days: number; readonly gib: number }): Promise<readonly string[]> {
  const days: string[] = [];
  const log = pino({}, { write: (line: string) => void days.push(...JSON.parse(line).days) });
  await keepRuntimeDays({ store: opened.store, clock: () => now, log }, retention);
  return days;
}

test("days are kept as long as somebody says, and thirty of them where nobody does", async () => {
  expect(await dropped()).toEqual([]);
  expect(await dropped({ days: 6, gib: 50 })).toEqual(["2026-06-02", "2026-06-03"]);
});

test("more room than somebody says is not taken, but today and yesterday stay", async () => {
  const days = await dropped({ days: 30, gib: 0 });
  expect(days.at(-1)).toBe("2026-06-08");
});

test.each(["0", "-1", "x", "1.5"])("to keep events for %s days is refused before anything is started", async (days) => {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-keep-"));
  const started = upCommand(["--data", directory, `--keep-events-days=${days}`]);
  await expect(started).rejects.toThrow(`--keep-events-days ${days} is no number from 1 on`);
  rmSync(directory, { recursive: true });
});

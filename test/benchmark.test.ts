import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { temporaryDirectory } from "@bulwark/image/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bulwark } from "./support/cli.ts";
import { type ServerUnderTest, startTestServer, until } from "./support/running-server.ts";
import { SENSOR, whyNoSensor } from "./support/sensor-process.ts";

const why = whyNoSensor();
if (why !== "") console.warn(`no node is judged by a benchmark: ${why}`);

const SCOPES = ["runtime:read", "runtime:write", "responses:read", "responses:write", "responses:approve"];
/** A setting that changes nothing for anybody: whether packets with impossible addresses are written down. */
const CHECK = "host-log-martians";
const SYSCTL = "/proc/sys/net/ipv4/conf/all/log_martians";
const FILE = "/etc/sysctl.d/60-bulwark-net-ipv4-conf-all-log_martians.conf";

interface Result {
  readonly check: string;
  readonly outcome: string;
  readonly evidence: string;
}

describe.skipIf(why !== "")("a node under a benchmark", () => {
  const directory = temporaryDirectory();
  const at = (name: string) => `${directory.path}/${name}`;
  let server: ServerUnderTest;
  let environment: Record<string, string>;
  let node: string;
  let before: string;
  const cli = (...words: string[]) => bulwark(at("cache"), words, environment);
  const sysctl = () => readFileSync(SYSCTL, "utf8").trim();
  const results = async (query: string) =>
    (await server.call<{ items: readonly Result[] }>("GET", `/benchmark-results?nodeId=${node}&limit=500&${query}`))
      .items;

  beforeAll(async () => {
    before = sysctl();
    server = await startTestServer(at("data"), {
      roles: new Set(["api", "gateway", "worker"]),
      gateway: { host: "127.0.0.1", port: 0 },
    });
    const scopes = [...SCOPES, "admin:read", "admin:write"];
    const { token } = await server.call<{ token: string }>("POST", "/tokens", { name: "cli", scopes });
    environment = { BULWARK_SERVER: server.url, BULWARK_TOKEN: token };
    const installed = await cli(
      "sensor",
      "install",
      "--prefix",
      at("node"),
      "--program",
      SENSOR,
      "--gateway",
      server.running.gateway,
    );
    expect(installed.status, installed.stderr).toBe(0);
    node = await until("a connected node", async () => {
      const { items } = await server.call<{ items: readonly { id: number; connectedAt: string | null }[] }>(
        "GET",
        "/nodes",
      );
      const found = items.find(({ connectedAt }) => connectedAt !== null);
      return found === undefined ? undefined : String(found.id);
    });
  });
  afterAll(async () => {
    if (environment !== undefined) await cli("sensor", "uninstall", "--prefix", at("node"));
    if (before !== undefined) writeFileSync(SYSCTL, before);
    await server?.close();
    directory.remove();
  });

  test("is judged within five seconds and two percent of a processor, and nothing is guessed", async () => {
    const ran = await cli("benchmark", "run", "--node", node, "--profile", "strict");
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toMatch(/done +\d+ +\d+ +\d+ +\d+/);
    const { items } = await server.call<{ items: readonly { id: number }[] }>("GET", "/benchmark-runs");
    const { targets } = await server.call<{ targets: readonly { wallUs: number; cpuUs: number; score: number }[] }>(
      "GET",
      `/benchmark-runs/${items[0]!.id}`,
    );
    const { wallUs, cpuUs, score } = targets[0]!;
    expect(wallUs).toBeLessThan(5_000_000);
    expect(cpuUs / wallUs).toBeLessThan(0.02);
    expect(score).toBeGreaterThan(0);
    const all = await results("");
    expect(all.length).toBeGreaterThan(150);
    const aslr = readFileSync("/proc/sys/kernel/randomize_va_space", "utf8").trim();
    expect(all.find(({ check }) => check === "host-aslr")?.outcome).toBe(aslr === "2" ? "pass" : "fail");
    const mode = statSync("/etc/shadow").mode & 0o7777 & ~0o640;
    expect(all.find(({ check }) => check === "host-file-etc-shadow")?.outcome).toBe(mode === 0 ? "pass" : "fail");
    for (const { outcome, evidence } of all) if (outcome === "undetermined") expect(evidence).not.toBe("");
  });

  test("is fixed by approval, verified, and given back what it was", async () => {
    writeFileSync(SYSCTL, "0");
    const preview = await cli("benchmark", "fix", CHECK, "--node", node);
    expect(preview.stdout).toContain("+net.ipv4.conf.all.log_martians = 1");
    expect(sysctl()).toBe("0");
    const applied = await cli("benchmark", "fix", CHECK, "--node", node, "--apply");
    expect(applied, applied.stdout).toMatchObject({ status: 0, stdout: expect.stringContaining("is applied") });
    expect([sysctl(), readFileSync(FILE, "utf8")]).toEqual(["1", "net.ipv4.conf.all.log_martians = 1\n"]);
    expect((await results(`check=${CHECK}`))[0]?.outcome).toBe("pass");
    const fix = /fix (\d+) is applied/.exec(applied.stdout)![1]!;
    const undone = await cli("benchmark", "fix", "undo", fix);
    expect(undone, undone.stdout).toMatchObject({ status: 0, stdout: expect.stringContaining("is undone") });
    expect(sysctl()).toBe("0");
    expect(() => statSync(FILE)).toThrow(/ENOENT/);
  });

  test("finds a port that answers everybody, and asks none that is closed", async () => {
    const asked: string[] = [];
    const docker = createServer((request, answer) => {
      asked.push(`${request.method} ${request.url}`);
      answer.end("OK");
    });
    const isFree = await new Promise<boolean>((resolve) => {
      docker.once("error", () => resolve(false));
      docker.listen(2375, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) return console.warn("port 2375 is taken here");
    await cli("benchmark", "run", "--node", node, "--profile", "strict");
    docker.close();
    expect(asked).toEqual(["GET /_ping"]);
    expect((await results("check=port-docker-open"))[0]).toMatchObject({
      outcome: "fail",
      evidence: expect.stringContaining("200"),
    });
    expect((await results("check=port-weave-scope-open"))[0]?.outcome).toBe("pass");
  });

  test("shows what it is made of and exports its results", async () => {
    const components = await until("components", async () => {
      const { items } = await server.call<{
        items: readonly { name: string; version: string; state: string; why: string }[];
      }>("GET", "/component-flaws");
      return items.length > 0 ? items : undefined;
    });
    const kernel = components.find(({ name }) => name === "linux");
    expect(kernel?.version).not.toBe("");
    for (const { state, why: reason } of components) if (state === "undetermined") expect(reason).not.toBe("");
    const csv = await cli("benchmark", "show", "--node", node, "--format", "csv", "--outcomes", "pass,fail");
    expect(csv.stdout.split("\r\n")[0]).toBe(
      "place,check,title,severity,outcome,evidence,places,sections,exception,judged at",
    );
  });
});

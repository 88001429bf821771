import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addCluster, keepObjects, keepPods } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { learnBaselines } from "../baselines/learn.ts";
import { podsOf } from "../clusters/pods-of.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";

const BULWARK = join(import.meta.dirname, "../../../../bin/bulwark");
const home = mkdtempSync(join(tmpdir(), "bulwark-admission-"));
let server: TestApp;
let asker: Readonly<Record<string, string>>;
let approver: Readonly<Record<string, string>>;

beforeAll(async () => {
  server = await openTestApp();
  server.clock.now = new Date();
  const url = await server.app.listen({ host: "127.0.0.1", port: 0 });
  const access = async () => {
    const { bearer } = await server.account("security");
    return { BULWARK_SERVER: url, BULWARK_TOKEN: bearer.authorization.replace("Bearer ", "") };
  };
  asker = await access();
  approver = await access();
});
afterAll(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    const place = { HOME: home, XDG_CONFIG_HOME: home, BULWARK_CACHE_DIR: join(home, "cache") };
    execFile(BULWARK, [...args], { env: { PATH: process.env.PATH, ...place, ...env } }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function file(name: string, text: string): string {
  writeFileSync(join(home, name), text);
  return join(home, name);
}

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { template: { spec: { hostNetwork: true, containers: [{ name: app, image: registry.example/app:1 }] } } }
`;
const OWN = `
name: no-host-network
mode: enforce
rules:
  - id: host-network
    on: pod
    title: no host network
    deny: pod.spec.?hostNetwork.orValue(false)
`;

test("objects in files are judged without a server or a cluster", async () => {
  const deployment = file("web.yaml", DEPLOYMENT);
  const own = file("own.yaml", OWN);
  const denied = await run(["policy", "try", deployment, "--policy", own]);
  expect(denied).toMatchObject({
    status: 1,
    stdout: expect.stringContaining("Deployment web: denied: policy no-host-network"),
  });
  expect(await run(["policy", "try", deployment])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(
      /watched: policy host-namespaces[\s\S]*1 object, 0 denied, 1 more by policies that only watch/,
    ),
  });
  expect(await run(["policy", "try", deployment, "--enforce"])).toMatchObject({ status: 1 });
  expect(await run(["policy", "try", file("torn.yaml", "a: [")])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("is not YAML"),
  });
});

test("a policy file with a mistake is told with its place", async () => {
  const wrong = file("wrong.yaml", OWN.replace("pod.spec", "pod.spce.("));
  expect(await run(["policy", "check", wrong])).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('rule "host-network"'),
  });
  expect(await run(["policy", "check", file("own.yaml", OWN)])).toMatchObject({ status: 0 });
});

test("policies are written as objects of Kubernetes, those that need more are named", async () => {
  const { stdout, stderr } = await run(["policy", "export", "--mode", "enforce", "--exempt", "kube-system,own"]);
  const kinds = parseAllDocuments(stdout).map((document) => document.toJSON().kind);
  expect(new Set(kinds)).toEqual(new Set(["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]));
  expect(stderr).toContain("left out: policy signed-images needs Bulwark's webhook");
  expect(await run(["policy", "export", "signed-images"])).toMatchObject({ status: 2 });
});

test("modes, policies of one's own, and their counts are seen and changed", async () => {
  expect(await run(["policy", "mode", "no-privileged", "enforce", "--namespace", "shop"], asker)).toMatchObject({
    stdout: "no-privileged is on enforce in shop\n",
  });
  expect((await run(["policy", "list"], asker)).stdout).toMatch(/no-privileged +audit +shipped +0 +0 +0 +shop=enforce/);
  expect((await run(["policy", "put", file("own.yaml", OWN)], asker)).stdout).toBe(
    "no-host-network is version 1, on enforce\n",
  );
  expect((await run(["policy", "show", "no-host-network"], asker)).stdout).toContain("host-network: no host network");
  expect((await run(["policy", "remove", "no-host-network"], asker)).stdout).toBe("no-host-network is removed\n");
  expect(await run(["policy", "remove", "no-privileged"], asker)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("is shipped"),
  });
});

test("the brake is pulled and released by one command each", async () => {
  const pulled = await run(["admission", "brake", "pkg:maven/org.example/lib@1.*", "--reason", "bad"], asker);
  expect(pulled.stdout).toContain("is on for pkg:maven/org.example/lib@1.*");
  const id = /brake (\d+)/.exec(pulled.stdout)?.[1] ?? "";
  expect((await run(["admission", "brakes"], asker)).stdout).toMatch(/package +pkg:maven/);
  expect((await run(["admission", "release", id], asker)).status).toBe(0);
  expect(await run(["admission", "brake", "*", "--reason", "all"], asker)).toMatchObject({ status: 2 });
});

test("an exception waits for a second person", async () => {
  const until = new Date(Date.now() + 86_400_000).toISOString();
  const asked = await run(
    ["admission", "except", "host-path", "--namespace", "shop", "--until", until, "--reason", "logs"],
    asker,
  );
  const id = /exception (\d+)/.exec(asked.stdout)?.[1] ?? "";
  expect(await run(["admission", "approve", id], asker)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("themselves"),
  });
  expect(await run(["admission", "approve", id], approver)).toMatchObject({ status: 0 });
});

test("break-glass gives a code once, and settings are switched one by one", async () => {
  const given = await run(
    ["admission", "break-glass", "--namespace", "shop", "--minutes", "5", "--reason", "outage"],
    asker,
  );
  const code = /break-glass: ([a-f0-9]{32})/.exec(given.stdout)?.[1] ?? "none";
  expect((await run(["admission", "grants", "--format", "json"], asker)).stdout).not.toContain(code);
  const switched = await run(["admission", "settings", "--pin-digests", "on"], asker);
  expect(switched.stdout).toBe("pin-digests: on\ndefault-seccomp: off\nwithhold-tokens: off\n");
  expect((await run(["admission", "decisions"], asker)).stdout).toBe("Nothing was decided yet.\n");
});

test("a baseline is learned, proposed, activated and retired", async () => {
  const env = asker;
  const now = server.clock.now;
  const made = { uid: "c-learned", name: "harbour", grade: null, ownerId: null, now };
  const clusterId = (await server.store.tenant(1, (db) => addCluster(db, 1, made)))!;
  const document = {
    metadata: { name: "web", namespace: "shop" },
    spec: {
      containers: [
        { name: "app", image: "registry.example/app:1\u001b[2J" },
        { name: "b", image: "nginx" },
      ],
    },
    status: { phase: "Running" },
  };
  const pod = { uid: "p-1", apiVersion: "v1", kind: "Pod", namespace: "shop", name: "web", document };
  await server.store.tenant(1, async (db) => {
    await keepObjects(db, clusterId, { epoch: "e", objects: [pod], now });
    await keepPods(db, clusterId, await podsOf(db, clusterId, [pod]), now);
  });
  expect(await run(["policy", "learn", "--cluster", "harbour"], env)).toMatchObject({ status: 2 });
  expect(await run(["policy", "learn", "--cluster", "haven", "--namespace", "shop"], env)).toMatchObject({ status: 2 });
  const begun = await run(["policy", "learn", "--cluster", "harbour", "--namespace", "shop", "--days", "3"], env);
  expect(begun).toMatchObject({ status: 0, stdout: expect.stringContaining("learns of harbour/shop until") });
  const [, id = ""] = /baseline (\d+)/.exec(begun.stdout) ?? [];
  await learnBaselines({ store: server.store, clock: () => server.clock.now, log: { warn: () => {} } });
  expect((await run(["policy", "baselines"], env)).stdout).toMatch(/harbour\/shop\s+learning/);
  expect((await run(["policy", "baseline", id], env)).stdout).toMatch(
    /image\s+docker\.io\/library\/nginx\s+1 .*Pod shop\/web/,
  );
  const proposed = await run(["policy", "propose", id], env);
  expect(proposed).toMatchObject({ status: 0, stderr: expect.stringContaining("host-namespaces") });
  expect(await run(["policy", "check", file("learned.yaml", proposed.stdout)])).toMatchObject({ status: 0 });
  expect(await run(["policy", "activate", id, "resource-limits"], env)).toMatchObject({ status: 2 });
  expect(await run(["policy", "activate", id, "host-namespaces"], env)).toMatchObject({
    status: 0,
    stdout: `policy learned-shop-${id} watches harbour/shop; enforced in shop: host-namespaces\n`,
  });
  expect((await run(["policy", "list"], env)).stdout).toMatch(/learned-shop-\d+\s+audit\s+own/);
  expect((await run(["policy", "retire", id], env)).stdout).toContain("removed");
});

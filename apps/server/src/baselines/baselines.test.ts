import { randomUUID } from "node:crypto";
import {
  addCluster,
  dropObjects,
  keepObjects,
  keepPods,
  type NewAlert,
  raiseAlerts,
  type SeenObject,
  type Store,
} from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdmissionAnswers, openAdmissionAnswers } from "../admission/answer.ts";
import { firstState } from "../admission/authorities.ts";
import { bundleFor } from "../admission/bundle-document.ts";
import { keepBatch } from "../admission/keep-batch.ts";
import { type AdmissionRole, startAdmission } from "../admission/start-admission.ts";
import { createLocalSource } from "../admission/testing/local-source.ts";
import { createReviewer, type Reviewer } from "../admission/testing/reviewer.ts";
import type { ConnectedCluster } from "../clusters/cluster-stream.ts";
import { podsOf } from "../clusters/pods-of.ts";
import type { Queue } from "../jobs/queue.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { learnBaselines, learnOfCluster } from "./learn.ts";

/** A whole server, its database, and a replica of the webhook: only the stream between them is left out. */
const NAME = "bulwark-admission.bulwark.svc";
const DAY_MS = 86_400_000;
/** As hostile as a path may be that Kubernetes takes. */
const HOSTILE = '/srv/"] || true || "x" in ["\n- /etc {image.reference} \' #: &a *a !!js';
/** Nothing is scanned here. */
const queue: Queue = { add: async () => {}, work: async () => {}, schedule: async () => {}, close: async () => {} };
const log = { warn: () => {}, error: () => {} };
let server: TestApp;
let security: TestAccount;
let store: Store;
let answers: AdmissionAnswers;
let cluster: ConnectedCluster;
let role: AdmissionRole;
let api: Reviewer;
const ended: (() => Promise<void> | void)[] = [];
let deps: Parameters<typeof learnBaselines>[0];

beforeAll(async () => {
  server = await openTestApp();
  ({ store } = server);
  security = await server.account("security");
  deps = { store, clock: () => server.clock.now, log };
  cluster = await joined("harbour");
  answers = await openAdmissionAnswers({
    ...{ store, queue, secrets: server.secrets, clock: deps.clock, log },
  });
  const source = await createLocalSource(answers, store, cluster);
  const { serving, authorities } = await firstState([NAME], new Date());
  role = await startAdmission({
    ...{ source, listen: { host: "127.0.0.1", port: 0 }, certificate: { given: serving }, clock: () => new Date() },
    ...{ log, drainMs: 0 },
  });
  api = createReviewer(role.port, () => authorities[0]?.cert ?? "", NAME);
  ended.push(async () => {
    api.close();
    await role.close();
    await source.close();
  });
});
afterAll(async () => {
  for (const end of ended) await end();
  await answers?.close();
  await server.close();
});

async function joined(name: string): Promise<ConnectedCluster> {
  const uid = randomUUID();
  const made = { uid, name, grade: null, ownerId: null, now: server.clock.now };
  const id = (await store.tenant(1, (db) => addCluster(db, 1, made)))!;
  return { id, uid, tenantId: 1, name, kubernetesUid: randomUUID() };
}

async function ask<Body = Baseline>(method: "GET" | "POST", url: string, payload?: object, who = security) {
  const answer = await server.app.inject({
    ...{ method, url: `/api/v1/admission${url}`, headers: who.bearer },
    ...(payload && { payload }),
  });
  return { status: answer.statusCode, body: answer.json() as Body };
}

interface Baseline {
  readonly id: number;
  readonly state: string;
  readonly pods: number;
  readonly excluded: number;
  readonly excludedWorkloads: readonly string[];
  readonly tooMany: readonly string[];
  readonly values: readonly { readonly kind: string; readonly value: string; readonly pods: number }[];
}

interface Proposal {
  readonly policy: string;
  readonly content: string;
  readonly enforceable: readonly { readonly policy: string }[];
  readonly broken: readonly { readonly policy: string; readonly pods: number }[];
}

const container = (more: object = {}) => ({
  ...{ name: "app", image: "registry.example/shop/app:1" },
  ...more,
});
/** What an agent tells of a pod of a deployment. */
function pod(name: string, spec: object = {}, more: { namespace?: string; labels?: object; phase?: string } = {}) {
  const { namespace = "shop", labels = {}, phase = "Running" } = more;
  const uid = `u-${namespace}-${name}`;
  const owner = {
    uid: `d-${namespace}-${name}`,
    kind: "StatefulSet",
    name: name.replace(/-\d+$/, ""),
    controller: true,
  };
  const document = {
    metadata: { name, namespace, labels, ownerReferences: [{ ...owner, uid: `d-${owner.name}` }] },
    spec: { containers: [container()], serviceAccountName: "shop", nodeName: `n-${name}`, ...spec },
    status: { phase },
  };
  return { uid, apiVersion: "v1", kind: "Pod", namespace, name, document } satisfies SeenObject;
}
const tell = (objects: readonly SeenObject[], where = cluster) =>
  store.tenant(1, async (db) => {
    const now = server.clock.now;
    await keepObjects(db, where.id, { epoch: "e", objects, now });
    await keepPods(db, where.id, await podsOf(db, where.id, objects), now);
  });
const forget = (...pods: readonly SeenObject[]) =>
  store.tenant(1, (db) =>
    dropObjects(
      db,
      cluster.id,
      pods.map(({ uid }) => uid),
    ),
  );

let uid = 0;
async function review(object: { readonly document: object; readonly namespace: string }) {
  const { namespace, document } = object;
  const request = {
    ...{
      uid: `u-${uid++}`,
      kind: { group: "", version: "v1", kind: "Pod" },
      namespace,
      operation: "CREATE",
      name: "new",
    },
    ...{ object: { ...document, apiVersion: "v1", kind: "Pod" }, userInfo: { username: "ann" } },
  };
  const body = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
  return (await api.post("/validate?timeout=10s", body)).body.response;
}
/** What the policy alone says: other policies watch, too. */
async function saidBy(policy: string, object: ReturnType<typeof pod>): Promise<readonly string[]> {
  const answer = await review(object);
  return [...(answer?.warnings ?? []), answer?.status?.message ?? ""].filter((each) => each.includes(policy));
}

const volumes = [{ name: "logs", hostPath: { path: "/var/log/app" } }];
const web = [pod("web-0"), pod("web-1", { containers: [container({ image: "registry.example/shop/app:2" })] })];
const collector = pod("collector-0", { volumes: [...volumes, { name: "odd", hostPath: { path: HOSTILE } }] });

test("a scope is learned of its pods, proposed, approved by a person, and the policy names what is new", async () => {
  await tell([...web, collector, pod("elsewhere-0", { hostPID: true }, { namespace: "bank" })]);
  const learning = await ask("POST", "/baselines", { cluster: cluster.id, namespace: "shop", days: 7 });
  expect(learning).toMatchObject({ status: 201, body: { state: "learning", pods: 3 } });
  const { id } = learning.body;
  expect((await ask("POST", "/baselines", { cluster: cluster.id, namespace: "shop" })).status).toBe(409);

  await learnBaselines(deps);
  const seen = (await ask("GET", `/baselines/${id}`)).body;
  expect(seen).toMatchObject({ state: "learning", pods: 3, excluded: 0 });
  expect(seen.values).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: "image", value: "registry.example/shop/app", pods: 3 }),
      expect.objectContaining({ kind: "host-path", value: HOSTILE, pods: 1, sources: ["StatefulSet shop/collector"] }),
      expect.objectContaining({ kind: "service-account", value: "shop" }),
      expect.objectContaining({ kind: "broken-policy", value: "host-path", pods: 1 }),
    ]),
  );
  expect(seen.values.map(({ kind }) => kind)).not.toContain("host-namespace");
  expect((await ask("POST", `/baselines/${id}/activate`, {})).status).toBe(409);

  // Nobody has to do anything when the period is over but approve.
  server.clock.now = new Date(server.clock.now.getTime() + 7 * DAY_MS + 1);
  security = await server.account("security");
  await learnBaselines(deps);
  expect((await ask("GET", `/baselines/${id}`)).body).toMatchObject({ state: "proposed", pods: 3 });
  const { body: proposal } = await ask<Proposal>("GET", `/baselines/${id}/proposal`);
  expect(proposal.broken).toContainEqual({ policy: "host-path", pods: 1 });
  const names = proposal.enforceable.map(({ policy }) => policy);
  expect(names).toEqual(expect.arrayContaining(["no-privileged", "host-namespaces"]));
  for (const other of ["host-path", "resource-limits", "critical-flaws"]) expect(names).not.toContain(other);

  const operator = await server.account("operator");
  expect((await ask("POST", `/baselines/${id}/activate`, {}, operator)).status).toBe(403);
  expect((await ask("POST", `/baselines/${id}/activate`, { enforce: ["host-path"] })).status).toBe(409);
  const enforce = ["no-privileged"];
  expect(await ask("POST", `/baselines/${id}/activate`, { enforce })).toMatchObject({
    status: 200,
    body: { state: "active", policy: proposal.policy, approvedBy: expect.any(String) },
  });
  const other = pod("new-0", { volumes: [{ name: "etc", hostPath: { path: "/etc" } }] });
  await expect.poll(() => saidBy(proposal.policy, other), { timeout: 10_000 }).toHaveLength(1);
  const [said] = await saidBy(proposal.policy, other);
  expect(said).toContain("etc (/etc)");
  expect((await review(other))?.allowed).toBe(true);
  for (const each of [...web, collector]) {
    expect(await saidBy(proposal.policy, each)).toEqual([]);
    expect((await review(each))?.allowed).toBe(true);
  }
  const privileged = pod("p-0", { containers: [container({ securityContext: { privileged: true } })] });
  expect(await review(privileged)).toMatchObject({ allowed: false });
  expect(await saidBy(proposal.policy, pod("other-0", {}, { namespace: "bank" }))).toEqual([]);

  // A person enforces it like any other policy.
  await ask("POST", "/modes", { policy: proposal.policy, mode: "enforce" });
  await expect.poll(async () => (await review(other))?.allowed, { timeout: 10_000 }).toBe(false);
  for (const each of [...web, collector]) expect((await review(each))?.allowed).toBe(true);

  expect((await ask("POST", `/baselines/${id}/retire`)).body).toMatchObject({ state: "retired" });
  await expect.poll(async () => (await review(other))?.allowed, { timeout: 10_000 }).toBe(true);
  expect((await ask("POST", `/baselines/${id}/retire`)).status).toBe(409);
});

const alertOn = (name: string, more: Partial<NewAlert> = {}): NewAlert => ({
  ...{
    foldKey: randomUUID(),
    rule: "Miner",
    title: "a miner",
    severity: "critical",
    tags: [],
    count: 1,
    blocked: false,
  },
  ...{ batchId: 0, position: 0, nodeId: null, clusterId: cluster.id, workloadId: null, at: server.clock.now },
  ...{ container: "", containerName: "", image: "", imageDigest: "", namespace: "lab", pod: name },
  ...{ process: "", exe: "", pid: 0, processStart: 0, facts: {} },
  ...more,
});
const valuesOf = async (id: number) =>
  (await ask("GET", `/baselines/${id}`)).body.values
    .filter(({ kind }) => kind === "image" || kind === "host-path")
    .map(({ value }) => value);

test("nothing is learned of what raised an alert or came by break-glass, and what was learned of it before is forgotten", async () => {
  const lab = (name: string, image: string, phase = "Running") =>
    pod(name, { containers: [container({ image: `lab.example/${image}` })] }, { namespace: "lab", phase });
  const good = lab("good-0", "good");
  const shared = lab("twin-0", "good");
  const evil = lab("evil-0", "evil");
  const gone = lab("gone-0", "gone");
  const broken = lab("broken-0", "broken");
  await tell([good, shared, evil, gone, broken, lab("waiting-0", "waiting", "Pending")]);
  const { id } = (await ask("POST", "/baselines", { cluster: cluster.id, namespace: "lab" })).body;
  await learnOfCluster(deps, 1, cluster.id);
  expect(await valuesOf(id)).toEqual(["broken", "evil", "gone", "good"].map((name) => `lab.example/${name}`));

  await forget(gone);
  const audit = { objectRef: { resource: "statefulsets", namespace: "lab", name: "gone" } };
  await store.tenant(1, (db) => raiseAlerts(db, [alertOn("evil-0"), alertOn("", { facts: { audit } })]));
  const decision = {
    ...{ verdict: "broken-glass", kind: "Pod", namespace: "lab", name: "broken-0", user: "ann", grant: "1" },
    ...{
      firstAt: server.clock.now,
      lastAt: server.clock.now,
      count: 1,
      operation: "CREATE",
      asked: [],
      violations: [],
    },
  };
  const document = JSON.parse(JSON.stringify([decision]));
  await store.tenant(1, (db) =>
    keepBatch(db, cluster, { epoch: "b", sequence: 1, document, dropped: 0 }, server.clock.now),
  );
  await learnOfCluster(deps, 1, cluster.id);
  expect(await valuesOf(id)).toEqual(["lab.example/good"]);

  // Counted anew, and not twice.
  const proposed = (await ask("POST", `/baselines/${id}/propose`)).body;
  expect(proposed).toMatchObject({ state: "proposed", excluded: 2, pods: 5 });
  expect(proposed.excludedWorkloads).toEqual(["StatefulSet lab/broken", "StatefulSet lab/evil"]);
  expect(proposed.values.find(({ value }) => value === "lab.example/good")).toMatchObject({ pods: 2 });

  // What comes to light between the proposal and the approval counts, too.
  const content = async () => (await ask<Proposal>("GET", `/baselines/${id}/proposal`)).body.content;
  expect(await content()).toContain("lab.example/good");
  await store.tenant(1, (db) => raiseAlerts(db, [alertOn("good"), alertOn("twin")]));
  expect(await content()).not.toContain("lab.example/good");
});

test("a label is learned across namespaces; what there is too much of is told and asked nothing of", async () => {
  const labels = { owner: "payments" };
  const many = Array.from({ length: 230 }, (_, n) =>
    pod(
      `many-${n}`,
      { volumes: [{ name: "v", hostPath: { path: `/srv/${n}` } }] },
      { namespace: n % 2 === 0 ? "east" : "west", labels },
    ),
  );
  await tell([...many, pod("none-0", { hostPID: true }, { namespace: "east" })]);
  const label = { name: "owner", value: "payments" };
  const { id } = (await ask("POST", "/baselines", { cluster: cluster.id, label })).body;
  await learnOfCluster(deps, 1, cluster.id);
  await learnOfCluster(deps, 1, cluster.id);
  const { body } = await ask("POST", `/baselines/${id}/propose`);
  expect(body).toMatchObject({ pods: 230, tooMany: ["host-path"] });
  expect(body.values.filter(({ kind }) => kind === "host-path")).toHaveLength(200);
  expect(body.values.map(({ kind }) => kind)).not.toContain("host-namespace");
  const { body: proposal } = await ask<Proposal>("GET", `/baselines/${id}/proposal`);
  expect(proposal.content).not.toContain("id: host-path");
  expect(proposal.enforceable).toEqual([]);
  expect((await ask("POST", `/baselines/${id}/activate`, { enforce: ["no-privileged"] })).status).toBe(409);
});

test("what is enforced with a baseline denies in its own cluster, and not in a namespace of that name elsewhere", async () => {
  const haven = await joined("haven");
  await tell([pod("web-0", {}, { namespace: "both" })]);
  await tell([pod("web-0", { hostNetwork: true }, { namespace: "both" })], haven);
  const { id } = (await ask("POST", "/baselines", { cluster: cluster.id, namespace: "both" })).body;
  await learnOfCluster(deps, 1, cluster.id);
  await ask("POST", `/baselines/${id}/propose`);
  expect((await ask("POST", `/baselines/${id}/activate`, { enforce: ["host-namespaces"] })).status).toBe(200);
  const modes = async (id: number) =>
    (
      await deps.store.tenant(1, (db) => bundleFor(db, { id, uid: "", name: "", grade: "" }, deps.clock()))
    ).modes.filter(({ namespace }) => namespace === "both");
  expect(await modes(cluster.id)).toEqual([{ policy: "host-namespaces", namespace: "both", mode: "enforce" }]);
  expect(await modes(haven.id)).toEqual([]);
});

test("a scope without pods is no baseline, and a scope is named", async () => {
  const { id } = (await ask("POST", "/baselines", { cluster: cluster.id, namespace: "empty" })).body;
  await learnOfCluster(deps, 1, cluster.id);
  await ask("POST", `/baselines/${id}/propose`);
  expect((await ask("POST", `/baselines/${id}/activate`, {})).status).toBe(409);
  expect((await ask("POST", "/baselines", { cluster: cluster.id })).status).toBe(400);
  expect((await ask("POST", "/baselines", { cluster: cluster.id, label: { name: "a b", value: "*" } })).status).toBe(
    400,
  );
  expect((await ask("POST", "/baselines", { cluster: 9_999, namespace: "shop" })).status).toBe(404);
});

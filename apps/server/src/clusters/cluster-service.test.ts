import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addCluster, addTenant, getCluster, listObjects, listPods, setClusterToken } from "@bulwark/store";
import { openTestStore, type TestStore } from "@bulwark/store/testing";
import { status } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { enroll, type GatewayAddress, openGateway, openStream, type UpstreamMessage } from "../agent/gateway-client.ts";
import { type Identity, newRequest } from "../agent/identity.ts";
import { type Authority, openAuthority } from "../gateway/authority.ts";
import { createBatchWriter } from "../gateway/batch-writer.ts";
import { type Gateway, startGateway } from "../gateway/start-gateway.ts";
import { openSecretBox, type SecretBox } from "../security/secret-box.ts";
import type { ToCluster } from "./gen/wire-types.ts";

const directory = mkdtempSync(join(tmpdir(), "bulwark-clusters-"));
const log = pino({ level: "silent" });
const clock = () => new Date();
const changed: [number, number][] = [];
let opened: TestStore;
let secrets: SecretBox;
let authority: Authority;
let gateway: Gateway;
let address: GatewayAddress;
let other: number;

beforeAll(async () => {
  opened = await openTestStore();
  secrets = await openSecretBox({ file: join(directory, "keys.json") });
  authority = await openAuthority(opened.store, secrets, clock());
  other = (await addTenant(opened.store, "other", async () => {}))!.tenant.id;
  const { store } = opened;
  const writer = createBatchWriter({ store, clock, log, inspect: async () => [], onAlerts: async () => {} });
  gateway = await startGateway(
    {
      ...{ store, secrets, authority, writer, clock, log },
      clusters: {
        admission: {
          bundle: async () => ({ revision: 3, document: { policies: [] } }),
          answer: async (_, { references }, send) =>
            send({ images: Object.fromEntries(references.map((r) => [r, {}])) }),
          decided: async () => {},
        },
        audit: { inspect: async () => {} },
        onChange: (...what) => void changed.push(what),
      },
      watchPolicies: () => {},
      policyOf: async () => ({ revision: 1, policy: {} }),
      onResult: async () => {},
      onFacts: async () => {},
    },
    { host: "127.0.0.1", port: 0 },
  );
  address = { host: "127.0.0.1", port: gateway.port };
});
afterAll(async () => {
  await gateway.close();
  await opened.close();
  rmSync(directory, { recursive: true });
});

interface Joined extends Identity {
  readonly id: number;
  readonly kubernetesUid: string;
}

async function joined(tenantId = 1, kubernetesUid: string = randomUUID()): Promise<Joined> {
  const { id, token } = await invited(tenantId);
  return { id, kubernetesUid, joinedWith: "", ...(await certified(token, kubernetesUid)) };
}

async function invited(tenantId = 1): Promise<{ readonly id: number; readonly token: string }> {
  const secret = randomUUID();
  const id = await opened.store.tenant(tenantId, async (db) => {
    const made = (await addCluster(db, tenantId, {
      ...{ uid: randomUUID(), name: randomUUID(), grade: null, ownerId: null, now: clock() },
    }))!;
    const hash = createHash("sha256").update(secret).digest("hex");
    await setClusterToken(db, tenantId, made, { hash, expiresAt: new Date(Date.now() + 60_000) });
    return made;
  });
  return { id, token: `${secret}.${authority.fingerprint}` };
}

async function certified(token: string, kubernetesUid: string) {
  const { key, request } = await newRequest();
  const given = await enroll(address, token, { certificateRequest: request, cluster: { kubernetesUid } });
  return { key, certificate: given.certificate, authority: given.authority };
}

/** An agent's end of a stream. */
function connect(identity: Omit<Identity, "joinedWith">) {
  const client = openGateway(address, identity);
  const stream = openStream(client);
  const told: ToCluster[] = [];
  const waiting: (() => void)[] = [];
  const wake = () => {
    for (const each of waiting.splice(0)) each();
  };
  let end: { readonly code: number; readonly details: string } | undefined;
  stream.on("data", (message: ToCluster) => {
    told.push(message);
    wake();
  });
  const ended = new Promise<{ code: number; details: string }>((resolve) => {
    const finish = (code: number, details: string) => {
      end ??= { code, details };
      wake();
      resolve(end);
    };
    stream.on("error", (error: Error & { code?: number; details?: string }) =>
      finish(error.code ?? -1, error.details ?? error.message),
    );
    stream.on("end", () => finish(0, ""));
  });
  return {
    send: (message: UpstreamMessage) => void stream.write(message),
    ended,
    async until<Found>(find: (message: ToCluster) => Found | null | undefined): Promise<Found> {
      for (;;) {
        for (const message of told) {
          const found = find(message);
          if (found != null) return found;
        }
        if (end !== undefined) throw new Error(`the stream ended: ${end.code} ${end.details}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    close() {
      stream.cancel();
      client.close();
    },
  };
}

const hello = (cluster: Joined, roles = ["agent"]): UpstreamMessage => ({
  hello: { cluster: { kubernetesUid: cluster.kubernetesUid, version: "v1", agentVersion: "1", replica: "r1" }, roles },
});

function pod(name: string, document: unknown = { metadata: {}, spec: { containers: [] } }) {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return { uid: `u-${name}`, apiVersion: "v1", kind: "Pod", namespace: "shop", name, document: Buffer.from(text) };
}

const acknowledged = (sequence: number) => (message: ToCluster) =>
  message.acknowledgement?.kind === "objects" && message.acknowledgement.sequence === sequence ? true : undefined;

/** How a stream ends after these messages. */
async function refused(cluster: Joined, ...messages: readonly UpstreamMessage[]) {
  const agent = connect(cluster);
  for (const message of messages) agent.send(message);
  const end = await agent.ended;
  agent.close();
  return end;
}

const names = async (tenantId: number) =>
  (await opened.store.tenant(tenantId, (db) => listObjects(db, { limit: 1_000 }))).map(({ name }) => name);

test("objects are kept for the cluster of the certificate, and seen by its tenant alone", async () => {
  const [own, foreign] = [await joined(), await joined(other)];
  for (const [cluster, name] of [
    [own, "mine"],
    [foreign, "theirs"],
  ] as const) {
    const agent = connect(cluster);
    agent.send(hello(cluster));
    agent.send({ objects: { epoch: "1", sequence: 1, changed: [pod(name)] } });
    await agent.until(acknowledged(1));
    agent.close();
  }
  expect(await names(1)).toContain("mine");
  expect(await names(1)).not.toContain("theirs");
  expect(await names(other)).toEqual(["theirs"]);
  expect(changed).toContainEqual([1, own.id]);
  expect(await opened.store.tenant(other, (db) => getCluster(db, own.id, clock()))).toBeUndefined();
});

test("two clusters may have an object of one uid: neither touches the other's", async () => {
  const [one, two] = [await joined(), await joined()];
  for (const cluster of [one, two]) {
    const agent = connect(cluster);
    agent.send(hello(cluster));
    agent.send({ objects: { epoch: "1", sequence: 1, changed: [pod("twin")] } });
    await agent.until(acknowledged(1));
    if (cluster === two) {
      agent.send({ objects: { epoch: "1", sequence: 2, removed: ["u-twin"] } });
      await agent.until(acknowledged(2));
    }
    agent.close();
  }
  const of = (clusterId: number) => opened.store.tenant(1, (db) => listPods(db, { clusterId, limit: 10 }));
  expect(await of(one.id)).toHaveLength(1);
  expect(await of(two.id)).toHaveLength(0);
});

test("a cluster that shows the certificate of another is refused", async () => {
  const cluster = await joined();
  const copy = { ...cluster, kubernetesUid: "another" };
  expect(await refused(copy, hello(copy))).toMatchObject({ details: expect.stringContaining("another cluster") });
});

test("a sensor's certificate opens no cluster's stream", async () => {
  const { key, request } = await newRequest();
  const { pem } = await authority.certifyNode(request, { uid: randomUUID(), tenantId: 1 }, clock());
  const agent = connect({ key, certificate: pem, authority: authority.certificate });
  expect(await agent.ended).toMatchObject({ code: status.UNAUTHENTICATED });
  agent.close();
});

test.each([
  ["anything before hello", { objects: { epoch: "1", sequence: 1 } }],
  ["a document that is no JSON", { objects: { epoch: "1", sequence: 1, changed: [pod("x", "{")] } }],
  ["a document that is no object", { objects: { epoch: "1", sequence: 1, changed: [pod("x", "[1]")] } }],
  ["an object without a uid", { objects: { epoch: "1", sequence: 1, changed: [{ ...pod("x"), uid: "" }] } }],
  ["a name with a NUL", { objects: { epoch: "1", sequence: 1, changed: [{ ...pod("x"), name: "a\0b" }] } }],
  ["an epoch that is no number", { objects: { epoch: "zzz", sequence: 1 } }],
  ["a batch without a number", { objects: { epoch: "1", changed: [pod("x")] } }],
  ["decisions that are no JSON", { decisions: { epoch: "1", sequence: 1, document: Buffer.from("{") } }],
] as const)("%s is refused with its reason, and nothing of it is kept", async (what, message) => {
  const cluster = await joined();
  const first = what === "anything before hello" ? [] : [hello(cluster)];
  const { code, details } = await refused(cluster, ...first, message as UpstreamMessage);
  expect([code, details]).toEqual([status.INVALID_ARGUMENT, expect.stringMatching(/\w+ \w+/)]);
  expect(await opened.store.tenant(1, (db) => listPods(db, { clusterId: cluster.id, limit: 10 }))).toEqual([]);
});

test("of a document that is too large what is judged is kept, and so is the rest of its batch", async () => {
  const cluster = await joined();
  const agent = connect(cluster);
  agent.send(hello(cluster));
  const filled = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`a${n}`, "x".repeat(10_000)]));
  const large = pod("large", { metadata: { annotations: filled }, spec: { nodeName: "n1" } });
  agent.send({ objects: { epoch: "1", sequence: 1, changed: [large, pod("small")] } });
  await agent.until(acknowledged(1));
  agent.close();
  const pods = await opened.store.tenant(1, (db) => listPods(db, { clusterId: cluster.id, limit: 10 }));
  expect(pods.map(({ name, node }) => [name, node])).toEqual([
    ["large", "n1"],
    ["small", ""],
  ]);
});

test("hostile documents are kept as what they are: markup, lone surrogates, NUL, prototypes, thousands of containers", async () => {
  const cluster = await joined();
  const agent = connect(cluster);
  agent.send(hello(cluster));
  const containers = Array.from({ length: 3_000 }, (_, n) => ({ name: `c${n}`, image: "<script>" }));
  const odd = [
    pod(
      "<img src=x>",
      '{"metadata":{"labels":{"__proto__":"x","constructor":"y"}},"spec":{"containers":[{"name":"\\u0000\\ud800"}]}}',
    ),
    pod("many", { metadata: { ownerReferences: "none" }, spec: { containers, nodeName: 7, hostNetwork: "yes" } }),
    pod("circle", {
      metadata: { ownerReferences: [{ controller: true, kind: "Pod", name: "circle", uid: "u-circle" }] },
    }),
  ];
  agent.send({ objects: { epoch: "1", sequence: 1, changed: odd } });
  await agent.until(acknowledged(1));
  agent.close();
  const pods = await opened.store.tenant(1, (db) => listPods(db, { clusterId: cluster.id, limit: 10 }));
  expect(pods.map(({ name, containers: all }) => [name, all.length])).toEqual([
    ["<img src=x>", 1],
    ["many", 3_000],
    ["circle", 0],
  ]);
});

test("a token is used up by showing the certificate it gave, not by asking for it", async () => {
  const { token } = await invited();
  const lost = await certified(token, "k-1");
  const kept = { ...(await certified(token, "k-1")), id: 0, kubernetesUid: "k-1", joinedWith: "" };
  await expect(certified(token, "k-2")).rejects.toThrow(/another cluster/);
  const agent = connect(kept);
  agent.send(hello(kept));
  agent.send({ objects: { epoch: "1", sequence: 1 } });
  await agent.until(acknowledged(1));
  agent.close();
  await expect(certified(token, "k-1")).rejects.toThrow(/unknown, used up or expired/);
  // Of two certificates for one token the last one counts.
  const before = connect(lost);
  expect(await before.ended).toMatchObject({ code: status.UNAUTHENTICATED });
  before.close();
});

test("a cluster goes on with what it showed before until it shows what a new token gave it", async () => {
  const cluster = await joined();
  const first = connect(cluster);
  first.send(hello(cluster));
  first.send({ objects: { epoch: "1", sequence: 1 } });
  await first.until(acknowledged(1));
  first.close();
  const secret = randomUUID();
  const hash = createHash("sha256").update(secret).digest("hex");
  const expiresAt = new Date(Date.now() + 60_000);
  await opened.store.tenant(1, (db) => setClusterToken(db, 1, cluster.id, { hash, expiresAt }));
  const next = { ...cluster, ...(await certified(`${secret}.${authority.fingerprint}`, cluster.kubernetesUid)) };
  for (const shown of [cluster, next]) {
    const agent = connect(shown);
    agent.send(hello(shown));
    agent.send({ objects: { epoch: "1", sequence: 1 } });
    await agent.until(acknowledged(1));
    agent.close();
  }
  expect(await refused(cluster, hello(cluster))).toMatchObject({ code: status.UNAUTHENTICATED });
});

test("an agent that leads no more overwrites nothing, and is told what was said since", async () => {
  const cluster = await joined();
  const [late, leader] = [connect(cluster), connect(cluster)];
  for (const agent of [late, leader]) agent.send(hello(cluster));
  leader.send({ objects: { epoch: "2", sequence: 1, changed: [pod("new")], synced: ["v1/Pod"] } });
  await leader.until(acknowledged(1));
  late.send({ objects: { epoch: "1", sequence: 1, changed: [pod("old")], removed: ["u-new"] } });
  await late.until(acknowledged(1));
  const later = await late.until(({ acknowledgement }) => acknowledgement?.later);
  expect(BigInt(later)).toBe(2n);
  // Nine is less than ten, whatever texts say.
  leader.send({ objects: { epoch: "9", sequence: 1 } });
  leader.send({ objects: { epoch: "10", sequence: 2 } });
  expect(await leader.until(({ acknowledgement: it }) => (it?.sequence === 2 ? it.later : undefined))).toBe("");
  for (const agent of [late, leader]) agent.close();
  const pods = await opened.store.tenant(1, (db) => listPods(db, { clusterId: cluster.id, limit: 10 }));
  expect(pods.map(({ name }) => name)).toEqual(["new"]);
});

test("admission is told what it judges by, and its questions are answered", async () => {
  const cluster = await joined();
  const agent = connect(cluster);
  agent.send(hello(cluster, ["admission"]));
  expect(await agent.until(({ admission }) => admission)).toMatchObject({ revision: 3 });
  agent.send({ question: { id: 7, references: ["shop:1"], namespace: "shop" } });
  const last = await agent.until(({ answer }) => (answer?.last === true ? answer : undefined));
  const first = await agent.until(({ answer }) => (answer?.last === false ? answer : undefined));
  expect(last.id).toBe(7);
  expect(JSON.parse(Buffer.from(first.document).toString())).toEqual({ images: { "shop:1": {} } });
  agent.close();
});

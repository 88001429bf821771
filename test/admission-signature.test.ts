import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import type { FactsAnswer } from "@bulwark/kubernetes";
import { addCluster } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdmissionAnswers, openAdmissionAnswers } from "../apps/server/src/admission/answer.ts";
import { openSecretBox } from "../apps/server/src/security/secret-box.ts";
import { bulwark } from "./support/cli.ts";
import { pushLayout } from "./support/push.ts";
import { type RealRegistry, startRealRegistry } from "./support/real-registry.ts";
import { type ServerUnderTest, startTestServer } from "./support/running-server.ts";

const directory = temporaryDirectory();
const at = (name: string) => join(directory.path, name);
const NAMES = ["team/signed", "team/plain", "team/foreign"] as const;
let registry: RealRegistry;
let server: ServerUnderTest;
let answers: AdmissionAnswers;
let clusterId: number;

beforeAll(async () => {
  registry = await startRealRegistry(at("registry"));
  for (const name of NAMES) {
    const layout = at(name.replace("/", "-"));
    writeLayout(buildImage({ layers: [{ files: { "app/name": name } }] }), layout, "x");
    await pushLayout(layout, `${registry.host}/${name}:1`);
  }
  for (const [key, name] of [
    ["release", "team/signed"],
    ["other", "team/foreign"],
  ] as const) {
    const env = { BULWARK_KEY_PASSPHRASE: "a long passphrase" };
    expect((await bulwark(at("cache"), ["sign", "--generate-key", at(key)], env)).status).toBe(0);
    const signed = await bulwark(
      at("cache"),
      ["sign", `http://${registry.host}/${name}:1`, "--key", at(`${key}.key`)],
      env,
    );
    expect(signed.status, signed.stderr).toBe(0);
  }
  server = await startTestServer(at("data"));
  await server.call("POST", "/registries", {
    ...{ name: "own", kind: "oci", address: registry.host, plainHttp: true, allowPrivate: true, pollMinutes: 0 },
  });
  const { store, queue } = server.running;
  const secrets = await openSecretBox({ file: join(at("data"), "master-keys.json") });
  answers = await openAdmissionAnswers({ store, queue, secrets, clock: () => new Date(), log: { warn: () => {} } });
  const cluster = { uid: "c-1", name: "prod", grade: null, ownerId: null, now: new Date() };
  clusterId = (await store.tenant(1, (db) => addCluster(db, 1, cluster))) ?? 0;
});
afterAll(async () => {
  await answers?.close();
  await server?.close();
  await registry?.stop();
  directory.remove();
});

async function signatures(): Promise<readonly (string | undefined)[]> {
  const references = NAMES.map((name) => `${registry.host}/${name}:1`);
  const cluster = { id: clusterId, uid: "c-1", tenantId: 1, name: "prod", kubernetesUid: "k" };
  let told: FactsAnswer | undefined;
  const take = (document: unknown) => {
    told = document as FactsAnswer;
  };
  await answers.answer(cluster, { references, namespace: "shop" }, take, AbortSignal.timeout(20_000));
  return references.map((reference) => told?.images[reference]?.signature);
}

test("without a signature policy nothing is said of signatures", async () => {
  await expect.poll(signatures, { timeout: 30_000 }).toEqual(["unchecked", "unchecked", "unchecked"]);
});

test("images are verified by the tenant's signature policy: signed, unsigned, signed by somebody else", async () => {
  const settings = await server.call<{ mutation: object }>("GET", "/admission/settings");
  const policy = "name: release\nrules:\n  - name: release key\n    key: release.pub\n";
  const keys = [{ name: "release.pub", pem: readFileSync(at("release.pub"), "utf8") }];
  await server.call("POST", "/admission/settings", { ...settings, signature: { policy, keys } });
  await expect.poll(signatures, { timeout: 30_000 }).toEqual(["verified", "unsigned", "invalid"]);
});

test("a signature policy that names a key which is not there is refused", async () => {
  const settings = await server.call<{ mutation: object }>("GET", "/admission/settings");
  const signature = { policy: "name: x\nrules:\n  - name: a\n    key: lost.pub\n", keys: [] };
  await expect(server.call("POST", "/admission/settings", { ...settings, signature })).rejects.toThrow("lost.pub");
});

import { addCluster } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { bundleFor } from "./bundle-document.ts";

const POLICY = "no-privileged";
let server: TestApp;
let security: TestAccount;
let harbour: number;
let haven: number;
beforeAll(async () => {
  server = await openTestApp();
  security = await server.account("security");
  [harbour, haven] = [await joined("harbour"), await joined("haven")];
});
afterAll(() => server.close());

async function joined(name: string): Promise<number> {
  const made = { uid: name, name, grade: null, ownerId: null, now: server.clock.now };
  return (await server.store.tenant(1, (db) => addCluster(db, 1, made)))!;
}

async function set(given: object) {
  const payload = { policy: POLICY, ...given };
  const url = "/api/v1/admission/modes";
  const { statusCode, body } = await server.app.inject({ method: "POST", url, headers: security.bearer, payload });
  return { status: statusCode, body: JSON.parse(body) };
}

/** What replicas of a cluster are told: the policy's mode, undefined where they do not get it, and those of namespaces. */
async function toldIn(id: number): Promise<readonly [string | undefined, Readonly<Record<string, string>>]> {
  const of = { id, uid: "", name: "", grade: "" };
  const { policies, modes } = await server.store.tenant(1, (db) => bundleFor(db, of, server.clock.now));
  const own = modes.filter(({ policy }) => policy === POLICY).map(({ namespace, mode }) => [namespace, mode] as const);
  return [policies.find(({ file }) => file === POLICY)?.mode, Object.fromEntries(own)];
}

test("what is said of less goes before what is said of more, and a namespace before its cluster", async () => {
  await set({ mode: "audit" });
  await set({ mode: "enforce", cluster: harbour });
  await set({ mode: "off", namespace: "batch" });
  expect(await toldIn(harbour)).toEqual(["enforce", { batch: "off" }]);
  expect(await toldIn(haven)).toEqual(["audit", { batch: "off" }]);
  await set({ mode: "enforce", namespace: "batch", cluster: haven });
  expect(await toldIn(haven)).toEqual(["audit", { batch: "enforce" }]);
  expect(await toldIn(harbour)).toEqual(["enforce", { batch: "off" }]);
  const { body } = await set({ mode: "audit", namespace: "batch", cluster: haven });
  expect(body.modes).toMatchObject([
    { cluster: { name: "harbour" }, namespace: "", mode: "enforce" },
    { cluster: null, namespace: "batch", mode: "off" },
    { cluster: { name: "haven" }, namespace: "batch", mode: "audit" },
  ]);
  await set({ mode: null, namespace: "batch", cluster: haven });
  await set({ mode: null, cluster: harbour });
  expect(await toldIn(haven)).toEqual(["audit", { batch: "off" }]);
  expect(await toldIn(harbour)).toEqual(["audit", { batch: "off" }]);
});

test("a policy that rests everywhere but in one cluster is told to that cluster alone", async () => {
  await set({ mode: null, namespace: "batch" });
  await set({ mode: "off" });
  await set({ mode: "enforce", cluster: haven });
  expect(await toldIn(haven)).toEqual(["enforce", {}]);
  expect(await toldIn(harbour)).toEqual([undefined, {}]);
});

test("a mode for a cluster that there is not is refused", async () => {
  expect((await set({ mode: "off", cluster: 9_999 })).status).toBe(404);
});

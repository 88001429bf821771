import { connect } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { RETIRE_MS, TRUST_MS } from "./authorities.ts";
import { keepCertificate, USUAL_PLACE } from "./keep-certificate.ts";
import { type AdmissionRole, startAdmission } from "./start-admission.ts";
import { createKubeStub, type KubeStub, MUTATING_PATH, VALIDATING_PATH } from "./testing/kube-stub.ts";
import { createReviewer, servedSerial } from "./testing/reviewer.ts";
import { createTestSource } from "./testing/test-source.ts";

const PLACE = { ...USUAL_PLACE, namespace: "bulwark" };
const NAME = "bulwark-admission.bulwark.svc";
const DAY_MS = 86_400_000;
const START = Date.now();
const REVIEW = JSON.stringify({
  ...{ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" },
  request: {
    ...{ uid: "u", operation: "CREATE", kind: { group: "", version: "v1", kind: "Pod" }, namespace: "shop" },
    object: { spec: { containers: [{ name: "a", image: "b" }] } },
  },
});

/**
 * A review on a connection of its own. A year is played in what replicas believe of the time, so the client overlooks the time of
 * certificates, and nothing else about them.
 */
function reviewOnce(port: number, bundle: string): Promise<{ readonly serial: string; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, ca: bundle, servername: NAME, rejectUnauthorized: false }, () => {
      const problem = String(socket.authorizationError ?? "");
      if (!["", "CERT_NOT_YET_VALID", "CERT_HAS_EXPIRED"].includes(problem)) socket.destroy(new Error(problem));
      const { serialNumber: serial = "" } = socket.getPeerX509Certificate() ?? {};
      const head = `POST /validate HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n`;
      socket.write(`${head}content-length: ${Buffer.byteLength(REVIEW)}\r\n\r\n${REVIEW}`);
      let text = "";
      socket.on("data", (part) => {
        text += part.toString("utf8");
      });
      socket.on("end", () => resolve({ serial, text }));
    });
    socket.on("error", reject);
  });
}

const ended: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

async function replica(kube: KubeStub, clock: { now: number }): Promise<AdmissionRole> {
  const quiet = { error: () => {}, warn: () => {} };
  const role = await startAdmission({
    ...{ source: createTestSource(), listen: { host: "127.0.0.1", port: 0 }, certificate: { kube, place: PLACE } },
    ...{ clock: () => new Date(clock.now), log: quiet, drainMs: 0 },
  });
  ended.push(role.close);
  return role;
}

test("replicas that start at once share one authority, which both configurations name", async () => {
  const kube = createKubeStub();
  const clock = { now: START };
  const roles = await Promise.all([replica(kube, clock), replica(kube, clock), replica(kube, clock)]);
  for (const role of roles) await role.certificate?.check();
  const bundles = new Set(roles.map((role) => role.certificate?.authorities));
  expect(bundles.size).toBe(1);
  expect(kube.caBundle(VALIDATING_PATH)).toBe([...bundles][0]);
  expect(kube.caBundle(MUTATING_PATH)).toBe([...bundles][0]);
  for (const { port } of roles) {
    const server = createReviewer(port, () => kube.caBundle(VALIDATING_PATH), NAME);
    expect((await server.post("/validate", REVIEW)).body.response?.allowed).toBe(true);
    server.close();
  }
});

test("certificate and authority are renewed under load, and no review fails at any step", async () => {
  const kube = createKubeStub();
  const clock = { now: START };
  const roles = [await replica(kube, clock), await replica(kube, clock)];
  // Each review on a connection of its own, trusting what the configuration says at that moment.
  let isLoaded = true;
  let reviews = 0;
  const failures: unknown[] = [];
  const load = roles.map(async ({ port }) => {
    while (isLoaded) {
      await reviewOnce(port, kube.caBundle(VALIDATING_PATH)).then(
        ({ text }) => (text.includes('"allowed":true') ? reviews++ : failures.push(text)),
        (error) => failures.push(error),
      );
    }
  });
  const serials = new Set<string>();
  const bundleSizes = new Set<number>();
  const look = async () => {
    for (const role of roles) await role.certificate?.check();
    const bundle = kube.caBundle(VALIDATING_PATH);
    bundleSizes.add(bundle.split("BEGIN CERTIFICATE").length - 1);
    for (const { port } of roles) serials.add((await reviewOnce(port, bundle)).serial);
  };
  for (const step of [0, 45 * DAY_MS, 190 * DAY_MS, TRUST_MS, 1_000, RETIRE_MS, 1_000]) {
    clock.now += step > DAY_MS ? 0 : step;
    if (step > DAY_MS) clock.now = START + step;
    await look();
    await look();
  }
  isLoaded = false;
  await Promise.all(load);
  expect(failures).toEqual([]);
  expect(reviews).toBeGreaterThan(20);
  expect([...bundleSizes].sort()).toEqual([1, 2]);
  expect(kube.caBundle(VALIDATING_PATH).split("BEGIN CERTIFICATE").length - 1).toBe(1);
  expect(serials.size).toBeGreaterThanOrEqual(3);
});

test("a replica that is lost leaves the others serving by the same certificate", async () => {
  const kube = createKubeStub();
  const clock = { now: START };
  const [lost, left] = [await replica(kube, clock), await replica(kube, clock)];
  const bundle = kube.caBundle(VALIDATING_PATH);
  expect(await servedSerial(lost.port, bundle, NAME)).toBe(await servedSerial(left.port, bundle, NAME));
  await lost.close();
  ended.splice(0, 1);
  await expect(servedSerial(lost.port, bundle, NAME)).rejects.toThrow();
  await servedSerial(left.port, bundle, NAME);
});

test("a damaged Secret is replaced", async () => {
  const kube = createKubeStub();
  const path = "/api/v1/namespaces/bulwark/secrets/bulwark-admission";
  kube.objects.set(path, {
    metadata: { name: "bulwark-admission", resourceVersion: "9" },
    data: { "state.json": "e30=" },
  });
  const errors: unknown[] = [];
  const kept = await keepCertificate(
    kube,
    PLACE,
    () => new Date(START),
    () => {},
    (error) => errors.push(error),
  );
  ended.push(kept.close);
  expect(kept.current.cert).toContain("BEGIN CERTIFICATE");
  expect(errors).toEqual([]);
});

test("an API server that refuses is told with what to check", async () => {
  const kube = createKubeStub();
  const refusing = { ...kube, call: async () => ({ status: 403, body: {} }) };
  const kept = keepCertificate(
    refusing,
    PLACE,
    () => new Date(START),
    () => {},
    () => {},
  );
  await expect(kept).rejects.toThrow(
    "Kubernetes answered 403 to GET /api/v1/namespaces/bulwark/secrets/bulwark-admission",
  );
});

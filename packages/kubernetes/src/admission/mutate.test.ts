import fc from "fast-check";
import { expect, test } from "vitest";
import { EMPTY_BUNDLE } from "./bundle.ts";
import { mutate, type PatchOperation } from "./mutate.ts";
import { podOf } from "./pod.ts";
import { readReview } from "./review.ts";
import { knownImage, makeFacts, makePod, makeReview } from "./testing/make-review.ts";

const DIGEST = `sha256:${"b".repeat(64)}`;
const ALL = { pinDigests: true, defaultSeccomp: true, withholdTokens: true };
const token = { name: "kube-api-access-x1", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } };
const mount = { name: token.name, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };

function patchOf(review: string, settings = ALL, images = {}): readonly PatchOperation[] {
  const request = readReview(review);
  return mutate(request, podOf(request), makeFacts({}, { images }), { ...EMPTY_BUNDLE.mutation, ...settings });
}

/** RFC 6902 for what we send: slow, and by the letter. */
function applied(document: unknown, patch: readonly PatchOperation[]): unknown {
  const result = structuredClone(document);
  for (const operation of patch) {
    const steps = operation.path.slice(1).split("/");
    const last = steps.pop() ?? "";
    const parent = steps.reduce((at: unknown, step) => (at as Record<string, unknown>)[step], result) as Record<
      string,
      unknown
    >;
    if (operation.op === "remove") {
      expect(parent[last]).toBeDefined();
      if (Array.isArray(parent)) parent.splice(Number(last), 1);
      else delete parent[last];
    } else {
      if (operation.op === "replace") expect(parent[last]).toBeDefined();
      parent[last] = operation.value;
    }
  }
  return result;
}

test("whatever mounts a pod has, only the token's volume and its mounts go", () => {
  const other = fc.constantFrom({ name: "tmp", mountPath: "/tmp" }, { name: token.name, mountPath: "/elsewhere" });
  const mounts = fc.array(fc.oneof(other, fc.constant(mount)), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(mounts, { minLength: 1, maxLength: 4 }), fc.nat(3), (lists, place) => {
      const containers = lists.map((volumeMounts, at) => ({ name: `c${at}`, image: "a:1", volumeMounts }));
      const volumes: object[] = [
        { name: "tmp", emptyDir: {} },
        { name: "x", emptyDir: {} },
        { name: "y", emptyDir: {} },
      ];
      volumes.splice(place, 0, token);
      const pod = makePod({ containers, volumes });
      const after = applied(pod, patchOf(makeReview(pod), { ...ALL, pinDigests: false })) as typeof pod;
      expect(after.spec).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { seccompProfile: { type: "RuntimeDefault" } },
        containers: containers.map((each) => ({
          ...each,
          volumeMounts: each.volumeMounts.filter((one) => one !== mount),
        })),
        volumes: volumes.filter((each) => each !== token),
      });
    }),
  );
});

test("what a pod says of its token, its profile and its digests is left as it is", () => {
  const pinned = { containers: [{ name: "app", image: `registry.example/app:1@${DIGEST}` }] };
  const spec = {
    ...pinned,
    automountServiceAccountToken: true,
    securityContext: { seccompProfile: { type: "Localhost" } },
  };
  const images = { [`registry.example/app:1@${DIGEST}`]: knownImage() };
  expect(patchOf(makeReview(makePod(spec)), ALL, images)).toEqual([]);
  expect(patchOf(makeReview(makePod({ os: { name: "windows" }, automountServiceAccountToken: true })), ALL)).toEqual(
    [],
  );
});

test("templates are never changed, and of a running pod only the image that changed", () => {
  const images = { "a:1": knownImage({ digest: DIGEST }), "a:2": knownImage({ digest: DIGEST }) };
  const { spec } = makePod({ containers: [{ name: "app", image: "a:1" }] });
  expect(patchOf(makeReview({ kind: "Deployment", spec: { template: { spec } } }), ALL, images)).toEqual([]);
  const old = makePod({
    containers: [
      { name: "app", image: "a:1" },
      { name: "side", image: "a:1" },
    ],
  });
  const now = makePod({
    containers: [
      { name: "app", image: "a:2" },
      { name: "side", image: "a:1" },
    ],
  });
  expect(patchOf(makeReview(now, { operation: "UPDATE", oldObject: old }), ALL, images)).toEqual([
    { op: "replace", path: "/spec/containers/0/image", value: `a:2@${DIGEST}` },
  ]);
});

test("the images of a running pod stay as they are when it is relabelled or resized", () => {
  const images = { "a:1": knownImage({ digest: DIGEST }), "a:2": knownImage({ digest: DIGEST }) };
  const spec = {
    initContainers: [{ name: "init", image: "a:1" }],
    containers: [{ name: "app", image: "a:1" }],
    ephemeralContainers: [{ name: "debug", image: "a:1" }],
    volumes: [{ name: "data", image: { reference: "a:1" } }],
  };
  const patched = (object: object, subResource = "") =>
    patchOf(makeReview(object, { operation: "UPDATE", oldObject: makePod(spec), subResource }), ALL, images);
  expect(patched(makePod(spec, { labels: { tier: "front" } }))).toEqual([]);
  const limits = { resources: { limits: { cpu: "1" } } };
  expect(patched(makePod({ ...spec, containers: [{ name: "app", image: "a:1", ...limits }] }), "resize")).toEqual([]);
  const containers = [{ name: "app", image: "a:2" }];
  const ephemeralContainers = [...spec.ephemeralContainers, { name: "second", image: "a:1" }];
  expect(patched(makePod({ ...spec, containers, ephemeralContainers }, { labels: { tier: "front" } }))).toEqual([
    { op: "replace", path: "/spec/containers/0/image", value: `a:2@${DIGEST}` },
    { op: "replace", path: "/spec/ephemeralContainers/1/image", value: `a:1@${DIGEST}` },
  ]);
});

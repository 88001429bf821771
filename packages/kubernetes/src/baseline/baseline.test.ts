import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileBundle } from "../admission/compile-bundle.ts";
import { UNKNOWN_NAMESPACE } from "../admission/facts.ts";
import { judge } from "../admission/judge.ts";
import { podOf } from "../admission/pod.ts";
import { readAdmissionPolicy } from "../admission/read-policy.ts";
import { readReview } from "../admission/review.ts";
import { makeBundle, makePod, makeReview } from "../admission/testing/make-review.ts";
import { proposePolicy } from "./propose-policy.ts";
import { type Trait, traitsOf } from "./traits.ts";

const scope = { cluster: "harbour", namespace: "shop", label: null };
const facts = { namespace: { ...UNKNOWN_NAMESPACE, known: true }, images: {} };
const requestOf = (object: unknown) => readReview(makeReview(object));
const learn = (...pods: readonly object[]): readonly Trait[] => pods.flatMap((pod) => traitsOf(podOf(requestOf(pod))!));
const propose = (traits: readonly Trait[], change: object = {}) =>
  proposePolicy({ ...{ name: "learned-1", scope, traits, tooMany: [] }, ...change });

/** The rules that a pod breaks, in the cluster that was learned of. */
function broken(policy: string, object: unknown, cluster = "harbour"): readonly string[] {
  const compiled = compileBundle(makeBundle([policy], { cluster: { id: "1", name: cluster, grade: "" } }));
  expect(compiled.problems).toEqual([]);
  return judge(requestOf(object), compiled, facts, { now: 0, elapsed: () => 0 }).violations.map(({ rule }) => rule);
}

const plain = makePod({
  containers: [{ name: "app", image: "registry.example/shop/app:1", securityContext: { runAsNonRoot: true } }],
  automountServiceAccountToken: false,
});
const agent = makePod({
  ...{ hostNetwork: true, serviceAccountName: "agent" },
  volumes: [{ name: "log", hostPath: { path: "/var/log" } }],
  containers: [
    { name: "agent", image: "nginx", securityContext: { runAsUser: 0, capabilities: { add: ["NET_ADMIN"] } } },
  ],
});

test("what was seen is told once each, with registries and accounts that nobody wrote down", () => {
  expect(learn(agent)).toEqual([
    { kind: "image", value: "docker.io/library/nginx" },
    { kind: "user", value: "root" },
    { kind: "capability", value: "NET_ADMIN" },
    { kind: "host-namespace", value: "network" },
    { kind: "host-path", value: "/var/log" },
    { kind: "service-account", value: "agent" },
    { kind: "token", value: "yes" },
  ]);
  expect(learn(plain)).toEqual([
    { kind: "image", value: "registry.example/shop/app" },
    { kind: "user", value: "other" },
    { kind: "service-account", value: "default" },
  ]);
});

describe("a proposed policy", () => {
  test("admits all that was learned of, and what makes the same", () => {
    const policy = propose(learn(plain, agent));
    expect(readAdmissionPolicy(policy, "p").mode).toBe("audit");
    for (const pod of [plain, agent]) {
      expect(broken(policy, pod)).toEqual([]);
      const template = { metadata: {}, spec: (pod as { spec: object }).spec };
      expect(broken(policy, { kind: "Deployment", metadata: {}, spec: { template } })).toEqual([]);
    }
    // Other tags of the same repository are no other image.
    expect(broken(policy, makePod({ ...plain.spec, containers: [{ name: "a", image: "nginx:9" }] }))).toEqual([]);
  });

  const own = (more: object, container: object = {}) =>
    makePod({ ...plain.spec, ...more, containers: [{ ...(plain.spec.containers[0] as object), ...container }] });
  test.each([
    ["image", own({}, { image: "registry.example/other/app:1" })],
    ["image", own({ initContainers: [{ name: "i", image: "docker.io/evil" }] })],
    ["host-path", own({ volumes: [{ name: "v", hostPath: { path: "/etc" } }] })],
    ["host-namespace", own({ hostPID: true })],
    ["service-account", own({ serviceAccountName: "admin" })],
    ["capability", own({}, { securityContext: { runAsNonRoot: true, capabilities: { add: ["SYS_ADMIN"] } } })],
    ["privileged", own({}, { securityContext: { runAsNonRoot: true, privileged: true } })],
    ["root", own({}, { securityContext: { runAsNonRoot: true, runAsUser: 0 } })],
    ["user", own({}, { securityContext: {} })],
    ["token", own({ automountServiceAccountToken: true })],
  ])("names a new %s", (rule, pod) => {
    expect(broken(propose(learn(plain)), pod)).toContain(rule);
  });

  test("holds where it was learned and nowhere else", () => {
    const policy = propose(learn(plain));
    expect(broken(policy, agent, "haven")).toEqual([]);
    expect(broken(propose(learn(plain), { scope: { ...scope, namespace: "bank" } }), agent)).toEqual([]);
    const labelled = propose(learn(plain), { scope: { ...scope, label: { name: "owner", value: "carts" } } });
    expect(broken(labelled, agent)).toEqual([]);
    expect(broken(labelled, { ...agent, metadata: { labels: { owner: "carts" } } })).toContain("host-path");
  });

  test("asks nothing of what there was too much of", () => {
    const policy = propose(learn(plain), { tooMany: ["image", "host-path"] });
    expect(readAdmissionPolicy(policy, "p").rules.map(({ id }) => id)).not.toContain("image");
  });

  test.each([
    '"] || true || "x" in ["',
    "{image.reference}}{",
    "/a\n  - /etc\nrules: []",
    "': !!js/function '",
    "&a *a",
    "\u0000\u2028\ud800",
    "yes",
    "1e3",
    "~",
  ])("takes %j for a name, as hostile as it looks", (name) => {
    const hostile = own({ volumes: [{ name: "v", hostPath: { path: name } }], serviceAccountName: name });
    const policy = propose(learn(plain, hostile));
    expect(broken(policy, hostile)).toEqual([]);
    expect(broken(policy, own({ volumes: [{ name: "v", hostPath: { path: "/etc" } }] }))).toEqual(["host-path"]);
  });

  test("admits a pod with any names that it was learned from, and no other path", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" }), { maxLength: 5 }), (names) => {
        const volumes = names.map((path, n) => ({ name: `v${n}`, hostPath: { path } }));
        const policy = propose(learn(own({ volumes })));
        expect(broken(policy, own({ volumes }))).toEqual([]);
        const other = { name: "new", hostPath: { path: `${names.join("")}/new` } };
        expect(broken(policy, own({ volumes: [...volumes, other] }))).toEqual(["host-path"]);
      }),
      { numRuns: 60 },
    );
  });
});

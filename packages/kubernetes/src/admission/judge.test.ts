import { expect, test } from "vitest";
import type { AdmissionBundle } from "./bundle.ts";
import { compileBundle } from "./compile-bundle.ts";
import { compileExpression } from "./expression.ts";
import { type FactFinding, type FactsAnswer, type ImageFacts, unknownImage } from "./facts.ts";
import { judge } from "./judge.ts";
import { answerTo } from "./respond.ts";
import { readReview } from "./review.ts";
import { makeBundle, makeFacts, makePod, makeReview } from "./testing/make-review.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const PRIVILEGED = `
name: no-privileged
rules:
  - id: privileged
    on: container
    deny: container.?securityContext.?privileged.orValue(false)
    message: "container {container.name} is privileged; set securityContext.privileged to false"
`;
const LOG4SHELL = `
name: no-exploited
unknown: deny
rules:
  - id: exploited
    on: image
    deny: image.counts.exploited > 0
    message: "{describe(image.findings.filter(f, f.exploited))}"
`;
const priv = { securityContext: { privileged: true } };
const flaw: FactFinding = {
  ...{ id: "CVE-2021-44228", kind: "vulnerability", severity: "critical", title: "Log4Shell" },
  ...{
    package: "org.apache.logging.log4j:log4j-core",
    version: "2.14.1",
    purl: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
  },
  ...{
    fixedVersion: "2.17.1",
    path: "/app.jar",
    layer: 3,
    createdBy: "COPY app.jar",
    origin: "own",
    exploited: true,
    advice: "",
  },
};
const vulnerable: Partial<ImageFacts> = {
  counts: { ...unknownImage("").counts, exploited: 1, critical: 1 },
  findings: [flaw],
  flaws: "CVE-2021-44228\nCVE-2021-45046",
  purls: flaw.purl,
};

function judged(review: string, bundle: AdmissionBundle, facts: FactsAnswer = makeFacts(), elapsed = () => 0) {
  return judge(readReview(review), compileBundle(bundle), facts, { now: NOW, elapsed });
}

test("a privileged container is denied with the policy, the container and what to do", () => {
  const pod = makePod({ containers: [{ name: "app", image: "a:1", ...priv }] });
  const { response } = answerTo("u", judged(makeReview(pod), makeBundle([PRIVILEGED])));
  expect(response.allowed).toBe(false);
  expect(response.status).toEqual({
    ...{ code: 403, reason: "Forbidden" },
    message:
      "denied by Bulwark: policy no-privileged (privileged): container app is privileged; set securityContext.privileged to false",
  });
  expect(response.auditAnnotations).toEqual({ "denied-by": "no-privileged/privileged" });
});

test("in audit mode it passes with a warning, and is counted as what would have been denied", () => {
  const pod = makePod({ containers: [{ name: "app", image: "a:1", ...priv }] });
  const judgement = judged(makeReview(pod), makeBundle([PRIVILEGED], {}, "audit"));
  expect(judgement).toMatchObject({ allowed: true, wouldDeny: true });
  expect(answerTo("u", judgement).response.warnings?.[0]).toContain("policy no-privileged (privileged): container app");
});

test("init containers, ephemeral containers and the templates of every controller are judged", () => {
  const bad = { containers: [{ name: "app", image: "a:1", ...priv }] };
  const objects = [
    makePod({ initContainers: bad.containers }),
    makePod({ ephemeralContainers: bad.containers }),
    { kind: "PodTemplate", template: { spec: bad } },
    ...["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"].map((kind) => ({
      kind,
      spec: { template: { spec: bad } },
    })),
    { kind: "CronJob", spec: { jobTemplate: { spec: { template: { spec: bad } } } } },
  ];
  for (const object of objects) {
    const judgement = judged(makeReview(object), makeBundle([PRIVILEGED]));
    expect([(object as { kind: string }).kind, judgement.allowed]).toEqual([(object as { kind: string }).kind, false]);
  }
});

test("a debug container added to a running pod is judged, and the containers that were there are not again", () => {
  const old = makePod({ containers: [{ name: "app", image: "a:1", ...priv }] });
  const added = (extra: object) => ({
    ...old,
    spec: { ...old.spec, ephemeralContainers: [{ name: "debug", image: "b:1", ...extra }] },
  });
  const review = (object: object) =>
    makeReview(object, { operation: "UPDATE", oldObject: old, subResource: "ephemeralcontainers" });
  expect(judged(review(added({})), makeBundle([PRIVILEGED])).allowed).toBe(true);
  expect(judged(review(added(priv)), makeBundle([PRIVILEGED])).violations).toMatchObject([{ container: "debug" }]);
});

test("an object that is being deleted, or has finalizers, is judged when its spec changes and left alone when it does not", () => {
  const dying = { deletionTimestamp: "2026-03-01T00:00:00Z", finalizers: ["example.com/keep"] };
  const old = makePod({ containers: [{ name: "app", image: "a:1" }] }, dying);
  const worse = { ...old, spec: { containers: [{ name: "app", image: "a:1", ...priv }] } };
  const review = (object: object, oldObject: object) => makeReview(object, { operation: "UPDATE", oldObject });
  expect(judged(review(worse, old), makeBundle([PRIVILEGED])).allowed).toBe(false);
  const freed = { ...worse, metadata: { ...worse.metadata, finalizers: [] } };
  expect(judged(review(freed, worse), makeBundle([PRIVILEGED])).allowed).toBe(true);
});

test("a relabelled pod is judged anew, since labels choose policies and services", () => {
  const bad = makePod({ containers: [{ name: "app", image: "a:1", ...priv }] });
  const scoped = `${PRIVILEGED}scope:\n  labels: { tier: front }\n`;
  const relabelled = { ...bad, metadata: { ...bad.metadata, labels: { tier: "front" } } };
  expect(judged(makeReview(bad), makeBundle([scoped])).allowed).toBe(true);
  const update = makeReview(relabelled, { operation: "UPDATE", oldObject: bad });
  expect(judged(update, makeBundle([scoped])).allowed).toBe(false);
});

test("status, exec and deletion leave a pod as it is and are not judged by rules on pods", () => {
  const bad = makePod({ containers: [{ name: "app", image: "a:1", ...priv }] });
  expect(
    judged(
      makeReview(bad, { operation: "UPDATE", subResource: "status", oldObject: makePod() }),
      makeBundle([PRIVILEGED]),
    ).allowed,
  ).toBe(true);
  expect(
    judged(makeReview(null, { operation: "DELETE", oldObject: bad, kind: { kind: "Pod" } }), makeBundle([PRIVILEGED]))
      .asked,
  ).toEqual([]);
});

test("log4shell is denied with the package, the layer and the fix", () => {
  const { violations } = judged(makeReview(makePod()), makeBundle([LOG4SHELL]), makeFacts(vulnerable));
  expect(violations).toMatchObject([
    {
      image: "registry.example/shop/app:1",
      message: "CVE-2021-44228: org.apache.logging.log4j:log4j-core 2.14.1 in layer 3 (COPY app.jar): update to 2.17.1",
    },
  ]);
});

test("images that pods mount as volumes are judged like those they run", () => {
  const pod = makePod({
    containers: [{ name: "app", image: "b:1" }],
    volumes: [{ name: "data", image: { reference: "registry.example/shop/app:1" } }],
  });
  const facts = makeFacts(vulnerable);
  const clean = {
    ...facts,
    images: { ...facts.images, "b:1": makeFacts().images["registry.example/shop/app:1"] ?? unknownImage("") },
  };
  expect(judged(makeReview(pod), makeBundle([LOG4SHELL]), clean).violations).toMatchObject([{ container: "data" }]);
});

test("of an image that nobody has scanned the policy says what happens", () => {
  const pending = { images: { "registry.example/shop/app:1": unknownImage("", "pending") } };
  const choices = ["allow", "audit", "deny"].map((choice) => {
    const { allowed, unknown, violations } = judged(
      makeReview(makePod()),
      makeBundle([LOG4SHELL.replace("unknown: deny", `unknown: ${choice}`)]),
      makeFacts({}, pending),
    );
    return [choice, allowed, unknown.length, violations[0]?.message ?? ""];
  });
  const scanning = "image registry.example/shop/app:1 of app is being scanned; try again in a moment";
  expect(choices).toEqual([
    ["allow", true, 1, ""],
    ["audit", true, 1, scanning],
    ["deny", false, 1, scanning],
  ]);
});

test("what a reference alone tells needs no scan", () => {
  const latest = `
name: no-latest
unknown: deny
rules:
  - id: latest
    on: image
    deny: image.tag == "latest" && !image.pinned
    message: "{image.reference} has no version"
`;
  const facts = { ...makeFacts(), images: {} };
  const of = (image: string) =>
    judged(makeReview(makePod({ containers: [{ name: "a", image }] })), makeBundle([latest]), facts).allowed;
  expect([of("nginx"), of("nginx:latest"), of("nginx:1.27"), of(`nginx@sha256:${"0".repeat(64)}`)]).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test("an expression that fails denies unless its policy says otherwise", () => {
  const failing = `
name: failing
rules:
  - id: absent
    on: pod
    deny: pod.spec.absent.member == 1
`;
  const broken = judged(makeReview(makePod()), makeBundle([failing]));
  expect(broken).toMatchObject({
    allowed: false,
    violations: [{ message: "the rule cannot be evaluated: No such key: absent" }],
  });
  const lenient = failing.replace("rules:", "onError: allow\nrules:");
  expect(judged(makeReview(makePod()), makeBundle([lenient]))).toMatchObject({ allowed: true, violations: [] });
});

test("loops in loops over a thousand containers end in a verdict that says so, within a second", () => {
  const endless = `
name: endless
rules:
  - id: loops
    on: pod
    deny: pod.spec.containers.exists(a, pod.spec.containers.exists(b, pod.spec.containers.exists(c, pod.spec.containers.exists(d, a.name + b.name == c.name + d.name + "x"))))
`;
  const containers = Array.from({ length: 1_000 }, (_, at) => ({ name: `c${at}`, image: "a:1" }));
  const began = performance.now();
  const judgement = judged(makeReview(makePod({ containers })), makeBundle([endless]));
  expect(judgement.violations).toMatchObject([
    { message: "the rule cannot be evaluated: it takes more steps than a rule may" },
  ]);
  expect(performance.now() - began).toBeLessThan(1_000);
});

test("texts and lists that grow by themselves are stopped", () => {
  const grown = ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u"];
  const text = grown.reduceRight((inner, name, at) => {
    const before = at === 0 ? "a" : (grown[at - 1] ?? "");
    return `cel.bind(${name}, ${before} + ${before}, ${inner})`;
  }, "size(u) > 0");
  const policy = `name: growing\nrules:\n  - id: grows\n    on: pod\n    deny: 'cel.bind(a, "0123456789", ${text})'\n`;
  const { violations } = judged(makeReview(makePod()), makeBundle([policy]));
  expect(violations).toMatchObject([{ message: "the rule cannot be evaluated: it takes more steps than a rule may" }]);
});

test("a review that takes too long ends in a denial", () => {
  let ms = 0;
  const judgement = judged(makeReview(makePod()), makeBundle([PRIVILEGED]), makeFacts(), () => (ms += 2_000));
  expect(judgement).toMatchObject({ allowed: false, violations: [{ rule: "privileged" }] });
});

test("a hundred rules over a thousand containers are judged", () => {
  const rules = Array.from(
    { length: 100 },
    (_, at) =>
      `  - id: r${at}\n    on: container\n    deny: container.?securityContext.?privileged.orValue(false) && container.name == "c${at}"\n`,
  );
  const containers = Array.from({ length: 1_000 }, (_, at) => ({ name: `c${at}`, image: "a:1", ...priv }));
  const judgement = judged(makeReview(makePod({ containers })), makeBundle([`name: many\nrules:\n${rules.join("")}`]));
  expect(judgement.violations).toHaveLength(100);
});

test("more containers than are judged are denied, not passed over", () => {
  const containers = Array.from({ length: 10_001 }, (_, at) => ({ name: `c${at}`, image: "a:1" }));
  expect(judged(makeReview(makePod({ containers })), makeBundle([])).allowed).toBe(false);
});

test("labels named like members of JavaScript's objects change nothing", () => {
  const labels = JSON.parse('{"constructor":"x","__proto__":"y","toString":"z","team":"pay"}');
  const policy = `
name: labelled
rules:
  - id: team
    on: pod
    deny: '!("team" in pod.metadata.labels) || pod.metadata.labels.?toString.orValue("") != "z" || pod.metadata.labels["constructor"] != "x"'
  - id: privileged
    on: container
    deny: container.?securityContext.?privileged.orValue(false)
scope:
  labels: { team: p*, constructor: x }
`;
  const pod = makePod({ containers: [{ name: "app", image: "a:1", ...priv }] }, { labels });
  expect(judged(makeReview(pod), makeBundle([policy])).violations).toMatchObject([{ rule: "privileged" }]);
});

test("names cannot forge lines of a log", () => {
  const pod = makePod({ containers: [{ name: "a\nFAKE\u001b[2J\u202e", image: "a:1", ...priv }] });
  const [violation] = judged(makeReview(pod), makeBundle([PRIVILEGED])).violations;
  expect(violation?.message).toContain("container a�FAKE�[2J� is privileged");
  expect(violation?.container).not.toMatch(/[\n\u001b]/);
});

test("an exception counts in its own namespace, for its object, until its time", () => {
  const pod = makePod({ containers: [{ name: "app", image: "a:1", ...priv }] });
  const exception = {
    ...{ id: "7", policy: "no-privileged", rule: "", namespace: "shop", object: "web*", image: "*" },
    ...{ until: "2026-03-02T00:00:00Z", reason: "driver", approvedBy: "bea" },
  };
  const allowed = (change: object) =>
    judged(makeReview(pod), makeBundle([PRIVILEGED], { exceptions: [{ ...exception, ...change }] })).allowed;
  expect(allowed({})).toBe(true);
  expect(allowed({ namespace: "other" })).toBe(false);
  expect(allowed({ namespace: "*" })).toBe(false);
  expect(allowed({ until: "2026-02-28T00:00:00Z" })).toBe(false);
  expect(allowed({ object: "db*" })).toBe(false);
  expect(allowed({ policy: "other" })).toBe(false);
  expect(allowed({ image: "b*" })).toBe(false);
});

test("an exception fits what a controller names by generateName", () => {
  const pod = makePod(
    { containers: [{ name: "app", image: "a:1", ...priv }] },
    { name: undefined, generateName: "web-7d4-" },
  );
  const exceptions = [
    {
      id: "1",
      policy: "no-privileged",
      rule: "privileged",
      namespace: "shop",
      object: "web-*",
      image: "a:*",
      until: "2027-01-01T00:00:00Z",
      reason: "",
      approvedBy: "",
    },
  ];
  expect(judged(makeReview(pod, { name: "" }), makeBundle([PRIVILEGED], { exceptions })).violations).toMatchObject([
    { exception: "1" },
  ]);
});

test("a namespace's own mode goes before the policy's", () => {
  const pod = makePod({ containers: [{ name: "app", image: "a:1", ...priv }] });
  const modes = [{ policy: "no-privileged", namespace: "shop", mode: "off" as const }];
  expect(judged(makeReview(pod), makeBundle([PRIVILEGED], { modes })).violations).toEqual([]);
  expect(judged(makeReview(pod, { namespace: "bank" }), makeBundle([PRIVILEGED], { modes })).allowed).toBe(false);
});

test("grade and exposure make parameters and mode stricter", () => {
  const policy = `
name: flaws
params: { most: 5 }
stricter:
  - grades: [critical]
    params: { most: 0 }
    mode: enforce
  - exposed: true
    params: { most: 1 }
rules:
  - id: high
    on: image
    deny: image.counts.high > params.most
    message: "{image.counts.high} high flaws; {params.most} at most"
`;
  const facts = makeFacts({ counts: { ...unknownImage("").counts, high: 2 } });
  const pod = makePod({}, { labels: { app: "web" } });
  const at = (namespace: object) =>
    judged(makeReview(pod), makeBundle([policy], {}, "audit"), {
      ...facts,
      namespace: { ...facts.namespace, ...namespace },
    });
  expect(at({}).wouldDeny).toBe(false);
  expect(at({ grade: "critical" })).toMatchObject({
    allowed: false,
    violations: [{ message: "2 high flaws; 0 at most" }],
  });
  expect(at({ exposedSelectors: [{ app: "web" }] })).toMatchObject({ allowed: true, wouldDeny: true, exposed: true });
  expect(at({ exposedSelectors: [{}, { app: "db" }] })).toMatchObject({ wouldDeny: false, exposed: false });
});

test("policies by grade or namespace labels hold in a namespace that nobody knows yet", () => {
  const policy = `${PRIVILEGED}scope:\n  grades: [critical]\n  namespaceLabels: { env: prod }\n`;
  const pod = makePod({ containers: [{ name: "app", image: "a:1", ...priv }] });
  const allowed = (namespace: Partial<FactsAnswer["namespace"]>) => {
    const facts = makeFacts();
    return judged(makeReview(pod), makeBundle([policy]), { ...facts, namespace: { ...facts.namespace, ...namespace } })
      .allowed;
  };
  expect(allowed({ known: false })).toBe(false);
  expect(allowed({ grade: "critical", labels: { env: "prod" } })).toBe(false);
  expect(allowed({ grade: "low", labels: { env: "prod" } })).toBe(true);
});

test("what is stricter by grade or exposure holds in a namespace that nobody knows yet, the farthest of it", () => {
  const policy = (mode: string) => `
name: flaws
params: { most: 20 }
stricter:
  - grades: [critical]
    params: { most: 2 }
    mode: ${mode}
  - exposed: true
    params: { most: 5 }
rules:
  - id: high
    on: image
    deny: image.counts.high > params.most
    message: "{image.counts.high} high flaws; {params.most} at most"
`;
  const facts = makeFacts({ counts: { ...unknownImage("").counts, high: 3 } });
  const of = (namespace: Partial<FactsAnswer["namespace"]>, mode = "enforce", own: "audit" | "enforce" = "audit") =>
    judged(makeReview(makePod()), makeBundle([policy(mode)], {}, own), {
      ...facts,
      namespace: { ...facts.namespace, ...namespace },
    });
  const told = [{ message: "3 high flaws; 2 at most" }];
  expect(of({})).toMatchObject({ wouldDeny: false });
  expect(of({ known: false })).toMatchObject({ allowed: false, violations: told });
  expect(of({ known: false }, "audit")).toMatchObject({ allowed: true, wouldDeny: true });
  expect(of({ known: false }, "audit", "enforce")).toMatchObject({ allowed: false });
});

test("the brake denies a flaw, a package or a digest whatever modes and exceptions say", () => {
  const brake = { id: "1", reason: "exploited now", denyUnknown: true };
  const of = (kind: "flaw" | "package" | "digest", pattern: string, facts = makeFacts(vulnerable)) =>
    judged(makeReview(makePod()), makeBundle([], { brakes: [{ ...brake, kind, pattern }] }), facts).allowed;
  expect(of("flaw", "CVE-2021-44228")).toBe(false);
  expect(of("flaw", "CVE-2021-4422")).toBe(true);
  expect(of("package", "pkg:maven/org.apache.logging.log4j/log4j-core")).toBe(false);
  expect(of("package", "pkg:maven/org.apache.logging.log4j/*@2.1?.*")).toBe(false);
  expect(of("package", "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1")).toBe(true);
  expect(of("digest", `sha256:${"a".repeat(64)}`)).toBe(false);
  expect(of("flaw", "CVE-2021-44228", makeFacts())).toBe(true);
  expect(of("flaw", "CVE-2021-44228", makeFacts({}, { images: {} }))).toBe(false);
});

test("an image that holds more than is told of it does not pass the brake by that", () => {
  const bundle = (denyUnknown: boolean) =>
    makeBundle([], { brakes: [{ id: "1", kind: "flaw", pattern: "CVE-2021-44228", reason: "r", denyUnknown }] });
  const judgedBy = (denyUnknown: boolean, cut: boolean) =>
    judged(makeReview(makePod()), bundle(denyUnknown), makeFacts({ cut })).allowed;
  expect([judgedBy(true, false), judgedBy(true, true), judgedBy(false, true)]).toEqual([true, false, true]);
});

test("patterns of matches() find anywhere, as in Kubernetes, in time that grows with the text alone", () => {
  const denied = (pattern: string, image = "registry.example/shop/app:1") => {
    const deny = JSON.stringify(`container.image.matches(${JSON.stringify(pattern)})`);
    const policy = `name: named\nrules: [{id: named, on: container, deny: ${deny}, message: m}]`;
    const containers = [{ name: "app", image }];
    return !judged(makeReview(makePod({ containers })), makeBundle([policy])).allowed;
  };
  expect(denied("shop/[a-z]+")).toBe(true);
  expect(denied("^shop/[a-z]+")).toBe(false);
  expect(denied("(?i)^REGISTRY")).toBe(true);
  // One that goes back in the text would not end before the sun.
  expect(denied("^(a+)+$", `${"a".repeat(1_000)}:1`)).toBe(false);
});

test.each([
  ["(", "missing closing"],
  ["(?:a{1000}){1000}", "invalid repeat count"],
  ["(?:abcde){1000}", "too large"],
])("the pattern %j is refused: %s", (pattern, why) => {
  const meter = { left: 0, isExhausted: false, values: 0 };
  expect(() => compileExpression(`pod.x.matches(${JSON.stringify(pattern)})`, meter)).toThrow(why);
});

test("a pattern that whoever asks may write is refused", () => {
  const meter = { left: 0, isExhausted: false, values: 0 };
  expect(() => compileExpression('"a".matches(pod.metadata.name)', meter)).toThrow("written out");
});

test("break-glass lets pass who has leave, for its time, and never the brake unless it says so", () => {
  const grant = {
    ...{ id: "9", code: "k3y", user: "*", namespace: "shop", reason: "outage" },
    ...{ until: "2026-03-01T13:00:00Z", passesBrake: false },
  };
  const pod = (code: string) =>
    makePod(
      { containers: [{ name: "app", image: "a:1", ...priv }] },
      { annotations: { "bulwark.dev/break-glass": code } },
    );
  const with_ = (change: object, code = "k3y", brakes: AdmissionBundle["brakes"] = []) =>
    judged(makeReview(pod(code)), makeBundle([PRIVILEGED], { grants: [{ ...grant, ...change }], brakes }));
  expect(with_({})).toMatchObject({ allowed: true, wouldDeny: true, grant: { id: "9" } });
  expect(with_({}, "guess").allowed).toBe(false);
  expect(with_({ until: "2026-03-01T11:00:00Z" }).allowed).toBe(false);
  expect(with_({ namespace: "other" }).allowed).toBe(false);
  expect(with_({ code: "", user: "ann" }).allowed).toBe(true);
  expect(with_({ code: "", user: "*" }).allowed).toBe(false);
  const brakes = [{ id: "1", kind: "package" as const, pattern: "pkg:x/*", reason: "r", denyUnknown: true }];
  expect(with_({}, "k3y", brakes).allowed).toBe(false);
  expect(with_({ passesBrake: true }, "k3y", brakes).allowed).toBe(true);
});

test("a policy of a newer server that cannot be read is named and does not disarm the others", () => {
  const compiled = compileBundle(makeBundle(["name: odd\nfuture: true\nrules: []", PRIVILEGED]));
  expect(compiled.problems).toEqual([expect.stringContaining('unknown key "future"')]);
  expect(compiled.policies).toHaveLength(1);
});

test("old API groups, generated names and dry runs are no way around; scaling and exec make no pod", () => {
  const spec = { containers: [{ name: "app", image: "a:1", ...priv }] };
  const deployment = { kind: "Deployment", metadata: { generateName: "web-" }, spec: { template: { spec } } };
  const old = { kind: { group: "extensions", version: "v1beta1", kind: "Deployment" }, name: "", dryRun: true };
  expect(judged(makeReview(deployment, old), makeBundle([PRIVILEGED])).allowed).toBe(false);
  const scale = {
    kind: { group: "autoscaling", version: "v1", kind: "Scale" },
    subResource: "scale",
    operation: "UPDATE",
  };
  expect(judged(makeReview({ kind: "Scale", spec: { replicas: 3 } }, scale), makeBundle([PRIVILEGED])).asked).toEqual(
    [],
  );
  const exec = {
    kind: { group: "", version: "v1", kind: "PodExecOptions" },
    subResource: "exec",
    operation: "CONNECT",
  };
  const noShell = `name: no-shell\nscope: { kinds: [PodExecOptions] }\nrules:\n  - id: shell\n    on: object\n    deny: object.command.exists(c, c.endsWith("sh"))\n`;
  const shell = { kind: "PodExecOptions", command: ["/bin/sh"] };
  expect(judged(makeReview(shell, exec), makeBundle([PRIVILEGED, noShell])).violations).toMatchObject([
    { rule: "shell" },
  ]);
});

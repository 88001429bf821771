import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auditEvent, rawAuditEvent } from "../testing/audit-events.ts";
import { holds, load, podWith } from "../testing/audit-rules.ts";
import { auditDetector } from "./audit-detector.ts";
import { auditTimeUs, readAuditEvent, storedAuditEvent } from "./read-audit-event.ts";

describe("what is secret", () => {
  const secret = "correct-horse";
  const encoded = btoa(secret);
  const without = (given: Readonly<Record<string, unknown>>) => {
    const event = auditEvent(given);
    const text = JSON.stringify(event);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(encoded);
    return event;
  };
  const container = {
    name: "c",
    image: "i",
    env: [
      { name: "PASSWORD", value: secret },
      { name: "FROM", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
    ],
  };

  test.each([
    [
      "of a secret",
      {
        objectRef: { resource: "secrets" },
        requestObject: { kind: "Secret", data: { key: encoded }, stringData: { other: secret } },
      },
    ],
    [
      "of a list of secrets",
      {
        objectRef: { resource: "secrets" },
        responseObject: { kind: "SecretList", items: [{ data: { key: encoded } }] },
      },
    ],
    [
      "of a secret that is in another object",
      { requestObject: { kind: "List", items: [{ kind: "Secret", data: { key: encoded } }] } },
    ],
    [
      "of a config map",
      { objectRef: { resource: "configmaps" }, requestObject: { data: { key: secret }, binaryData: { b: encoded } } },
    ],
    [
      "in operations on a secret",
      {
        objectRef: { resource: "secrets" },
        requestObject: [
          { op: "add", path: "/data/key", value: encoded },
          { op: "replace", path: "/stringData", value: { a: secret } },
        ],
      },
    ],
    ["of the environment", podWith({ containers: [container] })],
    [
      "of the environment in operations",
      {
        verb: "patch",
        requestObject: [
          { op: "add", path: "/spec/containers/0/env/-", value: { name: "A", value: secret } },
          { op: "replace", path: "/spec/containers/0/env/1/value", value: secret },
          { op: "add", path: "/spec/containers/0/env", value: [{ name: "A", value: secret }] },
          { op: "add", path: "/spec/containers/-", value: container },
        ],
      },
    ],
    [
      "of arguments",
      podWith({ containers: [{ command: ["mysql", `--password=${secret}`], args: ["--token", secret] }] }),
    ],
    [
      "in what was applied last",
      {
        requestObject: {
          metadata: { annotations: { "kubectl.kubernetes.io/last-applied-configuration": `{"data":"${secret}"}` } },
        },
      },
    ],
    ["of a token", { responseObject: { kind: "TokenRequest", status: { token: secret } } }],
    [
      "in a custom resource",
      { requestObject: { spec: { dbPassword: secret, client_secret: secret, url: `https://me:${secret}@host/` } } },
    ],
    [
      "in the address",
      { requestURI: `/api/v1/x?token=${secret}&command=--password%3D${secret}&command=--password=${secret}` },
    ],
  ])("%s is taken out", (_, given) => {
    without(given);
  });

  test("names stay, and where values come from", () => {
    const event = without(podWith({ containers: [container], volumes: [{ secret: { secretName: "tls" } }] }));
    expect(JSON.stringify(event)).toContain('"secretName":"tls"');
    expect(JSON.stringify(event)).toContain('"secretKeyRef":{"name":"s","key":"k"}');
    const made = without({ objectRef: { resource: "secrets" }, requestObject: { data: { "tls.key": encoded } } });
    expect(made.requestObject).toEqual({ data: { "tls.key": "[redacted]" } });
  });
});

describe("hostile events", () => {
  test("what is none is refused", () => {
    for (const value of [null, 7, "x", [], {}, { auditID: 1, stage: "a" }, { auditID: "a" }]) {
      expect(readAuditEvent(value)).toBeUndefined();
    }
  });

  test("fields of other kinds are empty, names of prototypes are names", () => {
    const event = auditEvent(
      JSON.parse(
        '{"user":7,"sourceIPs":"x","objectRef":[],"responseStatus":{"code":"1"},"annotations":{"__proto__":"x","a":3},"requestObject":{"__proto__":{"polluted":true},"spec":{"constructor":1}}}',
      ),
    );
    expect(event).toMatchObject({ user: { username: "", groups: [] }, sourceIPs: [], responseStatus: { code: 0 } });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.hasOwn(event.requestObject as object, "__proto__")).toBe(true);
    const operations = [
      { op: "add", path: "/__proto__/polluted", value: true },
      { op: "add", path: "/constructor/prototype/polluted", value: true },
    ];
    holds("ka.req.pod.host_network = true", { verb: "patch", requestObject: operations });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test("any JSON at all is read and judged", () => {
    const set = load(
      "ka.req.pod.containers.privileged intersects (true) or ka.req.role.rules.verbs intersects (x) or jevt.value[/a] exists",
    );
    const { feed } = auditDetector(set);
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("user", "objectRef", "requestObject", "sourceIPs", "annotations", "verb", "requestURI"),
          fc.jsonValue(),
        ),
        (given) => {
          const event = readAuditEvent({ ...rawAuditEvent(), ...given });
          if (event !== undefined) feed(storedAuditEvent(event));
          return event !== undefined;
        },
      ),
    );
  });

  test("a privileged container behind ten thousand others, in an object of megabytes, is found within a second", () => {
    const containers = Array.from({ length: 10_000 }, (_, n) => ({ name: `c${n}`, image: "x".repeat(80) }));
    const spec = { containers: [...containers, { securityContext: { privileged: true } }] };
    const started = performance.now();
    expect(holds("ka.req.pod.containers.privileged intersects (true)", podWith(spec))).toBe(true);
    expect(performance.now() - started).toBeLessThan(1000);
    const stored = storedAuditEvent(auditEvent(podWith(spec)));
    expect(JSON.stringify(stored).length).toBeLessThan(4096);
    expect(stored.requestObject).toMatchObject({ kind: "Pod", metadata: { name: "made" } });
  });

  const many = <Item>(make: (n: number) => Item) => Array.from({ length: 5000 }, (_, n) => make(n));
  const distinct = many((n) => ({ name: `c${n}`, image: `i${n}`, securityContext: { runAsUser: n } }));
  test.each([
    [
      "a privileged container behind thousands that are all different",
      "ka.req.pod.containers.privileged intersects (true) and ka.req.pod.volumes.hostpath intersects (/)",
      podWith({
        containers: [...distinct, { image: "evil", securityContext: { privileged: true } }],
        volumes: [...many((n) => ({ hostPath: { path: `/srv/${n}` } })), { hostPath: { path: "/" } }],
      }),
    ],
    [
      "the same in a template and in operations",
      "ka.req.pod.containers.privileged intersects (true)",
      {
        ...{ verb: "patch", objectRef: { resource: "deployments" } },
        requestObject: [
          ...many((n) => ({ op: "add", path: `/metadata/labels/l${n}`, value: "v" })),
          { op: "add", path: "/spec/template/spec/containers/-", value: { securityContext: { privileged: true } } },
        ],
      },
    ],
    [
      "a wide rule of a role",
      'ka.req.role.rules.verbs intersects ("*") and ka.req.role.rules.resources intersects ("*")',
      {
        ...{ verb: "create", objectRef: { resource: "clusterroles" } },
        requestObject: {
          rules: [
            ...many((n) => ({ verbs: ["get"], resources: [`r${n}`] })),
            { verbs: many(String).concat("*"), resources: ["*"] },
          ],
        },
      },
    ],
    [
      "everybody among the subjects of a binding",
      "ka.req.binding.role = cluster-admin and ka.req.binding.subjects intersects (User/system:anonymous)",
      {
        ...{ verb: "create", objectRef: { resource: "clusterrolebindings" } },
        requestObject: {
          roleRef: { name: "cluster-admin" },
          subjects: [...many((n) => ({ kind: "User", name: `u${n}` })), { kind: "User", name: "system:anonymous" }],
        },
      },
    ],
  ])("%s is found in what is kept, too", (_, condition, given) => {
    expect(holds(condition, given)).toBe(true);
    const stored = storedAuditEvent(auditEvent(given));
    expect(JSON.stringify(stored).length).toBeLessThan(64 * 1024);
    expect(stored.omitted).not.toBe("");
    expect(auditDetector(load(condition)).feed(stored)).toHaveLength(1);
    // Reading it once more, at the other end, changes nothing.
    expect(readAuditEvent(JSON.parse(JSON.stringify(stored)))).toEqual(stored);
  });

  const padding = Array.from({ length: 100_000 }, (_, n) => ({ name: `P${n}`, value: "v" }));
  const hiding = { name: "h", image: "h", env: padding };
  const evil = { image: "evil", securityContext: { privileged: true, capabilities: { add: ["CAP_SYS_ADMIN"] } } };
  test.each([
    ["variables of a container before it", { initContainers: [hiding], containers: [evil], hostPID: true }],
    ["variables of its own", { containers: [{ ...hiding, ...evil }], hostPID: true }],
    ["members that Kubernetes does not know", { aaa: padding, containers: [hiding, evil], hostPID: true }],
    ["volumes", { volumes: padding.map(({ name }) => ({ name, emptyDir: {} })), containers: [evil], hostPID: true }],
    [
      "containers with every capability but one",
      {
        containers: [
          ...padding.slice(0, 5_000).map(({ name }) => ({
            image: name,
            securityContext: {
              capabilities: { add: ["NET_ADMIN", "CHOWN", ...padding.slice(0, 40).map(({ name }) => name)] },
            },
          })),
          evil,
        ],
        hostPID: true,
      },
    ],
  ])("a privileged pod is found behind 100,000 %s", (_, spec) => {
    const condition =
      "ka.req.pod.containers.privileged intersects (true) and ka.req.pod.host_pid = true and ka.req.pod.containers.add_capabilities intersects (SYS_ADMIN)";
    const wide = { volumes: [], ...spec };
    const before = auditEvent(podWith({ ...wide, volumes: [...wide.volumes, { hostPath: { path: "/././etc/" } }] }));
    const stored = storedAuditEvent(before);
    for (const event of [before, stored, readAuditEvent(JSON.parse(JSON.stringify(stored)))!]) {
      expect(auditDetector(load(condition)).feed(event)).toHaveLength(1);
      expect(auditDetector(load("ka.req.pod.volumes.hostpath pmatch (/etc)")).feed(event)).toHaveLength(1);
    }
    expect(stored.omitted).not.toBe("");
    expect(JSON.stringify(stored).length).toBeLessThan(64 * 1024);
    expect(JSON.stringify(stored)).not.toContain("P7777");
  });

  test.each([
    "/etc/shadow",
    "/var/run/docker.sock",
    "/run/containerd/x",
    "/var/lib/kubelet/pods",
    "/",
    "/var",
    "/home",
  ])("the path %s of the node is found behind 50,000 others that are shorter", (path) => {
    const others = Array.from({ length: 50_000 }, (_, n) => ({ hostPath: { path: `/${n}` } }));
    const sought = Array.from({ length: 200 }, (_, n) => ({ hostPath: { path: `/srv/${n}` } }));
    const stored = storedAuditEvent(
      auditEvent(podWith({ volumes: [...others, ...sought, { hostPath: { path } }], containers: [] })),
    );
    const condition = `ka.req.pod.volumes.hostpath intersects (${path})`;
    expect(auditDetector(load(condition)).feed(stored)).toHaveLength(1);
    expect(stored.omitted).toBe("judged");
  });

  test("what is left out is told, and worse where a rule may have looked for it", () => {
    const told = (spec: object) => storedAuditEvent(auditEvent(podWith(spec))).omitted;
    const container = (n: number) => ({ name: `c${n}`, image: `i${n}`, env: padding.slice(0, 500) });
    expect(told({ containers: [{ name: "c", image: "i" }] })).toBe("");
    expect(told({ containers: [container(1), container(2), container(3)] })).toBe("detail");
    expect(told({ containers: Array.from({ length: 300 }, (_, n) => container(n)) })).toBe("judged");
    const cut = auditEvent({ annotations: { "audit.k8s.io/truncated": "true" } });
    expect(cut.omitted).toBe("judged");
    expect(holds("ka.omitted = judged", { annotations: { "audit.k8s.io/truncated": "true" } })).toBe(true);
    expect(readAuditEvent(JSON.parse(JSON.stringify(cut)))?.omitted).toBe("judged");
  });

  test("a container that operations put before another hides neither", () => {
    const add = (value: object) => ({ op: "add", path: "/spec/template/spec/containers/0", value });
    const given = (operations: readonly object[]) => ({
      ...{ verb: "patch", objectRef: { resource: "deployments" } },
      requestObject: operations,
    });
    expect(holds("ka.req.pod.containers.privileged intersects (true)", given([add(evil), add({ image: "b" })]))).toBe(
      true,
    );
  });

  test("ten thousand operations on one place, the most that an API server takes, are read as they come", () => {
    const operations = Array.from({ length: 10_000 }, (_, n) => ({
      op: "add",
      path: `/spec/template/spec/containers/-`,
      value: { name: `c${n}`, image: "i" },
    }));
    const event = auditEvent({ verb: "patch", objectRef: { resource: "deployments" }, requestObject: operations });
    expect(storedAuditEvent(event).requestObject).toMatchObject({
      spec: { template: { spec: { containers: [{ image: "i" }] } } },
    });
  });

  test("deep objects and long texts have an end", () => {
    let deep: unknown = {};
    for (let n = 0; n < 5000; n++) deep = { a: deep };
    const event = auditEvent({
      requestObject: deep,
      userAgent: "x".repeat(1 << 20),
      sourceIPs: Array.from({ length: 5000 }, (_, n) => `10.0.${n >> 8}.${n & 255}`),
    });
    expect(JSON.stringify(event).length).toBeLessThan(10_000);
    expect(event.sourceIPs.at(-1)).toBe("10.0.19.135");
  });

  test("times that are none are 0", () => {
    expect(auditTimeUs(auditEvent({ requestReceivedTimestamp: "now", stageTimestamp: 7 }))).toBe(0);
    expect(
      auditTimeUs(auditEvent({ requestReceivedTimestamp: undefined, stageTimestamp: "2026-11-21T20:00:00Z" })),
    ).toBe(1_795_291_200_000_000);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadRules } from "../rule-set.ts";
import { auditEvent } from "../testing/audit-events.ts";
import { holds, load, podWith, rule } from "../testing/audit-rules.ts";
import { auditDetector } from "./audit-detector.ts";
import { AUDIT_FIELDS, findAuditField } from "./audit-fields.ts";
import { readAuditEvent } from "./read-audit-event.ts";

describe("conditions", () => {
  test.each([
    ["ka.verb = get and ka.target.resource = pods and ka.user.groups intersects (devs, ops)", {}],
    ["ka.sourceips in (10.0.0.0/8) and ka.sourceip.last = 10.0.0.9", {}],
    ["ka.response.code < 400 and ka.response.code startswith 20", {}],
    ["ka.auth.decision = allow and not ka.auth.reason exists", {}],
    ["jevt.value[/objectRef/namespace] = shop and jevt.value[/user/groups] contains devs", {}],
    ["jevt.time startswith 20:00:00.123 and jevt.rawtime = 1795291200123456000", {}],
    ["ka.uri.param[command] = 'ls -l'", { requestURI: "/x?stdin=1&command=ls&command=-l" }],
    ["ka.user.namespace = shop", { user: { username: "system:serviceaccount:shop:web" } }],
    ["ka.impuser.name = root", { impersonatedUser: { username: "root" } }],
    [
      "ka.req.pod.containers.privileged intersects (true)",
      podWith({ containers: [{}, { securityContext: { privileged: true } }] }),
    ],
    [
      "ka.req.pod.containers.privileged intersects (true)",
      podWith({ initContainers: [{ securityContext: { privileged: true } }] }),
    ],
    [
      "ka.req.pod.containers.image.repository in (registry/a, b)",
      podWith({ containers: [{ image: "registry/a:1@sha256:0" }, { image: "b" }] }),
    ],
    [
      "ka.req.pod.volumes.hostpath pmatch (/etc)",
      podWith({ volumes: [{ hostPath: { path: "/srv/../etc//cron.d" } }] }),
    ],
    ["ka.req.pod.host_pid = true and ka.req.pod.host_network = false", podWith({ hostPID: true })],
    ["ka.target.name = made", { ...podWith({}), objectRef: { resource: "pods", namespace: "shop" } }],
    [
      "ka.req.pod.containers.eff_run_as_user intersects (0)",
      podWith({ securityContext: { runAsUser: 0 }, containers: [{}] }),
    ],
    [
      "ka.req.binding.subjects intersects (User/joe, ServiceAccount/shop/web)",
      { requestObject: { subjects: [{ kind: "ServiceAccount", namespace: "shop", name: "web" }] } },
    ],
  ])("%s", (condition, given) => {
    expect(holds(condition, given)).toBe(true);
  });

  test.each([
    [
      "in a template of a daemon set",
      {
        objectRef: { resource: "daemonsets" },
        verb: "create",
        requestObject: { spec: { template: { spec: { hostNetwork: true } } } },
      },
    ],
    [
      "in a template of a cron job",
      {
        objectRef: { resource: "cronjobs" },
        verb: "create",
        requestObject: { spec: { jobTemplate: { spec: { template: { spec: { hostNetwork: true } } } } } },
      },
    ],
    [
      "in a patch by operations",
      {
        objectRef: { resource: "deployments" },
        verb: "patch",
        requestObject: [{ op: "replace", path: "/spec/template/spec/hostNetwork", value: true }],
      },
    ],
    [
      "in a patch that copies what is on elsewhere",
      {
        objectRef: { resource: "deployments" },
        verb: "patch",
        requestObject: [{ op: "copy", from: "/spec/paused", path: "/spec/template/spec/hostNetwork" }],
      },
    ],
    [
      "in a patch of the whole object",
      {
        objectRef: { resource: "deployments" },
        verb: "patch",
        requestObject: [{ op: "replace", path: "", value: { spec: { template: { spec: { hostNetwork: true } } } } }],
      },
    ],
    [
      "in a patch by fields",
      {
        objectRef: { resource: "deployments" },
        verb: "patch",
        requestObject: { spec: { template: { spec: { hostNetwork: true } } } },
      },
    ],
    [
      "in what came of a patch that is not told",
      { verb: "patch", responseObject: { kind: "Pod", spec: { hostNetwork: true } } },
    ],
  ])("a pod on its node's network is seen %s", (_, given) => {
    expect(holds("ka.req.pod.host_network = true", given)).toBe(true);
  });

  test("a container that is put in by operations is seen, and a label on a pod is no new pod", () => {
    const value = { image: "x", securityContext: { privileged: true } };
    const operations = [{ op: "add", path: "/spec/template/spec/containers/-", value }];
    const privileged = "ka.req.pod.containers.privileged intersects (true)";
    expect(
      holds(privileged, { objectRef: { resource: "deployments" }, verb: "patch", requestObject: operations }),
    ).toBe(true);
    const label = { metadata: { labels: { a: "b" } } };
    const answer = { kind: "Pod", spec: { containers: [value] } };
    expect(holds(privileged, { verb: "patch", requestObject: label, responseObject: answer })).toBe(false);
  });

  test("mistakes are told with their place, and so is what is not filled", () => {
    expect(load("ka.verbb = get").reports[0]).toMatchObject({
      state: "invalid",
      problems: [{ message: "there is no field ka.verbb; ka.verb is one", place: { line: 4, column: 14 } }],
    });
    expect(load("ka.cluster.name = a").reports[0]?.state).toBe("unsupported");
    expect(load("proc.name = sh").reports[0]?.state).toBe("invalid");
    expect(load("jevt.value[verb] = get").reports[0]?.problems[0]?.message).toContain("a JSON pointer");
    expect(load("ka.verb = get", "  detector: sequence\n").reports[0]?.problems[0]?.message).toContain(
      "threshold, token-elsewhere",
    );
    const syscall = loadRules([{ name: "r.yaml", text: rule("ka.verb = get").replace("k8s_audit", "syscall") }]);
    expect(syscall.reports[0]?.problems[0]?.message).toContain("source: k8s_audit");
  });

  test("every field can be asked of an event that has nothing", () => {
    const nothing = readAuditEvent({ auditID: "a", stage: "Panic" });
    for (const { name, argument, getter } of AUDIT_FIELDS) {
      expect(findAuditField(name, argument === "required" ? "/a" : null)).toHaveProperty("field");
      expect(() => nothing !== undefined && getter("/a/b")(nothing)).not.toThrow();
    }
  });
});

test("rules are found by verb and resource as if each were tried", () => {
  const parts = [
    "ka.verb = get",
    "ka.verb in (list, watch)",
    "ka.target.resource = pods",
    "ka.target.resource in (secrets, pods)",
    "ka.user.name = jane",
  ];
  const condition = fc.letrec((tie) => ({
    node: fc.oneof({ maxDepth: 3 }, fc.constantFrom(...parts), tie("and"), tie("or"), tie("not")),
    and: fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a} and ${b})`),
    or: fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a} or ${b})`),
    not: tie("node").map((a) => `(not ${a})`),
  })).node;
  const event = fc.record({
    verb: fc.constantFrom("get", "list", "watch", "create"),
    objectRef: fc.record({ resource: fc.constantFrom("pods", "secrets", "nodes") }),
    user: fc.record({ username: fc.constantFrom("jane", "joe") }),
  });
  fc.assert(
    fc.property(condition, event, (text, given) => {
      const set = load(String(text));
      const [only] = set.auditRules;
      expect(auditDetector(set).feed(auditEvent(given)).length === 1).toBe(only?.test(auditEvent(given)));
    }),
  );
});

import { describe, expect, test } from "vitest";
import { auditEvent } from "../testing/audit-events.ts";
import { load } from "../testing/audit-rules.ts";
import { auditAddressBook } from "./address-book.ts";
import { auditAllowConditionFor, compileAuditAllowList } from "./audit-allow-list.ts";
import { auditDetector } from "./audit-detector.ts";
import { readAuditEvent, storedAuditEvent } from "./read-audit-event.ts";

describe("alerts", () => {
  test("carry who, from where and what, without what moves a terminal", () => {
    const set = load("ka.verb = get");
    const [alert] = auditDetector(set).feed(
      auditEvent({ userAgent: "evil\u001b[2J\nagent", sourceIPs: ["1.2.3.4", "10.0.0.9"] }),
    );
    expect(alert).toMatchObject({
      rule: "R",
      timeUs: 1_795_291_200_123_456,
      output: "by jane from 10.0.0.9 agent evil\\x1b[2J\\nagent",
    });
  });

  const later = { auditID: "2", requestReceivedTimestamp: "2026-11-21T20:00:07Z" };

  test("of the same thing are left out for a while", () => {
    const { feed } = auditDetector(load("ka.verb = get"));
    expect(feed(auditEvent())).toHaveLength(1);
    expect(feed(auditEvent(later))).toEqual([]);
    expect(feed(auditEvent({ user: { username: "joe" }, auditID: "3" }))).toHaveLength(1);
  });

  test("of one request at several stages are one, of requests to which a client gave one number each its own", () => {
    const { feed } = auditDetector(load("ka.verb = get"), { foldUs: 0 });
    expect(feed(auditEvent({ stage: "ResponseStarted" }))).toHaveLength(1);
    expect(feed(auditEvent({ stage: "ResponseComplete" }))).toEqual([]);
    expect(feed(auditEvent({ requestReceivedTimestamp: later.requestReceivedTimestamp }))).toHaveLength(1);
    expect(feed(auditEvent(later))).toHaveLength(1);
  });

  describe("are accepted", () => {
    const scope = { source: "k8s_audit" as const, clusters: [], namespaces: [], users: [] };
    const entry = { id: "1", rule: "R", condition: "", scope, untilUs: null };
    const accepts = (given: Partial<typeof entry> | object, event = auditEvent(), cluster = "harbour") =>
      compileAuditAllowList([{ ...entry, ...given }]).accepts("R", event, cluster, 1_000)?.id === "1";

    test.each([
      ["of the rule", {}, true],
      ["of every rule", { rule: "" }, true],
      ["of another rule", { rule: "S" }, false],
      ["until then", { untilUs: 1_001 }, true],
      ["no more after then", { untilUs: 1_000 }, false],
      ["in the cluster", { scope: { ...scope, clusters: ["har*"] } }, true],
      ["in another cluster", { scope: { ...scope, clusters: ["haven"] } }, false],
      ["in the namespace, for the user", { scope: { ...scope, namespaces: ["shop"], users: ["jane"] } }, true],
      ["in another namespace", { scope: { ...scope, namespaces: ["shop-?"] } }, false],
      ["for another user", { scope: { ...scope, users: ["joe"] } }, false],
      ["that meet a condition", { condition: "ka.verb = get and ka.target.name = web" }, true],
      ["that do not meet it", { condition: "ka.verb = create" }, false],
    ])("%s", (_, given, expected) => {
      expect(accepts(given)).toBe(expected);
    });

    test("by a condition that is made of what the request did, however hostile its names are", () => {
      const hostile = 'x" or ka.verb exists or ka.target.name = "';
      const event = auditEvent({ objectRef: { resource: "pods", namespace: "shop", name: hostile } });
      const condition = auditAllowConditionFor(event, true);
      expect(accepts({ condition }, event)).toBe(true);
      expect(accepts({ condition })).toBe(false);
      const kind = auditAllowConditionFor(event, false);
      expect(accepts({ condition: kind })).toBe(true);
      expect(accepts({ condition: kind }, auditEvent({ impersonatedUser: { username: "root" } }))).toBe(false);
      expect(accepts({ condition: kind }, auditEvent({ objectRef: { resource: "pods", subresource: "exec" } }))).toBe(
        false,
      );
      const path = auditEvent({ objectRef: undefined, requestURI: "/metrics?a=b" });
      expect(accepts({ condition: auditAllowConditionFor(path, false) }, path)).toBe(true);
      const other = auditEvent({ objectRef: undefined, requestURI: "/metrics/cadvisor" });
      expect(accepts({ condition: auditAllowConditionFor(path, false) }, other)).toBe(false);
    });

    test("a condition over what containers do is none", () => {
      expect(() => compileAuditAllowList([{ ...entry, condition: "proc.name = sh" }])).toThrow("proc.name");
    });
  });

  test("of many together come when there are enough within the time, by whom they are grouped by", () => {
    const settings =
      "  detector: threshold\n  settings: {distinct: ka.target.name, per: ka.user.name, atLeast: 3, windowSeconds: 10}\n";
    const { feed } = auditDetector(load("ka.verb = get", settings), { foldUs: 0 });
    const read = (name: string, second: number, username = "jane") =>
      feed(
        auditEvent({
          objectRef: { resource: "secrets", name },
          user: { username },
          requestReceivedTimestamp: `2026-11-21T20:00:${String(second).padStart(2, "0")}Z`,
        }),
      ).length;
    expect([
      read("a", 0),
      read("a", 1),
      read("b", 2),
      read("c", 3, "joe"),
      read("c", 13),
      read("d", 14),
      read("e", 15),
    ]).toEqual([0, 0, 0, 0, 0, 0, 1]);
  });
});

describe("a token of a service account", () => {
  const pods = [
    { namespace: "shop", name: "web", uid: "u1", serviceAccount: "web", addresses: ["10.1.0.5"], node: "n1" },
    { namespace: "shop", name: "web-2", uid: "u2", serviceAccount: "web", addresses: ["10.1.0.6"], node: "n1" },
  ];
  const book = auditAddressBook(pods, { n1: ["192.168.0.1"] }, ["192.168.9.9"]);
  const bound = { "authentication.kubernetes.io/pod-name": ["web"], "authentication.kubernetes.io/pod-uid": ["u1"] };
  const used = (sourceIPs: readonly string[], extra: object = bound, known = book, name = "web") => {
    const { feed } = auditDetector(load("ka.user.namespace exists", "  detector: token-elsewhere\n"));
    const user = { username: `system:serviceaccount:shop:${name}`, extra };
    return [sourceIPs].flat(0).length > 0
      ? feed(auditEvent({ user, sourceIPs }), known).map(({ output }) => output)
      : [];
  };

  test.each([
    ["from its pod", ["10.1.0.5"]],
    ["from its pod's node", ["192.168.0.1"]],
    ["through a proxy that is known", ["10.1.0.5", "192.168.9.9"]],
    ["on the machine of the API server", ["127.0.0.1"]],
    ["without any address", [""]],
  ])("%s is no alert", (_, addresses) => {
    expect(used(addresses)).toEqual([]);
  });

  test.each([
    ["from outside", ["203.0.113.7"]],
    ["from another pod of the same service account", ["10.1.0.6"]],
    ["from outside, with the pod's address invented before it", ["10.1.0.5", "203.0.113.7"]],
    ["from outside, through a proxy", ["203.0.113.7", "192.168.9.9"]],
  ])("%s is one", (_, addresses) => {
    const [output = ""] = used(addresses);
    expect(output).toContain("where its pod shop/web and their nodes are not");
  });

  test("that names no pod may speak from all of its service account, a pod's successor of the same name has its own", () => {
    expect(used(["10.1.0.6"], {})).toEqual([]);
    expect(used(["10.1.0.99"], {})).toHaveLength(1);
    expect(used(["10.1.0.6"], { ...bound, "authentication.kubernetes.io/pod-uid": ["gone"] })).toEqual([]);
  });

  test("of which nothing is known is noticed when it wanders", () => {
    const { feed } = auditDetector(load("ka.user.namespace exists", "  detector: token-elsewhere\n"), { foldUs: 0 });
    const extra = { "authentication.kubernetes.io/credential-id": ["JTI=1"] };
    const from = (address: string) =>
      feed(auditEvent({ user: { username: "system:serviceaccount:ci:deployer", extra }, sourceIPs: [address] }), book);
    expect(from("198.51.100.1")).toEqual([]);
    expect(from("198.51.100.1")).toEqual([]);
    expect(from("203.0.113.7")[0]?.output).toContain("used from 203.0.113.7, and before from 198.51.100.1");
  });
});

describe("a patch of what grants rights", () => {
  const answer = {
    kind: "ClusterRoleBinding",
    metadata: { name: "b", managedFields: [{ manager: "x" }] },
    roleRef: { kind: "ClusterRole", name: "cluster-admin" },
    subjects: [
      { kind: "User", name: "boss" },
      { kind: "User", name: "new" },
    ],
  };
  const patch = (requestObject: unknown, responseObject: object = answer) => ({
    ...{ verb: "patch", objectRef: { resource: "clusterrolebindings", name: "b" }, requestObject, responseObject },
  });
  const granted = "ka.req.binding.role = cluster-admin and ka.req.binding.subjects intersects (User/new)";
  const found = (given: Readonly<Record<string, unknown>>) =>
    auditDetector(load(granted)).feed(readAuditEvent(JSON.parse(JSON.stringify(storedAuditEvent(auditEvent(given)))))!)
      .length === 1;

  test.each([
    ["by operations", [{ op: "add", path: "/subjects/-", value: { kind: "User", name: "new" } }]],
    ["by an operation on a part of a subject", [{ op: "replace", path: "/subjects/1/name", value: "new" }]],
    ["by operations that copy", [{ op: "copy", from: "/metadata/name", path: "/subjects/1/name" }]],
    ["by fields", { subjects: [{ kind: "User", name: "new" }] }],
  ])("%s is known with the role that it is put into", (_, request) => {
    expect(found(patch(request))).toBe(true);
    expect(found(patch(request, { kind: "Status", code: 403 }))).toBe(false);
  });

  test.each([
    ["a label", { metadata: { labels: { a: "b" } } }],
    ["a label by operations", [{ op: "add", path: "/metadata/labels/a", value: "b" }]],
    ["a subject that is taken away", [{ op: "remove", path: "/subjects/0" }]],
    ["all subjects taken away", { subjects: [] }],
  ])("that is about %s gives nobody anything", (_, request) => {
    expect(found(patch(request))).toBe(false);
  });

  test("to a role is known with all of its rules, and the answer is kept without what nobody looks at", () => {
    const role = { kind: "ClusterRole", rules: [{ verbs: ["*"], resources: ["*"], apiGroups: ["*"] }] };
    const stored = storedAuditEvent(
      auditEvent({
        ...{ verb: "patch", objectRef: { resource: "clusterroles", name: "r" }, responseObject: role },
        requestObject: [{ op: "add", path: "/rules/0/resources/-", value: "*" }],
      }),
    );
    expect(auditDetector(load('ka.req.role.rules.verbs intersects ("*")')).feed(stored)).toHaveLength(1);
    const kept = storedAuditEvent(auditEvent(patch([{ op: "add", path: "/subjects/-", value: {} }])));
    expect(JSON.stringify(kept.responseObject)).not.toContain("manager");
    const update = { verb: "update", requestObject: answer, responseObject: answer };
    expect(storedAuditEvent(auditEvent(update)).responseObject).toBeNull();
  });
});

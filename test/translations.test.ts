import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { zhServer } from "../apps/console/src/i18n/zh-server.ts";
import { shippedPolicies } from "../apps/server/src/admission/policy-set.ts";
import { benchmarkContent } from "../apps/server/src/benchmarks/content.ts";
import { shippedRules } from "../apps/server/src/rules/shipped-rules.ts";
import { priorityOf } from "../packages/advisory/src/priority.ts";
import { judge, NO_FACTS } from "../packages/benchmark/src/benchmark/index.ts";
import { factsOfSample } from "../packages/benchmark/src/benchmark/sample.ts";
import { SHIPPED_CHECKS } from "../packages/benchmark/src/testing/content.ts";
import { blockFor, loadRules, UNSUPPORTED_FIELDS } from "../packages/detect/src/index.ts";
import { findAttackPaths, type KubeObject } from "../packages/kubernetes/src/index.ts";

const ROOT = join(import.meta.dirname, "..");
const isChinese = (text: string) => /\p{Script=Han}/u.test(text);

test("every check has its title and advice in Chinese, and nothing else has", () => {
  const { checks } = zhServer;
  expect(Object.keys(checks).sort()).toEqual(SHIPPED_CHECKS.map(({ id }) => id).sort());
  const plain = Object.entries(checks).filter(([, { title, advice }]) => !isChinese(title) || !isChinese(advice));
  expect(plain).toEqual([]);
});

test("every check of a benchmark has its title and advice in Chinese, and nothing else has", () => {
  const { benchmarks } = zhServer;
  expect(Object.keys(benchmarks).sort()).toEqual(
    benchmarkContent()
      .checks.map(({ id }) => id)
      .sort(),
  );
  const plain = Object.entries(benchmarks).filter(([, { title, advice }]) => !isChinese(title) || !isChinese(advice));
  expect(plain).toEqual([]);
});

test("what checks of benchmarks found is told in Chinese", () => {
  const told = benchmarkContent().checks.flatMap((check) => {
    // Nothing but names: there is nothing to translate.
    if (/^\{[^}]*\}$/.test(check.message)) return [];
    const unread = Object.fromEntries(["files", "sysctls", "processes", "probes"].map((kind) => [kind, "refused"]));
    const bad = check.samples.bad.map((sample) => factsOfSample(check, sample));
    return [...bad, { cluster: {} }, { node: { ...NO_FACTS, unread } }]
      .flatMap((facts) => judge([check], facts))
      .flatMap(({ evidence, places }) => [evidence, ...places.map((place) => place.evidence)]);
  });
  const texts = [...new Set(told)].filter((text) => text !== "");
  expect(texts.length).toBeGreaterThan(300);
  expect(texts.filter((text) => !isChinese(zhServer.evidence(text)))).toEqual([]);
  expect(zhServer.evidence("3 of 5 are at fault")).toBe("5 项中有 3 项不合规");
});

test("every policy of admission has its texts in Chinese, and nothing else has", () => {
  const shipped = shippedPolicies().map(({ policy }) => policy);
  expect(Object.keys(zhServer.policies).sort()).toEqual(shipped.map(({ name }) => name).sort());
  for (const { name, rules } of shipped) {
    const texts = zhServer.policies[name]!;
    expect([name, ...Object.keys(texts.rules).sort()]).toEqual([name, ...rules.map(({ id }) => id).sort()]);
    expect([texts.title, texts.description, ...Object.values(texts.rules)].filter((text) => !isChinese(text))).toEqual(
      [],
    );
  }
});

test("every rule of the runtime has its name, description and advice in Chinese, and nothing else has", () => {
  const names = loadRules(shippedRules()).rules.map(({ name }) => name);
  expect(names.length).toBeGreaterThan(70);
  expect(Object.keys(zhServer.rules).sort()).toEqual([...names].sort());
  const plain = Object.entries(zhServer.rules).filter(([, texts]) => !Object.values(texts).every(isChinese));
  expect(plain).toEqual([]);
});

test("why a rule cannot block, and how a response ended, is told in Chinese", () => {
  const set = loadRules(shippedRules());
  const able = set.rules.map((rule) => blockFor(set, rule));
  const reasons = able.flatMap((each) => ("why" in each ? each.why.split("; ") : each.besides));
  expect(reasons.length).toBeGreaterThan(10);
  expect([...new Set(reasons)].filter((why) => !isChinese(zhServer.blocking(why)))).toEqual([]);
  expect(zhServer.blocking("a node cannot refuse link; it would block every connection")).toBe(
    "节点无法拒绝 link；会阻断所有连接",
  );
  expect(isChinese(zhServer.outcome("the node was not connected in time"))).toBe(true);
  expect(zhServer.outcome("something new")).toBe("something new");
});

/** Texts in quotes of a source, with what is put in replaced by something that may stand there. */
function textsOf(file: string, pattern: RegExp): readonly string[] {
  const source = readFileSync(join(ROOT, file), "utf8").split(/#\[cfg\(test\)\]\s*mod \w+ \{/)[0] ?? "";
  const [, why = ""] = /let why = "([^"]+)"/.exec(source) ?? [];
  return [...source.matchAll(pattern)].map(([, text = ""]) =>
    text.replaceAll("{why}", why).replaceAll(/\{[^}]*\}/g, "7"),
  );
}

const REPORTS =
  /(?:Report::new\(\s*(?:Outcome|order_result::Outcome)::\w+,|let detail =|failed\()\s*(?:format!\()?"([^"]+)"/g;

test.each(["kill", "freeze", "isolate", "stop", "quarantine", "evidence", "fix", "fix/journal", "mod"])(
  "every outcome that a sensor tells in its own words is told in Chinese: %s",
  (name) => {
    const texts = textsOf(`sensor/src/response/${name}.rs`, REPORTS)
      .map((text) => text.replace("7, by 7", "paused, by 7").replace(/^it is 7 already$/, "it is paused already"))
      .map((text) => text.replace(/ is not 7$/, " is not paused"));
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.filter((text) => !isChinese(zhServer.outcome(text)))).toEqual([]);
  },
);

test("why a fix was refused, or is open, is told in Chinese", () => {
  for (const told of [
    "/etc/x has changed since the preview, or was never previewed so; preview again",
    "/etc/x was changed since; what it was before the fix is kept in /var/lib/bulwark-sensor/fixes/1",
    "expired: the node did not answer in time; the change may have been made: undo it, or wait for the node's word",
  ])
    expect(isChinese(zhServer.outcome(told)), told).toBe(true);
});

test("every reason why a node leaves a block out is told in Chinese", () => {
  const texts = textsOf(
    "sensor/src/policy/block.rs",
    /(?:gap\(|Err\(|format!\(|\|\| )\s*(?:block,\s*)?&?(?:format!\(\s*)?"([a-z`][^"]{12,})"/g,
  );
  expect(texts.length).toBeGreaterThan(5);
  expect(texts.filter((text) => !text.startsWith("blocks: ") && !isChinese(zhServer.gap(text)))).toEqual([]);
});

const BAD_RULES = `
- rule: No condition
  desc: d
- macro: loops
  condition: loops
- rule: Unknown field
  desc: d
  condition: evt.type = execve and proc.nmae = sh
  output: x
  priority: high
- rule: Syntax
  desc: d
  condition: evt.type = execve and (proc.name = sh
  output: x
  priority: CRITICAL
- rule: Not filled
  desc: d
  condition: evt.type = execve and proc.env contains x
  output: "%proc.duration"
  priority: WARNING
- rule: Numbers
  desc: d
  condition: evt.type = execve and proc.pid > x and fd.sip = nowhere
  output: x
  priority: WARNING
  surprise: 1
- rule: Numbers again
  desc: d
  condition: evt.type = execve and proc.pid = x
  output: x
  priority: WARNING
- rule: Addresses
  desc: d
  condition: evt.type = connect and fd.sip = nowhere and loops and unheard_of
  output: x
  priority: WARNING
- rule: Addresses again
  desc: d
  condition: evt.type = connect and fd.sip = nowhere
  output: x
  priority: WARNING
- rule: Too often
  desc: d
  condition: evt.type = read
  output: x
  priority: WARNING
- rule: Every event
  desc: d
  condition: proc.name = x
  output: x
  priority: WARNING
- rule: Detector
  desc: d
  condition: evt.type = execve
  output: x
  priority: WARNING
  detector: unheard-of
- rule: Exceptions
  desc: d
  condition: evt.type = execve
  output: x
  priority: WARNING
  exceptions: [{name: e, fields: [proc.name], comps: [like]}]
- rule: There is none
  append: true
  condition: and x
- engine: {}
- 7
`;

test("what of a rule file cannot be used is told in Chinese, whatever is wrong with it", () => {
  const entries = BAD_RULES.split(/^(?=- )/m).slice(1);
  const files = [...entries, "a: 1", "- {"].map((text, at) => ({ name: `${at}.yaml`, text }));
  const sets = files.map((file) => loadRules([file]));
  const told = sets.flatMap(({ problems, reports }) => [...problems, ...reports.flatMap((report) => report.problems)]);
  const problems = told.map(({ message }) => message);
  expect(problems.length).toBeGreaterThan(15);
  expect(problems.filter((message) => !isChinese(zhServer.ruleProblem(message)))).toEqual([]);
  expect(zhServer.ruleProblem("in the output: there is no field proc.nmae; proc.name is one")).toBe(
    "输出中：没有字段 proc.nmae；是否为 proc.name？",
  );
});

test("every reason why a field of others has no value is told in Chinese", () => {
  const reasons = UNSUPPORTED_FIELDS.map(([, why]) => why);
  expect(reasons.filter((why) => !isChinese(zhServer.ruleProblem(`x is not filled: ${why}`)))).toEqual([]);
});

test("every factor that a priority is made of has a Chinese text", () => {
  const kev = { added: "2026-01-01", due: "2026-02-01", ransomware: true };
  const usual = { malicious: false, severity: "critical", publicExploit: true, hasFix: true } as const;
  const reasons = [
    ...priorityOf({ ...usual, kev, epss: { score: 0.97, percentile: 1 } }).reasons,
    ...priorityOf({ ...usual, kev: { ...kev, ransomware: false } }).reasons,
    ...priorityOf({ ...usual, kev, malicious: true }).reasons,
  ];
  expect(reasons.length).toBeGreaterThan(8);
  expect(reasons.filter((reason) => !isChinese(zhServer.reason(reason)))).toEqual([]);
});

test("advice and problems keep the names in them; what is not known stays as it is", () => {
  expect(zhServer.advice("It came with a layer of your own: update lodash to 4.17.21 and rebuild.")).toBe(
    "来自您自己的层：将 lodash 更新到 4.17.21，然后重新构建。",
  );
  expect(zhServer.problem("it waits for the worker on node-7")).toBe("等待 node-7 上的工作进程");
  expect(zhServer.problem("r.example.org cannot be reached: no answer for 1000 ms (3 requests)")).toBe(
    "无法连接 r.example.org：1000 毫秒内没有响应",
  );
  expect(zhServer.problem("something else")).toBe("something else");
});

test.each([
  ["apps/server/src/jobs/worker.ts", "its worker was stopped"],
  ["apps/server/src/jobs/worker.ts", "it waits for the worker on ${"],
  ["apps/server/src/jobs/worker.ts", "the disk of the database or of the worker is full (${"],
  ["packages/store/src/jobs/task-life.ts", "gave no sign of life for ${"],
  ["packages/image/src/registry/http.ts", "cannot be reached: ${"],
  ["apps/server/src/exports/transports/webhook.ts", "the receiver answers with status ${"],
  ["apps/server/src/exports/transports/syslog.ts", "closed the connection before it had everything"],
  ["apps/server/src/exports/transports/kafka.ts", "the brokers do not answer within ${"],
  ["apps/server/src/security/outbound.ts", "leads to this machine, a private network or a reserved address"],
  ["apps/server/src/nodes/advance-upgrade.ts", "the node was not connected when its turn came"],
  ["apps/server/src/nodes/advance-upgrade.ts", "there is no program of this version for ${"],
  ["apps/server/src/rules/detected-alert.ts", "`Blocked: ${"],
  ["sensor/src/upgrade/trial.rs", "was taken back: {}"],
  ["packages/store/src/responses/responses.ts", "the node was not connected in time"],
  ["packages/store/src/responses/responses.ts", "the node did not answer in time"],
  ["packages/store/src/responses/responses.ts", "taken back before it was sent"],
  ["packages/store/src/images/image-findings.ts", "and replace every secret that the image could reach"],
  ["packages/store/src/images/image-findings.ts", "wait for a base that holds ${"],
  ["packages/store/src/images/image-findings.ts", "It came with the base image: "],
])("%s still writes what is translated: %s", (file, text) => {
  expect(readFileSync(join(ROOT, file), "utf8")).toContain(text);
});

test("attack paths and what ends them are told in Chinese, and what the cluster names stays as it is", () => {
  const account = (name: string, document: KubeObject["document"] = {}) => ({
    ...{ uid: name, apiVersion: "v1", kind: "ServiceAccount", namespace: "shop", name, document },
  });
  const rbac = (kind: string, name: string, document: KubeObject["document"]) => ({
    ...{ uid: `${kind}-${name}`, apiVersion: "rbac.authorization.k8s.io/v1", kind, namespace: "", name, document },
  });
  const bound = (name: string, rule: object) => [
    account(name),
    rbac("ClusterRole", name, { rules: [rule] }),
    rbac("ClusterRoleBinding", name, {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", namespace: "shop", name }],
    }),
  ];
  const accounts = {
    all: { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
    secrets: { apiGroups: [""], resources: ["secrets"], verbs: ["list"] },
    tokens: { apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["*"] },
  };
  const socket = { name: "s", hostPath: { path: "/run/containerd/containerd.sock" } };
  const specs = [
    { containers: [{ name: "c", securityContext: { privileged: true } }] },
    { containers: [{ name: "c", securityContext: { capabilities: { add: ["SYS_ADMIN"] } } }] },
    { containers: [{ name: "c", securityContext: { capabilities: { add: ["ALL"] } } }] },
    { containers: [{ name: "c", volumeMounts: [{ name: "s", mountPath: "/s" }] }], volumes: [socket] },
    {
      containers: [{ name: "c", volumeMounts: [{ name: "s", mountPath: "/s" }] }],
      volumes: [{ name: "s", hostPath: { path: "/etc" } }],
    },
    { hostPID: true, containers: [{ name: "c" }] },
    { containers: [{ name: "c", securityContext: { procMount: "Unmasked" } }] },
    ...Object.keys(accounts).map((serviceAccountName) => ({ serviceAccountName, containers: [{ name: "c" }] })),
  ];
  const workloads = specs.map((spec, n) => ({
    ...{
      uid: `w-${n}`,
      kind: "Deployment",
      namespace: "shop",
      name: `w-${n}`,
      spec,
      nodes: [`node-${n}`],
      exposure: [],
    },
  }));
  const objects = Object.entries(accounts).flatMap(([name, rule]) => bound(name, rule));
  const steps = findAttackPaths(objects, workloads).flatMap((path) => path.steps);
  const kinds = new Set(steps.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(["escape", "node", "power", "service-account", "target", "workload"]);
  for (const step of steps) {
    const told = zhServer.step(step);
    if (step.kind === "escape" || step.kind === "power") expect(told.name).toMatch(/\p{Script=Han}/u);
    else expect(told.name).toBe(step.name);
    if (step.how !== "" && step.kind !== "power") expect(told.how).toMatch(/\p{Script=Han}/u);
    if (step.fix !== "") expect(zhServer.stepFix(step.fix)).toMatch(/\p{Script=Han}/u);
  }
});

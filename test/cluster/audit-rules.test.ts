import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AuditAddressBook,
  type AuditAlert,
  auditAddressBook,
  auditDetector,
  loadRules,
  readAuditEvent,
  storedAuditEvent,
} from "@bulwark/detect";
import type { AuditEvent } from "@bulwark/model";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import type { Answer, ApiClient, KubernetesObject } from "./api-client.ts";
import { type HttpsReceiver, startHttpsReceiver } from "./https-receiver.ts";
import { writeBusyboxArchive } from "./pod-image.ts";
import { type Cluster, startCluster, whyNoCluster } from "./start-cluster.ts";

const RULES = join(import.meta.dirname, "../../content/rules");
const POLICY = join(import.meta.dirname, "../../deploy/kubernetes/audit/policy.yaml");
const DOCUMENTED = join(import.meta.dirname, "../../docs/clusters.md");
const FOLDERS = readdirSync(RULES).filter((name) => /^4\d{3}-/.test(name));
const NAMESPACE = "rules";
const IMAGE = "docker.io/library/tests-rules:1";
const RELAY_PORT = 8443;

/** A request of attack.json and benign.json. */
interface Step {
  readonly as?: string;
  readonly method?: string;
  readonly path?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly times?: number;
  /** Fills a list of the body, at a pointer (RFC 6901), with so many items; `{n}` is the number of each. */
  readonly many?: { readonly at: string; readonly count: number; readonly item: object };
  /** Made before, or not judged at all. */
  readonly prepare?: Step;
  readonly quiet?: boolean;
  /** Asked again until it is answered so: rights take a moment to hold. */
  readonly until?: number;
  /** Deleted afterwards. */
  readonly cleanup?: string;
  readonly upgrade?: boolean | string;
  readonly from?: "pod";
  /** A manifest put into the node's own folder. */
  readonly staticPod?: string;
}

const files = readdirSync(RULES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));
const set = loadRules(files.toSorted().map((name) => ({ name, text: readFileSync(join(RULES, name), "utf8") })));
const ruleOf = (folder: string) => set.auditRules.find(({ place }) => place.file === join(folder, "rule.yaml"));
const stepsOf = (folder: string, name: string) =>
  JSON.parse(readFileSync(join(RULES, folder, `${name}.json`), "utf8")) as readonly Step[];

test.each(FOLDERS)("%s is complete: rule, attack, benign neighbour, README, technique, advice", (folder) => {
  expect(readdirSync(join(RULES, folder)).toSorted()).toEqual(["README.md", "attack.json", "benign.json", "rule.yaml"]);
  const rule = ruleOf(folder);
  expect(rule?.techniques.filter(({ name }) => name !== "").length).toBeGreaterThan(0);
  expect(rule?.tactics.length).toBeGreaterThan(0);
  expect(rule?.advice).toMatch(/^[A-Z].{20,}\.$/s);
  expect(readFileSync(join(RULES, folder, "README.md"), "utf8")).toContain(`# ${rule?.name}`);
});

const whyNot = whyNoCluster();
if (whyNot !== "") console.warn(`audit rules are not attacked for real: ${whyNot}`);

describe.skipIf(whyNot !== "")("attacked for real at an API server", () => {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-audit-rules-"));
  const events: AuditEvent[] = [];
  const raw: string[] = [];
  const clients = new Map<string, ApiClient>();
  let receiver: HttpsReceiver;
  let cluster: Cluster;
  let book: AuditAddressBook;
  let target: KubernetesObject;

  beforeAll(async () => {
    receiver = await startHttpsReceiver((_, document) => {
      for (const item of document.items as readonly unknown[]) {
        raw.push(JSON.stringify(item));
        const event = readAuditEvent(item);
        // As it reaches the server.
        const sent = event && readAuditEvent(JSON.parse(JSON.stringify(storedAuditEvent(event))));
        if (sent !== undefined) events.push(sent);
      }
      return {};
    });
    const policy = parse(readFileSync(POLICY, "utf8")) as object;
    cluster = await startCluster({
      audit: { policy, url: receiver.url, ca: receiver.ca },
      apiServerFlags: auditFlags(),
    });
    writeBusyboxArchive(join(directory, "image.tar"));
    await cluster.loadImage(join(directory, "image.tar"), IMAGE);
    await prepare();
  });
  afterAll(async () => {
    await cluster?.close();
    await receiver?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function prepare(): Promise<void> {
    const metadata = (name: string) => ({ name, namespace: NAMESPACE });
    const accounts = ["builder", "reader", "outsider"].map((name) => ({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: metadata(name),
    }));
    const namespaces = [NAMESPACE, "bulwark-agent"].map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    }));
    const binding = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "builder" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ kind: "ServiceAccount", namespace: NAMESPACE, name: "builder" }],
    };
    const secrets = ["one", ...Array.from({ length: 10 }, (_, n) => `many-${n}`)].map((name) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: metadata(name),
      stringData: { password: "correct-horse" },
    }));
    await cluster.apply(...namespaces, ...accounts, binding, ...secrets);
    const relay = `while true; do nc -l -p ${RELAY_PORT} -e nc $KUBERNETES_SERVICE_HOST 443; done`;
    const command = ["/bin/sh", "-c", `httpd -p 8080 -h /tmp; ${relay}`];
    const containers = [{ name: "main", image: IMAGE, command }];
    const spec = { serviceAccountName: "reader", terminationGracePeriodSeconds: 0, containers };
    await vi.waitFor(
      () => cluster.apply({ apiVersion: "v1", kind: "Pod", metadata: metadata("target"), spec }),
      30_000,
    );
    target = await cluster.running(NAMESPACE, "target");
    const pod = {
      namespace: NAMESPACE,
      name: "target",
      uid: String(target.metadata.uid),
      serviceAccount: "reader",
      addresses: [podAddress()],
      node: cluster.node,
    };
    book = auditAddressBook([pod], { [cluster.node]: [cluster.address] });
  }

  function podAddress(): string {
    return (target.status as { readonly podIP: string }).podIP;
  }

  async function tokenOf(namespace: string, name: string, boundObjectRef?: object): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { boundObjectRef } };
    const { body } = await cluster.request("POST", path, request);
    return (body.status as { readonly token: string }).token;
  }

  async function clientOf(as: string, from: Step["from"]): Promise<ApiClient> {
    const known = clients.get(`${as} ${from}`);
    if (known !== undefined) return known;
    const bound = { apiVersion: "v1", kind: "Pod", name: "target", uid: target.metadata.uid };
    const through = from === "pod" ? { through: { host: podAddress(), port: RELAY_PORT } } : {};
    const made =
      as === "admin"
        ? cluster
        : as === "nobody"
          ? cluster.as({})
          : as === "wrong"
            ? cluster.as({ token: "made-up" })
            : as === "controller"
              ? cluster.as({ token: await tokenOf("kube-system", "generic-garbage-collector") })
              : as === "pod-token"
                ? cluster.as({ token: await tokenOf(NAMESPACE, "reader", bound), ...through })
                : cluster.as({ token: await tokenOf(NAMESPACE, as) });
    clients.set(`${as} ${from}`, made);
    return made;
  }

  function filled(text: string, n: number): string {
    const values = { namespace: NAMESPACE, pod: "target", image: IMAGE, node: cluster.node, n: String(n) };
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => (values as Record<string, string>)[name] ?? whole);
  }

  async function send(step: Step, n: number): Promise<Answer> {
    const upgraded = step.upgrade === undefined ? {} : upgradeHeaders(step.upgrade);
    const headers = JSON.parse(filled(JSON.stringify({ ...upgraded, ...step.headers }), n)) as Record<string, string>;
    const body =
      step.body === undefined ? undefined : withMany(step.many, JSON.parse(filled(JSON.stringify(step.body), n)));
    const client = await clientOf(step.as ?? "", step.from);
    return client.request(step.method ?? "", filled(step.path ?? "", n), body, headers);
  }

  /** @returns numbers of the requests that are to be judged, and the last status */
  async function perform(step: Step): Promise<readonly string[]> {
    if (step.staticPod !== undefined) return startStaticPod(step.staticPod);
    if (step.prepare !== undefined) await send(step.prepare, 0);
    if (step.upgrade !== undefined) return upgrade(step);
    const ids: string[] = [];
    for (let n = 0; n < (step.times ?? 1); n++) {
      const answer = await vi.waitFor(async () => {
        const tried = await send(step, n);
        if (step.until !== undefined) expect(tried.status).toBe(step.until);
        return tried;
      }, 20_000);
      expect(answer.auditId, `${step.method} ${step.path}: ${JSON.stringify(answer.body)}`).not.toBe("");
      if (step.quiet !== true) ids.push(answer.auditId);
    }
    if (step.cleanup !== undefined) await cluster.request("DELETE", filled(step.cleanup, 0));
    return ids;
  }

  /** The answer that upgrades a connection does not say the request's number: the client's name tells it apart. */
  async function upgrade(step: Step): Promise<readonly string[]> {
    const client = `tests/${randomUUID()}`;
    await send({ ...step, headers: { ...step.headers, "user-agent": client } }, 0);
    const found = () => events.filter(({ userAgent }) => userAgent === client);
    await vi.waitFor(() => expect(found().length).toBeGreaterThan(0), 20_000);
    return [...new Set(found().map(({ auditID }) => auditID))];
  }

  async function startStaticPod(name: string): Promise<readonly string[]> {
    const spec = { containers: [{ name: "main", image: IMAGE }] };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" }, spec };
    writeFileSync(join(cluster.directory, "static-pods", `${name}.json`), JSON.stringify(pod));
    await cluster.running("default", `${name}-${cluster.node}`);
    const found = () =>
      events.filter(({ user, verb, objectRef }) => {
        return user.username.startsWith("system:node:") && verb === "create" && objectRef?.resource === "pods";
      });
    await vi.waitFor(() => expect(found().length).toBeGreaterThan(0), 20_000);
    return found().map(({ auditID }) => auditID);
  }

  /** What rules said of the requests of all steps, and the numbers of each step's. */
  async function alertsOf(
    folder: string,
    kind: "attack" | "benign",
  ): Promise<{ readonly alerts: readonly AuditAlert[]; readonly steps: readonly (readonly string[])[] }> {
    const steps: (readonly string[])[] = [];
    for (const step of stepsOf(folder, kind)) steps.push(await perform(step));
    const ids = steps.flat();
    const told = (id: string) => events.some(({ auditID, stage }) => auditID === id && stage !== "RequestReceived");
    // What the policy leaves out is never told: probes, and reads of Kubernetes' own controllers.
    const expected = kind === "attack" ? ids : ids.slice(-1).filter(() => !/400[15]|4010/.test(folder));
    await vi.waitFor(() => expect(expected.filter((id) => !told(id))).toEqual([]), 30_000);
    const { feed } = auditDetector(set, { foldUs: 0 });
    const alerts = events.filter(({ auditID }) => ids.includes(auditID)).flatMap((event) => feed(event, book));
    return { alerts, steps };
  }

  test.each(FOLDERS)("%s fires on its attack", async (folder) => {
    const { alerts, steps } = await alertsOf(folder, "attack");
    expect(alerts.map(({ rule }) => rule)).toContain(ruleOf(folder)?.name);
    const own = alerts.find(({ rule }) => rule === ruleOf(folder)?.name);
    expect(own?.output).not.toContain("user=<NA>");
    // Each of the ways, where a rule does not count requests together.
    if (ruleOf(folder)?.detector === "") {
      const raised = alerts.filter(({ rule }) => rule === own?.rule).map(({ event }) => event.auditID);
      expect(steps.filter((ids) => ids.length > 0 && !ids.some((id) => raised.includes(id)))).toEqual([]);
    }
  });

  test.each(FOLDERS)("no rule fires on what lies beside the attack of %s", async (folder) => {
    const { alerts } = await alertsOf(folder, "benign");
    expect(alerts.map(({ rule, output }) => `${rule}: ${output}`)).toEqual([]);
  });

  test("a patch that the API server cannot tell of takes no other event with it", async () => {
    const patch = (type: string, body: unknown) =>
      cluster.request("PATCH", `/api/v1/namespaces/${NAMESPACE}?fieldManager=tests`, body, {
        "content-type": `application/${type}`,
      });
    const name = `metadata:\n  name: ${NAMESPACE}\n`;
    const yaml = await patch("apply-patch+yaml", `apiVersion: v1\nkind: Namespace\n${name}`);
    const beside = await patch("merge-patch+json", { metadata: { labels: { beside: "yes" } } });
    expect([yaml.status, beside.status]).toEqual([200, 200]);
    await vi.waitFor(() => expect(events.some(({ auditID }) => auditID === beside.auditId)).toBe(true), 20_000);
  });

  test("no secret is told by the policy, nor kept of what is told", () => {
    expect(raw.length).toBeGreaterThan(FOLDERS.length);
    expect(raw.filter((line) => line.includes("correct-horse") || line.includes(btoa("correct-horse")))).toEqual([]);
  });
});

/** The flags that docs/clusters.md asks for, as they stand there. */
function auditFlags(): readonly string[] {
  const found = readFileSync(DOCUMENTED, "utf8").match(/--audit-webhook-truncate-[a-z-]+(?:=\d+)?/g) ?? [];
  return [...new Set(found)].map((flag) => (flag.includes("=") ? flag : `${flag}=true`));
}

function withMany(many: Step["many"], body: Record<string, unknown>): object {
  if (many === undefined) return body;
  const list = many.at
    .split("/")
    .slice(1)
    .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], body);
  const text = JSON.stringify(many.item);
  for (let n = 0; n < many.count; n++) (list as unknown[]).push(JSON.parse(text.replace("{n}", String(n))));
  return body;
}

/** RFC 6455, section 4.1. */
function upgradeHeaders(protocol: boolean | string): Readonly<Record<string, string>> {
  return {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": Buffer.from("sixteen bytes ok").toString("base64"),
    "sec-websocket-protocol": typeof protocol === "string" ? protocol : "v4.channel.k8s.io",
  };
}

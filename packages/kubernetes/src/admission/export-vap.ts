import { AdmissionError } from "./errors.ts";
import { compileExpression, type Expression } from "./expression.ts";
import type { ContainerType } from "./pod.ts";
import type { AdmissionPolicy, AdmissionRule, Mode, Scope } from "./policy.ts";

/** Resources by kind, as `resourceRules` name them. */
const RESOURCES: Readonly<Record<string, readonly [group: string, version: string, ...resources: string[]]>> = {
  Pod: ["", "v1", "pods", "pods/ephemeralcontainers", "pods/resize"],
  PodTemplate: ["", "v1", "podtemplates"],
  ReplicationController: ["", "v1", "replicationcontrollers"],
  Deployment: ["apps", "v1", "deployments"],
  ReplicaSet: ["apps", "v1", "replicasets"],
  StatefulSet: ["apps", "v1", "statefulsets"],
  DaemonSet: ["apps", "v1", "daemonsets"],
  Job: ["batch", "v1", "jobs"],
  CronJob: ["batch", "v1", "cronjobs"],
};
const LISTS: Readonly<Record<Exclude<ContainerType, "volume">, string>> = {
  container: "containers",
  init: "initContainers",
  ephemeral: "ephemeralContainers",
};
/** What the API server itself knows: everything else only Bulwark can tell. */
const OF_KUBERNETES: ReadonlySet<string> = new Set(["object", "oldObject", "request", "pod", "container", "params"]);

type KubeDocument = Readonly<Record<string, unknown>>;

/** The two objects that let the API server judge without a webhook (admissionregistration.k8s.io/v1). */
export interface ExportedPolicy {
  readonly policy: KubeDocument;
  readonly binding: KubeDocument;
}

/**
 * Writes a policy as a ValidatingAdmissionPolicy with its binding. The same pods are refused by it as by the webhook, with the
 * parameters that hold without grade and exposure.
 *
 * @param exempt namespaces that the binding leaves alone
 * @throws AdmissionError `NOT_EXPORTABLE` that says what only Bulwark can judge
 * @example exportPolicy(policy, "enforce", ["kube-system"]).binding.kind // "ValidatingAdmissionPolicyBinding"
 */
export function exportPolicy(policy: AdmissionPolicy, mode: Mode, exempt: readonly string[]): ExportedPolicy {
  const { name: ours, rules, params, onError, title } = policy;
  if (mode === "off") throw notExportable(policy, "it is off");
  const name = `bulwark-${ours}`;
  const validations = rules.map((rule) => validationOf(policy, rule));
  const variables = [
    { name: "pod", expression: podExpression("object") },
    { name: "podBefore", expression: `oldObject == null ? null : dyn(${podExpression("oldObject")})` },
    { name: "relabelled", expression: `${labelsOf("pod")} != ${labelsOf("podBefore", true)}` },
    {
      name: "idle",
      expression: `oldObject != null && variables.pod.?spec == variables.podBefore.?spec && !variables.relabelled && (object.kind == "Pod" || ${annotationsOf("pod")} == ${annotationsOf("podBefore")})`,
    },
    {
      name: "before",
      expression: `oldObject == null || object.kind != "Pod" || variables.relabelled ? [] : ${containersOf("podBefore", ["container", "init", "ephemeral"])}`,
    },
  ];
  const asksPods = rules.some(({ on }) => on !== "object");
  const labels = { "app.kubernetes.io/managed-by": "bulwark" };
  return {
    policy: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: { name, labels, annotations: { "bulwark.dev/title": title } },
      spec: {
        failurePolicy: onError === "deny" ? "Fail" : "Ignore",
        matchConstraints: { resourceRules: resourceRules(policy), ...namespaceSelector(policy, exempt) },
        ...matchConditions(policy),
        ...(asksPods ? { variables } : {}),
        validations: validations.map(({ rule, expression }) => ({
          expression: withParams(expression, rule.deny, params),
          message: `policy ${ours} (${rule.id}): ${rule.title}`,
          reason: "Forbidden",
        })),
      },
    },
    binding: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name, labels },
      spec: { policyName: name, validationActions: mode === "enforce" ? ["Deny"] : ["Warn", "Audit"] },
    },
  };
}

function validationOf(policy: AdmissionPolicy, rule: AdmissionRule) {
  const compiled = compileExpression(rule.deny, { left: 0, isExhausted: false, values: 0 });
  demandPlain(policy, rule, compiled);
  if (rule.on === "object") return { rule, expression: `!(${rule.deny})` };
  if (rule.on === "pod") return { rule, expression: `variables.idle || [variables.pod].all(pod, !(${rule.deny}))` };
  const all = containersOf(
    "pod",
    rule.containers.filter((type) => type !== "volume"),
  );
  const isFine = `container in variables.before || !(${rule.deny})`;
  // A rule on containers may speak of their pod as well.
  const ofPod = compiled.uses.has("pod")
    ? `[variables.pod].all(pod, (${all}).all(container, ${isFine}))`
    : `(${all}).all(container, ${isFine})`;
  return { rule, expression: `variables.idle || ${ofPod}` };
}

function demandPlain(policy: AdmissionPolicy, rule: AdmissionRule, { uses, isOurs }: Expression): void {
  const foreign = [...uses].find((name) => !OF_KUBERNETES.has(name));
  if (foreign !== undefined) throw notExportable(policy, `rule ${rule.id} asks of ${foreign}`);
  if (isOurs) throw notExportable(policy, `rule ${rule.id} calls glob() or describe()`);
  if (rule.on === "image" || rule.containers.includes("volume"))
    throw notExportable(policy, `rule ${rule.id} asks of images`);
}

function podExpression(of: string): string {
  return (
    `${of}.kind == "Pod" ? dyn(${of}) : ${of}.kind == "CronJob" ? dyn(${of}.spec.jobTemplate.spec.template) : ` +
    `${of}.kind == "PodTemplate" ? dyn(${of}.template) : dyn(${of}.spec.template)`
  );
}

function labelsOf(variable: string, mayBeNull = false): string {
  const labels = `variables.${variable}.?metadata.?labels.orValue({})`;
  return mayBeNull ? `(oldObject == null ? {} : ${labels})` : labels;
}

function annotationsOf(variable: string): string {
  return `variables.${variable}.?metadata.?annotations.orValue({})`;
}

function containersOf(variable: string, types: readonly Exclude<ContainerType, "volume">[]): string {
  return types.map((type) => `variables.${variable}.spec.?${LISTS[type]}.orValue([])`).join(" + ");
}

/** Parameters are written in: a policy of Kubernetes keeps them in an object of its own, which somebody would have to keep in step. */
function withParams(expression: string, deny: string, params: AdmissionPolicy["params"]): string {
  const { uses } = compileExpression(deny, { left: 0, isExhausted: false, values: 0 });
  return uses.has("params") ? `[${literal(params)}].all(params, ${expression})` : expression;
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: dyn(${literal(item)})`);
  return `{${entries.join(", ")}}`;
}

function resourceRules({ scope, ...policy }: AdmissionPolicy): readonly KubeDocument[] {
  const kinds = scope.kinds.length === 0 ? Object.keys(RESOURCES) : scope.kinds;
  const operations = scope.operations.length === 0 ? ["CREATE", "UPDATE"] : scope.operations;
  const byGroup = new Map<string, string[]>();
  for (const kind of kinds) {
    const known = Object.hasOwn(RESOURCES, kind) ? RESOURCES[kind] : undefined;
    if (known === undefined) throw notExportable(policy, `the resource of the kind ${kind} is not known`);
    const [group, version, ...resources] = known;
    byGroup.set(`${group}/${version}`, [...(byGroup.get(`${group}/${version}`) ?? []), ...resources]);
  }
  return [...byGroup].map(([key, resources]) => {
    const [group = "", version = ""] = key.split("/");
    return { apiGroups: [group], apiVersions: [version], operations, resources };
  });
}

function namespaceSelector(policy: AdmissionPolicy, exempt: readonly string[]) {
  const { scope } = policy;
  refuseForeignScope(policy, scope);
  const matchExpressions: KubeDocument[] = [];
  const name = "kubernetes.io/metadata.name";
  const left = [...exempt, ...scope.exceptNamespaces.filter((glob) => !isGlob(glob))];
  if (left.length > 0) matchExpressions.push({ key: name, operator: "NotIn", values: [...new Set(left)] });
  for (const [key, value] of Object.entries(scope.namespaceLabels))
    matchExpressions.push(value === "*" ? { key, operator: "Exists" } : { key, operator: "In", values: [value] });
  return matchExpressions.length === 0 ? {} : { namespaceSelector: { matchExpressions } };
}

function refuseForeignScope(policy: AdmissionPolicy, scope: Scope): void {
  if (scope.grades.length > 0) throw notExportable(policy, "its scope asks of the business grade");
  if (scope.clusters.length > 0) throw notExportable(policy, "its scope names clusters");
  if (scope.exposed) throw notExportable(policy, "its scope asks whether the internet reaches the pod");
  const odd = Object.values(scope.namespaceLabels).find((value) => value !== "*" && isGlob(value));
  if (odd !== undefined) throw notExportable(policy, `its scope has the pattern ${odd} on a label`);
  if (Object.keys(scope.labels).length > 0) throw notExportable(policy, "its scope has patterns on labels of pods");
}

/** Patterns on the namespace's name with one `*` at their end; others cannot be said. */
function matchConditions(policy: AdmissionPolicy) {
  const { namespaces, exceptNamespaces } = policy.scope;
  const test = (glob: string) => {
    if (!isGlob(glob)) return `request.namespace == ${JSON.stringify(glob)}`;
    if (isGlob(glob.slice(0, -1)) || !glob.endsWith("*"))
      throw notExportable(policy, `its scope has the pattern ${glob}`);
    return `request.namespace.startsWith(${JSON.stringify(glob.slice(0, -1))})`;
  };
  const within = namespaces.length === 0 ? [] : [{ name: "within", expression: namespaces.map(test).join(" || ") }];
  const except = exceptNamespaces.filter(isGlob).map(test);
  const without = except.length === 0 ? [] : [{ name: "except", expression: `!(${except.join(" || ")})` }];
  const all = [...within, ...without];
  return all.length === 0 ? {} : { matchConditions: all };
}

function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

function notExportable({ name }: Pick<AdmissionPolicy, "name">, why: string): AdmissionError {
  return new AdmissionError(
    "NOT_EXPORTABLE",
    `policy ${name} needs Bulwark's webhook: ${why}`,
    "leave it to the webhook",
  );
}

import { type AuditEvent, fieldsOf, listOf, textOf } from "@bulwark/model";
import { type Field, field, fieldWith, textOrNone, type Value } from "../fields/field.ts";
import { argumentFault, type FieldFault, type FieldUse, noField } from "../fields/table.ts";
import { POD_FIELDS } from "./pod-fields.ts";
import { elementsOf, grantOf, sentObject, unescaped } from "./pod-spec.ts";
import { auditTimeUs, serviceAccountOf } from "./read-audit-event.ts";
import { decoded } from "./redact-audit-object.ts";

const audit = field<AuditEvent>;
const ours = { ours: true } as const;
/** Of an object that stands where a value is asked for. */
const MAX_JSON = 8192;

function iso(event: AuditEvent): string {
  return event.requestReceivedTimestamp || event.stageTimestamp;
}

/** Only the last address was seen by the server itself. */
export function lastAddress({ sourceIPs }: AuditEvent): string {
  return sourceIPs.at(-1) ?? "";
}

function targetName(event: AuditEvent): string | undefined {
  const named = event.objectRef?.name ?? "";
  return textOrNone(named === "" ? textOf(fieldsOf(sentObject(event).metadata).name) : named);
}

/** A value of the event as it was sent, by its pointer (RFC 6901). */
function atPointer(pointer: string): (event: AuditEvent) => Value | undefined {
  const names = pointer.split("/").slice(1).map(unescaped);
  return (event) => {
    let at: unknown = event;
    for (const name of names) {
      if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
      at = (at as Readonly<Record<string, unknown>>)[name];
    }
    if (at === null || at === undefined || at === "") return undefined;
    if (typeof at === "string" || typeof at === "number" || typeof at === "boolean") return String(at);
    return JSON.stringify(at).slice(0, MAX_JSON);
  };
}

/** A parameter of the query, decoded; undefined when it is not there. */
function queryParameter(name: string): (event: AuditEvent) => Value | undefined {
  return ({ requestURI }) => {
    const start = requestURI.indexOf("?");
    const pairs = start < 0 ? [] : requestURI.slice(start + 1).split("&");
    const values = pairs.map((pair) => pair.split("=")).filter(([key = ""]) => decoded(key) === name);
    return values.length === 0 ? undefined : values.map(([, ...value]) => decoded(value.join("="))).join(" ");
  };
}

function listOrNone(values: readonly string[]): readonly string[] | undefined {
  return values.length === 0 ? undefined : values;
}

/** Texts of one key of every rule of a role. */
function ruleValues(key: string): (event: AuditEvent) => Value | undefined {
  return (event) => {
    const rules = elementsOf(grantOf(event).rules).map(fieldsOf);
    return listOrNone(rules.flatMap((rule) => listOf(rule[key]).map(textOf)));
  };
}

const EVENT: readonly Field<AuditEvent>[] = [
  audit("ka.auditid", "text", "number of the request, the same at each of its stages", ({ auditID }) => auditID),
  audit(
    "ka.stage",
    "text",
    "RequestReceived, ResponseStarted (of what lasts: exec, watch), ResponseComplete or Panic",
    ({ stage }) => stage,
  ),
  audit("ka.auth.decision", "text", "allow or forbid", ({ annotations }) =>
    textOrNone(annotations["authorization.k8s.io/decision"]),
  ),
  audit("ka.auth.reason", "text", "why it was allowed or not: the role and its binding", ({ annotations }) =>
    textOrNone(annotations["authorization.k8s.io/reason"]),
  ),
  audit(
    "ka.verb",
    "text",
    "get, list, watch, create, update, patch, delete, deletecollection, for what is no object the method",
    ({ verb }) => textOrNone(verb),
  ),
  audit("ka.uri", "text", "path and query", ({ requestURI }) => textOrNone(requestURI)),
  fieldWith<AuditEvent>("ka.uri.param", "text", "a parameter of the query", (name) => queryParameter(name ?? ""), {
    argument: "required",
    argumentForm: "the parameter's name",
    cost: 6,
  }),
  audit("ka.useragent", "text", "what the client calls itself", ({ userAgent }) => textOrNone(userAgent)),
  audit(
    "ka.sourceips",
    "addresses",
    "from the client to the last proxy; the client can invent all but the last",
    ({ sourceIPs }) => listOrNone(sourceIPs),
  ),
  audit(
    "ka.sourceip.last",
    "addresses",
    "the address that the API server saw",
    (event) => textOrNone(lastAddress(event)),
    ours,
  ),
  audit("ka.response.code", "text", "status code of HTTP", ({ responseStatus }) =>
    responseStatus === null ? undefined : String(responseStatus.code),
  ),
  audit("ka.response.reason", "text", "reason of a refusal: Forbidden, NotFound", ({ responseStatus }) =>
    textOrNone(responseStatus?.reason),
  ),
  audit(
    "ka.omitted",
    "text",
    "`judged` where a request was so large that something that rules look at had to be left out, `detail` where it was something else",
    ({ omitted }) => textOrNone(omitted),
    ours,
  ),
  audit("ka.resp.name", "text", "name of the object in the answer", ({ responseObject }) =>
    textOrNone(textOf(fieldsOf(fieldsOf(responseObject).metadata).name)),
  ),
];

const USER: readonly Field<AuditEvent>[] = [
  audit("ka.user.name", "text", "who asked; a service account is system:serviceaccount:NAMESPACE:NAME", ({ user }) =>
    textOrNone(user.username),
  ),
  audit("ka.user.groups", "list", "groups of who asked", ({ user }) => listOrNone(user.groups)),
  audit(
    "ka.user.namespace",
    "text",
    "namespace of a service account",
    ({ user }) => serviceAccountOf(user.username)?.namespace,
    ours,
  ),
  fieldWith<AuditEvent>(
    "ka.user.extra",
    "text",
    "what else is known of the user: authentication.kubernetes.io/pod-name",
    (name) =>
      ({ user }) =>
        textOrNone(Object.hasOwn(user.extra, name ?? "") ? user.extra[name ?? ""]?.join(",") : ""),
    { argument: "required", argumentForm: "a name", ours: true },
  ),
  audit("ka.impuser.name", "text", "as whom the user acted", ({ impersonatedUser }) =>
    textOrNone(impersonatedUser?.username),
  ),
  audit(
    "ka.impuser.groups",
    "list",
    "groups as whose member the user acted",
    ({ impersonatedUser }) => listOrNone(impersonatedUser?.groups ?? []),
    ours,
  ),
];

const TARGET: readonly Field<AuditEvent>[] = [
  audit("ka.target.resource", "text", "pods, secrets, clusterrolebindings", ({ objectRef }) =>
    textOrNone(objectRef?.resource),
  ),
  audit("ka.target.subresource", "text", "exec, attach, token, status", ({ objectRef }) =>
    textOrNone(objectRef?.subresource),
  ),
  audit("ka.target.namespace", "text", "namespace of the object", ({ objectRef }) => textOrNone(objectRef?.namespace)),
  audit("ka.target.name", "text", "name of the object", targetName),
  audit("ka.target.pod.name", "text", "name of the pod", (event) =>
    event.objectRef?.resource === "pods" ? targetName(event) : undefined,
  ),
];

const RBAC: readonly Field<AuditEvent>[] = [
  audit("ka.req.binding.role", "text", "the role that is bound", (event) =>
    textOrNone(textOf(fieldsOf(grantOf(event).roleRef).name)),
  ),
  audit("ka.req.binding.subjects", "list", "to whom: Kind/NAMESPACE/NAME", (event) =>
    listOrNone(
      elementsOf(grantOf(event).subjects)
        .map(fieldsOf)
        .map(({ kind, namespace, name }) =>
          [kind, namespace, name]
            .map(textOf)
            .filter((part) => part !== "")
            .join("/"),
        ),
    ),
  ),
  audit("ka.req.role.rules.verbs", "list", "verbs of a role's rules", ruleValues("verbs")),
  audit("ka.req.role.rules.resources", "list", "resources of a role's rules", ruleValues("resources")),
  audit("ka.req.role.rules.apiGroups", "list", "API groups of a role's rules", ruleValues("apiGroups")),
  audit("ka.req.role.rules.nonResourceURLs", "list", "paths of a role's rules", ruleValues("nonResourceURLs")),
  audit(
    "ka.req.role.rules",
    "text",
    "the rules of a role as JSON",
    (event) =>
      grantOf(event).rules === undefined ? undefined : JSON.stringify(grantOf(event).rules).slice(0, MAX_JSON),
    { cost: 10 },
  ),
];

const OTHER: readonly Field<AuditEvent>[] = [
  audit("ka.req.service.type", "text", "ClusterIP, NodePort, LoadBalancer", (event) =>
    event.objectRef?.resource === "services" ? textOrNone(textOf(fieldsOf(sentObject(event).spec).type)) : undefined,
  ),
  audit("ka.req.service.ports", "ports", "ports of a service", (event) =>
    event.objectRef?.resource === "services"
      ? listOrNone(elementsOf(fieldsOf(sentObject(event).spec).ports).map((port) => String(fieldsOf(port).port ?? "")))
      : undefined,
  ),
  audit("ka.req.configmap.name", "text", "name of a config map", (event) =>
    event.objectRef?.resource === "configmaps" ? targetName(event) : undefined,
  ),
];

const JSON_EVENT: readonly Field<AuditEvent>[] = [
  fieldWith<AuditEvent>(
    "jevt.value",
    "text",
    "a value of the event as the API server sent it; objects as JSON",
    (pointer) => atPointer(pointer ?? ""),
    {
      argument: "required",
      argumentForm: "a JSON pointer such as /requestObject/spec/replicas",
      accepts: (pointer) => pointer.startsWith("/"),
      cost: 5,
    },
  ),
  audit("jevt.time", "text", "time of day (UTC)", (event) => textOrNone(iso(event).slice(11, 26)), { cost: 5 }),
  audit("jevt.time.iso8601", "text", "date and time (ISO 8601, UTC)", (event) => textOrNone(iso(event)), { cost: 5 }),
  audit("jevt.rawtime", "number", "nanoseconds since 1970", (event) => auditTimeUs(event) * 1000, { cost: 5 }),
  audit("evt.time", "text", "date and time (ISO 8601, UTC)", (event) => textOrNone(iso(event)), { cost: 5 }),
  audit("evt.source", "text", "always k8s_audit", () => "k8s_audit"),
];

/** Every field that a rule with `source: k8s_audit` may name, in the order of the documentation. */
export const AUDIT_FIELDS: readonly Field<AuditEvent>[] = [
  ...EVENT,
  ...USER,
  ...TARGET,
  ...POD_FIELDS,
  ...RBAC,
  ...OTHER,
  ...JSON_EVENT,
];

const BY_NAME: ReadonlyMap<string, Field<AuditEvent>> = new Map(AUDIT_FIELDS.map((each) => [each.name, each]));
/** Fields of Falco's that are not filled, and why. */
export const UNSUPPORTED_AUDIT_FIELDS: readonly (readonly [name: string, why: string])[] = [
  ["ka.req.configmap.obj", "the content of config maps is taken out before it is kept"],
  ["ka.cluster.name", "the cluster is part of the alert"],
  ["ka.auth.openshift.decision", "it belongs to another server than Kubernetes'"],
  ["ka.auth.openshift.username", "it belongs to another server than Kubernetes'"],
  ["jevt.obj", "the whole event is part of the alert"],
];

/** Looks a field of audit events up. */
export function findAuditField(name: string, argument: string | null): FieldUse<AuditEvent> | FieldFault {
  const found = BY_NAME.get(name);
  if (found === undefined) {
    const why = UNSUPPORTED_AUDIT_FIELDS.find(([other]) => other === name)?.[1];
    if (why !== undefined) return { fault: "unsupported", message: `${name} is not filled: ${why}` };
    return noField(name, BY_NAME.keys());
  }
  return argumentFault(found, argument) ?? { field: found, argument, types: null };
}

import {
  type AuditEvent,
  type AuditObject,
  type AuditStatus,
  type AuditUser,
  fieldsOf,
  listOf,
  type Omitted,
  textOf,
} from "@bulwark/model";
import { condensedObject, type ObjectPlace } from "./condense-object.ts";
import { objectOf, tellsResult, templatePathOf } from "./pod-spec.ts";
import { extentOf, redactAuditObject, redactUri } from "./redact-audit-object.ts";

/** Of a name, an address, a user agent; the API server's own limits lie below. */
const MAX_TEXT = 4096;
const MAX_URI = 16 * 1024;
const MAX_GROUPS = 256;
const MAX_EXTRA = 32;
const MAX_ADDRESSES = 32;
const MAX_ANNOTATIONS = 64;
/** JSON of an object that is kept whole with an event. */
const MAX_STORED_OBJECT = 32 * 1024;
/** With which the API server says that it cut an event itself (kube-apiserver, `--audit-webhook-truncate-enabled`). */
const TRUNCATED = "audit.k8s.io/truncated";

/**
 * Reads an event as the API server sends it. Secrets are taken out, what is missing is empty, and nothing in it can be longer than
 * what is stated here; what that leaves out is told in `omitted`.
 *
 * @returns undefined for what is no audit event
 * @example readAuditEvent(JSON.parse(line))?.verb // "create"
 */
export function readAuditEvent(value: unknown): AuditEvent | undefined {
  const fields = fieldsOf(value);
  if (typeof fields.auditID !== "string" || typeof fields.stage !== "string") return undefined;
  const objectRef = readObject(fields.objectRef);
  const place = { resource: objectRef?.resource ?? "", template: templatePathOf({ objectRef }) };
  const request = readSent(fields.requestObject ?? null, place);
  const response = readSent(fields.responseObject ?? null, place);
  const annotations = readAnnotations(fields.annotations);
  return {
    auditID: text(fields.auditID),
    stage: text(fields.stage),
    level: text(fields.level),
    verb: text(fields.verb),
    requestURI: redactUri(textOf(fields.requestURI).slice(0, MAX_URI)),
    user: readUser(fields.user) ?? NOBODY,
    impersonatedUser: readUser(fields.impersonatedUser),
    sourceIPs: texts(fields.sourceIPs, MAX_ADDRESSES, "last"),
    userAgent: text(fields.userAgent),
    objectRef,
    responseStatus: readStatus(fields.responseStatus),
    requestObject: request.value,
    responseObject: response.value,
    omitted: worst(
      ...[request.omitted, response.omitted, readOmitted(fields.omitted)],
      annotations[TRUNCATED] === "true" ? "judged" : "",
    ),
    requestReceivedTimestamp: text(fields.requestReceivedTimestamp),
    stageTimestamp: text(fields.stageTimestamp),
    annotations,
  };
}

interface Sent {
  readonly value: unknown;
  readonly omitted: Omitted;
}

/** An object without secrets: whole, or where it is too large what rules look at, which is looked for in all of it. */
function readSent(value: unknown, place: ObjectPlace): Sent {
  const { isWide, isDeep } = extentOf(value);
  if (!isWide) return { value: redactAuditObject(value, place.resource), omitted: isDeep ? "detail" : "" };
  const { value: condensed, omitted } = condense(value, place);
  return { value: redactAuditObject(condensed, place.resource), omitted };
}

function condense(value: unknown, place: ObjectPlace): Sent {
  const { object, isCut } = condensedObject(objectOf(value), place);
  return { value: object, omitted: isCut ? "judged" : "detail" };
}

const OMITTED: readonly Omitted[] = ["", "detail", "judged"];

function worst(...all: readonly Omitted[]): Omitted {
  return OMITTED.findLast((each) => all.includes(each)) ?? "";
}

/** Of an event that was read before, in the cluster. */
function readOmitted(value: unknown): Omitted {
  return OMITTED.find((each) => each === value) ?? "";
}

const NOBODY: AuditUser = { username: "", uid: "", groups: [], extra: {} };

function text(value: unknown): string {
  return textOf(value).slice(0, MAX_TEXT);
}

/** The last address is the only one that the server itself saw: of too many, the others go. */
function texts(value: unknown, most: number, kept: "first" | "last" = "first"): readonly string[] {
  const all = listOf(value);
  return (kept === "last" ? all.slice(-most) : all.slice(0, most)).map(text);
}

function readUser(value: unknown): AuditUser | null {
  if (value === undefined || value === null) return null;
  const { username, uid, groups, extra } = fieldsOf(value);
  const pairs = Object.entries(fieldsOf(extra)).slice(0, MAX_EXTRA);
  return {
    username: text(username),
    uid: text(uid),
    groups: texts(groups, MAX_GROUPS),
    extra: Object.fromEntries(pairs.map(([name, values]) => [name.slice(0, MAX_TEXT), texts(values, MAX_EXTRA)])),
  };
}

function readObject(value: unknown): AuditObject | null {
  if (value === undefined || value === null) return null;
  const { resource, subresource, namespace, name, uid, apiGroup, apiVersion } = fieldsOf(value);
  return {
    resource: text(resource),
    subresource: text(subresource),
    namespace: text(namespace),
    name: text(name),
    uid: text(uid),
    apiGroup: text(apiGroup),
    apiVersion: text(apiVersion),
  };
}

function readStatus(value: unknown): AuditStatus | null {
  if (value === undefined || value === null) return null;
  const { code, status, reason, message } = fieldsOf(value);
  return {
    code: typeof code === "number" && Number.isFinite(code) ? code : 0,
    status: text(status),
    reason: text(reason),
    message: text(message),
  };
}

function readAnnotations(value: unknown): Readonly<Record<string, string>> {
  const pairs = Object.entries(fieldsOf(value)).slice(0, MAX_ANNOTATIONS);
  return Object.fromEntries(pairs.map(([name, each]) => [name.slice(0, MAX_TEXT), text(each)]));
}

/**
 * What is kept of an event: of a large object what rules look at, and of an answer what came of a patch, since a patch does not say what it
 * is put into. Rules find the same in it as in the whole event, or `omitted` says that they may not.
 */
export function storedAuditEvent(event: AuditEvent): AuditEvent {
  const { requestObject, responseObject, omitted } = event;
  const place = { resource: event.objectRef?.resource ?? "", template: templatePathOf(event) };
  const isLarge = requestObject !== null && JSON.stringify(requestObject).length > MAX_STORED_OBJECT;
  const request: Sent = isLarge ? condense(requestObject, place) : { value: requestObject, omitted: "" };
  const result = tellsResult(event) ? condensedObject(objectOf(responseObject), place) : undefined;
  return {
    ...event,
    requestObject: request.value,
    responseObject: result?.object ?? null,
    omitted: worst(omitted, request.omitted, result?.isCut === true ? "judged" : ""),
  };
}

/** Microseconds since 1970 at which the request came; 0 when the event does not say. */
export function auditTimeUs({ requestReceivedTimestamp, stageTimestamp }: AuditEvent): number {
  const time = requestReceivedTimestamp || stageTimestamp;
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) return 0;
  const micros = /\.\d{3}(\d{3})/.exec(time)?.[1];
  return ms * 1000 + Number(micros ?? 0);
}

const ACCOUNT = /^system:serviceaccount:([^:]{1,63}):([^:]{1,253})$/;

/** The namespace and name of a service account; undefined for any other user. */
export function serviceAccountOf(username: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = ACCOUNT.exec(username) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

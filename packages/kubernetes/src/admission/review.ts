import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import { measure, withoutOddKeys } from "./document.ts";
import { AdmissionError } from "./errors.ts";

/** The API server takes 3 MiB of an object; a review of an update holds the old one and the options beside it. */
export const MAX_REVIEW_BYTES = 20 * 1024 * 1024;
const MAX_UID_LENGTH = 256;
const OPERATIONS = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;

type Operation = (typeof OPERATIONS)[number];

interface GroupKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What the API server asks about (admission.k8s.io/v1 AdmissionRequest). */
export interface AdmissionRequest {
  /** Echoed in the answer. */
  readonly uid: string;
  readonly kind: GroupKind;
  readonly subResource: string;
  /** Empty where the server makes the name (`generateName`). */
  readonly name: string;
  /** Empty for what lies in no namespace. */
  readonly namespace: string;
  readonly operation: Operation;
  readonly user: string;
  readonly groups: readonly string[];
  readonly dryRun: boolean;
  /** Null on DELETE. */
  readonly object: Fields | null;
  /** Null on CREATE and CONNECT. */
  readonly oldObject: Fields | null;
  /** The request as expressions see it: what Kubernetes calls `request`. */
  readonly seen: Fields;
  /** `object` and `oldObject` as expressions see them. */
  readonly seenObject: unknown;
  readonly seenOldObject: unknown;
  /** Values in the whole document: what a comparison of maps may cost. */
  readonly values: number;
}

/**
 * Reads the body of a webhook's call. Unknown members are passed over, as newer API servers send some.
 *
 * @throws AdmissionError `REVIEW_INVALID` that says what is wrong
 * @example readReview(body).kind.kind // "Pod"
 */
export function readReview(text: string): AdmissionRequest {
  if (text.length > MAX_REVIEW_BYTES) throw invalid(`it has more than ${MAX_REVIEW_BYTES} bytes`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw invalid("it is not JSON", cause);
  }
  const { values, hasOddKeys } = measure(parsed);
  const review = fieldsOf(parsed);
  if (review.kind !== "AdmissionReview" || review.apiVersion !== "admission.k8s.io/v1")
    throw invalid("it is no admission.k8s.io/v1 AdmissionReview");
  const request = fieldsOf(review.request);
  const uid = textOf(request.uid);
  if (uid === "" || uid.length > MAX_UID_LENGTH) throw invalid("its request has no uid");
  const operation = OPERATIONS.find((known) => known === request.operation);
  if (operation === undefined) throw invalid("its operation is not CREATE, UPDATE, DELETE or CONNECT");
  const kind = groupKind(request.kind);
  if (kind.kind === "") throw invalid("its request names no kind");
  const object = objectOf(request.object, "object");
  const oldObject = objectOf(request.oldObject, "oldObject");
  if (object === null && operation !== "DELETE") throw invalid(`${operation} of ${kind.kind} without an object`);
  const { object: _object, oldObject: _old, ...rest } = request;
  const user = fieldsOf(request.userInfo);
  return {
    ...{ uid, kind, operation, object, oldObject, values },
    subResource: textOf(request.subResource),
    name: textOf(request.name),
    namespace: textOf(request.namespace),
    user: textOf(user.username),
    groups: listOf(user.groups).map(textOf),
    dryRun: request.dryRun === true,
    seen: hasOddKeys ? (withoutOddKeys(rest) as Fields) : rest,
    seenObject: hasOddKeys ? withoutOddKeys(object) : object,
    seenOldObject: hasOddKeys ? withoutOddKeys(oldObject) : oldObject,
  };
}

function groupKind(value: unknown): GroupKind {
  const { group, version, kind } = fieldsOf(value);
  return { group: textOf(group), version: textOf(version), kind: textOf(kind) };
}

function objectOf(value: unknown, member: string): Fields | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "object" || Array.isArray(value)) throw invalid(`its ${member} is no object`);
  return value as Fields;
}

function invalid(what: string, cause?: unknown): AdmissionError {
  const next = "send what the API server sends; docs/admission.md tells how the webhook is registered";
  return new AdmissionError("REVIEW_INVALID", `no AdmissionReview: ${what}`, next, cause);
}

import type { Judgement, Violation } from "./judge.ts";
import type { PatchOperation } from "./mutate.ts";

/** RFC 9110 (403), and what the API server shows as the reason. */
const FORBIDDEN = 403;
/** The API server cuts single warnings at 256 characters and all of them at 4,096 (Kubernetes, "Admission webhook warnings"). */
const MAX_WARNING = 250;
const MAX_WARNINGS = 12;
const MAX_MESSAGE = 3_000;
const MAX_ANNOTATION = 1_000;

/** The answer to the API server (admission.k8s.io/v1 AdmissionReview). */
export interface ReviewAnswer {
  readonly apiVersion: "admission.k8s.io/v1";
  readonly kind: "AdmissionReview";
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
    readonly warnings?: readonly string[];
    readonly auditAnnotations?: Readonly<Record<string, string>>;
    readonly patchType?: "JSONPatch";
    /** Base64 of a JSON Patch (RFC 6902). */
    readonly patch?: string;
  };
}

/** The answer for a judgement. */
export function answerTo(uid: string, judgement: Judgement): ReviewAnswer {
  const { allowed, violations, grant } = judgement;
  const counted = violations.filter(({ exception }) => exception === "");
  const denying = counted.filter(({ mode }) => mode !== "audit");
  const warning = allowed ? counted : counted.filter(({ mode }) => mode === "audit");
  const warnings = warningsOf(warning, judgement.more);
  if (grant !== undefined)
    warnings.unshift(`bulwark: break-glass ${grant.id} until ${grant.until} lets this pass`.slice(0, MAX_WARNING));
  const annotations = annotationsOf(judgement, counted);
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      ...{ uid, allowed },
      ...(allowed ? {} : { status: { code: FORBIDDEN, reason: "Forbidden", message: denialOf(denying) } }),
      ...(warnings.length === 0 ? {} : { warnings }),
      ...(Object.keys(annotations).length === 0 ? {} : { auditAnnotations: annotations }),
    },
  };
}

/** The answer of the mutating webhook; it never denies. */
export function patchAnswer(
  uid: string,
  patch: readonly PatchOperation[],
  toBase64: (text: string) => string,
): ReviewAnswer {
  const patched = { patchType: "JSONPatch", patch: toBase64(JSON.stringify(patch)) } as const;
  const response = { uid, allowed: true, ...(patch.length === 0 ? {} : patched) };
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response };
}

/** The refusal of a request that could not be judged at all. */
export function refusal(uid: string, code: number, message: string): ReviewAnswer {
  const status = { code, reason: code === 429 ? "TooManyRequests" : "BadRequest", message };
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid, allowed: false, status } };
}

function denialOf(denying: readonly Violation[]): string {
  const lines = denying.map(lineOf);
  return `denied by Bulwark: ${lines.join("; ")}`.slice(0, MAX_MESSAGE);
}

function warningsOf(violations: readonly Violation[], more: number): string[] {
  const warnings = violations.slice(0, MAX_WARNINGS).map((each) => `bulwark: ${lineOf(each)}`.slice(0, MAX_WARNING));
  const rest = Math.max(0, violations.length - MAX_WARNINGS) + (violations.length > 0 ? more : 0);
  return rest === 0 ? warnings : [...warnings, `bulwark: ${rest} more violations`];
}

function lineOf({ policy, rule, message }: Violation): string {
  return `policy ${policy} (${rule}): ${message}`;
}

/** For the audit log of the API server, which puts the webhook's name before each key. */
function annotationsOf({ allowed, violations, grant }: Judgement, counted: readonly Violation[]) {
  const names = (found: readonly Violation[]) => [...new Set(found.map(({ policy, rule }) => `${policy}/${rule}`))];
  const denying = names(counted.filter(({ mode }) => mode !== "audit"));
  const audited = names(counted.filter(({ mode }) => mode === "audit"));
  const excused = [...new Set(violations.map(({ exception }) => exception))].filter((id) => id !== "");
  const entries: readonly (readonly [string, string])[] = [
    [allowed ? "would-have-denied" : "denied-by", denying.join(",")],
    ["audited", audited.join(",")],
    ["exceptions", excused.join(",")],
    ["break-glass", grant === undefined ? "" : `${grant.id}: ${grant.reason}`],
  ];
  return Object.fromEntries(
    entries.filter(([, text]) => text !== "").map(([key, text]) => [key, text.slice(0, MAX_ANNOTATION)]),
  );
}

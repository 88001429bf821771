import { fieldsOf, listOf, textOf } from "@bulwark/model";

/** Payload type of in-toto statements (in-toto attestation specification, "Envelope"). */
export const STATEMENT_PAYLOAD = "application/vnd.in-toto+json";
/** Predicate types that say no more than "signed": cosign's since it writes bundles. */
export const SIGN_PREDICATES: ReadonlySet<string> = new Set(["https://sigstore.dev/cosign/sign/v1"]);
const STATEMENT_TYPES: ReadonlySet<string> = new Set([
  "https://in-toto.io/Statement/v1",
  "https://in-toto.io/Statement/v0.1",
]);
const DIGESTS: ReadonlySet<string> = new Set(["sha256", "sha512"]);

/** An in-toto statement (in-toto attestation specification, "Statement"). */
export interface Statement {
  readonly predicateType: string;
  readonly predicate: unknown;
  readonly subject: readonly unknown[];
  /** `sha256:…` of everything it speaks of. */
  readonly digests: readonly string[];
}

/** Reads a statement; undefined when the bytes are none. */
export function readStatement(bytes: Uint8Array): Statement | undefined {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
  const { _type: type, predicateType, predicate, subject } = fieldsOf(document);
  if (!STATEMENT_TYPES.has(textOf(type)) || typeof predicateType !== "string") return undefined;
  const digests = listOf(subject).flatMap((each) =>
    Object.entries(fieldsOf(fieldsOf(each).digest))
      .filter(([algorithm]) => DIGESTS.has(algorithm))
      .map(([algorithm, value]) => `${algorithm}:${textOf(value)}`),
  );
  return { predicateType, predicate, subject: listOf(subject), digests };
}

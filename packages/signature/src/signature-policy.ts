import { createPublicKey, type KeyObject } from "node:crypto";
import { type Fields, fieldsOf, listOf } from "@bulwark/model";
import { compileBounded } from "@bulwark/policy";
import type { TrustedRoot } from "@sigstore/protobuf-specs";
import { RE2JS } from "re2js";
import { parse as parseYaml } from "yaml";
import { SignatureError } from "./errors.ts";
import { predicateEnvironment } from "./predicate.ts";
import { readTrustedRoot } from "./trusted-root.ts";

const MAX_POLICY_BYTES = 1024 * 1024;
const MAX_ALIASES = 100;
const RULE_KEYS = ["name", "images", "key", "keyless", "transparencyLog", "trustedRoot", "attestation"];

/** Who must have vouched for an image, and how. */
export interface SignatureRule {
  readonly name: string;
  /** Globs over `registry/repository`; empty for all images. */
  readonly images: readonly string[];
  /** Any of these keys; empty for keyless signatures. */
  readonly keys: readonly KeyObject[];
  readonly keyless: KeylessIdentity | undefined;
  /** Whether a key's signature must be in a transparency log. Keyless ones always must. */
  readonly needsLog: boolean;
  readonly trustedRoot: TrustedRoot | undefined;
  /** An attestation of this kind is asked for, instead of a plain signature. */
  readonly attestation: AttestationRule | undefined;
}

/** Whom a certificate must name. */
interface KeylessIdentity {
  readonly issuer: string;
  /** The whole subject alternative name, or a pattern that has to fit all of it. */
  readonly identity: string | RE2JS;
}

export interface AttestationRule {
  readonly predicateType: string;
  /** CEL over `predicate` and `subject`; empty when any will do. */
  readonly where: string;
}

export interface SignaturePolicy {
  readonly name: string;
  readonly file: string;
  readonly rules: readonly SignatureRule[];
  /** Whether images that no rule speaks of pass. */
  readonly allowsOthers: boolean;
}

/**
 * Reads a signature policy (YAML).
 *
 * @param readFile gives the content of a file that the policy names, relative to the policy
 * @throws SignatureError `SIGNATURE_POLICY_INVALID`, `KEY_INVALID`, `TRUST_ROOT_INVALID`
 * @example await readSignaturePolicy("name: release\nrules:\n  - name: key\n    key: cosign.pub\n", "signed.yaml", readFile);
 */
export async function readSignaturePolicy(
  text: string,
  file: string,
  readFile: (path: string) => Promise<string>,
): Promise<SignaturePolicy> {
  if (text.length > MAX_POLICY_BYTES) throw invalid(file, `it is larger than ${MAX_POLICY_BYTES} bytes`);
  let document: unknown;
  try {
    document = parseYaml(text, { maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw invalid(file, `it is not YAML: ${firstLine(cause)}`, cause);
  }
  const fields = fieldsOf(document);
  refuseUnknown(fields, ["name", "description", "rules", "others"], file, "the policy");
  const entries = listOf(fields.rules);
  if (entries.length === 0) throw invalid(file, "it has no rules");
  const rules: SignatureRule[] = [];
  for (const [at, entry] of entries.entries())
    rules.push(await readRule(fieldsOf(entry), `rule ${at + 1}`, file, readFile));
  const others = fields.others ?? "refuse";
  if (others !== "refuse" && others !== "allow") throw invalid(file, '"others" must be refuse or allow');
  return { name: needText(fields, "name", file, "the policy"), file, rules, allowsOthers: others === "allow" };
}

async function readRule(
  fields: Fields,
  place: string,
  file: string,
  readFile: (path: string) => Promise<string>,
): Promise<SignatureRule> {
  refuseUnknown(fields, RULE_KEYS, file, place);
  const name = needText(fields, "name", file, place);
  const keys: KeyObject[] = [];
  for (const key of wordsOf(fields.key, "key", file, name)) {
    keys.push(publicKey(key.includes("-----BEGIN") ? key : await readFile(key), file, name));
  }
  const keyless = fields.keyless === undefined ? undefined : readKeyless(fieldsOf(fields.keyless), file, name);
  if ((keys.length === 0) === (keyless === undefined))
    throw invalid(file, `rule "${name}" needs either key or keyless`);
  const log = fields.transparencyLog ?? (keyless === undefined ? "ignored" : "required");
  if (log !== "required" && log !== "ignored")
    throw invalid(file, `rule "${name}": transparencyLog must be required or ignored`);
  if (keyless !== undefined && log === "ignored") {
    throw invalid(file, `rule "${name}": a keyless signature proves nothing without its log entry`);
  }
  const root = fields.trustedRoot;
  const needsLog = log === "required";
  if (needsLog && typeof root !== "string")
    throw invalid(file, `rule "${name}" needs "trustedRoot": a trusted_root.json`);
  return {
    name,
    images: wordsOf(fields.images, "images", file, name),
    keys,
    keyless,
    needsLog,
    trustedRoot: typeof root === "string" ? readTrustedRoot(await readFile(root), root) : undefined,
    attestation:
      fields.attestation === undefined ? undefined : readAttestation(fieldsOf(fields.attestation), file, name),
  };
}

function publicKey(pem: string, file: string, rule: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new SignatureError(
      "KEY_INVALID",
      `signature policy ${file}: rule "${rule}": the key is no public key in PEM`,
      "name the public key's file, as cosign or bulwark sign --generate-key writes it",
      cause,
    );
  }
}

function readKeyless(fields: Fields, file: string, rule: string): KeylessIdentity {
  refuseUnknown(fields, ["issuer", "identity", "identityPattern"], file, `keyless of rule "${rule}"`);
  const issuer = needText(fields, "issuer", file, `keyless of rule "${rule}"`);
  if ((fields.identity === undefined) === (fields.identityPattern === undefined)) {
    throw invalid(file, `keyless of rule "${rule}" needs either identity or identityPattern`);
  }
  if (fields.identity !== undefined) return { issuer, identity: needText(fields, "identity", file, rule) };
  const pattern = needText(fields, "identityPattern", file, rule);
  try {
    return { issuer, identity: RE2JS.compile(pattern) };
  } catch (cause) {
    throw invalid(file, `keyless of rule "${rule}": ${firstLine(cause)}`, cause);
  }
}

function readAttestation(fields: Fields, file: string, rule: string): AttestationRule {
  refuseUnknown(fields, ["predicateType", "where"], file, `attestation of rule "${rule}"`);
  const predicateType = needText(fields, "predicateType", file, `attestation of rule "${rule}"`);
  const where = fields.where === undefined ? "" : needText(fields, "where", file, rule);
  try {
    if (where !== "") compileBounded(predicateEnvironment(), where, 0);
  } catch (cause) {
    throw invalid(file, `attestation of rule "${rule}": ${firstLine(cause)}`, cause);
  }
  return { predicateType, where };
}

function wordsOf(value: unknown, key: string, file: string, rule: string): readonly string[] {
  const words = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return words.map((word) => {
    if (typeof word !== "string" || word === "")
      throw invalid(file, `rule "${rule}": "${key}" must be text or a list of texts`);
    return word;
  });
}

function needText(fields: Fields, key: string, file: string, place: string): string {
  const value = fields[key];
  if (typeof value !== "string" || value.trim() === "") throw invalid(file, `${place} needs "${key}" as text`);
  return value;
}

function refuseUnknown(fields: Fields, known: readonly string[], file: string, place: string): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw invalid(file, `${place} has an unknown key "${unknown}"; known are ${known.join(", ")}`);
}

function invalid(file: string, what: string, cause?: unknown): SignatureError {
  return new SignatureError(
    "SIGNATURE_POLICY_INVALID",
    `signature policy ${file}: ${what}`,
    "correct the file; docs/signatures.md shows the form",
    cause,
  );
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

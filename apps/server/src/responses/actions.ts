import { randomBytes, randomUUID } from "node:crypto";
import { type TSchema, Type } from "typebox";
import { Compile } from "typebox/compile";
import { ServerError } from "../errors.ts";
import type { Action } from "../gateway/orders.ts";

const CIDR = "^[0-9a-fA-F.:]{2,45}/[0-9]{1,3}$";
const GRACE_SECONDS = 10;
/** What a sensor, which has little memory, holds of evidence at once. */
const EVIDENCE_BYTES = 8 * 1024 * 1024;
const EVIDENCE_PARTS = ["process-tree", "open-files", "connections", "mounts", "file-system-diff", "environment-names"];
const KEY_BYTES = 32;

/** What an action asks for, what it does first, and how it is undone. */
interface ActionRule {
  readonly parameters: TSchema;
  /** Ends something that cannot be looked at afterwards: evidence is captured before. */
  readonly destroys: boolean;
  /** Needs a second person unless whoever asks may approve. */
  readonly needsApproval: boolean;
  readonly undoneBy: Action | undefined;
  /** Filled in where the request leaves it out. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

const nothing = Type.Object({}, { additionalProperties: false });
const grace = Type.Object(
  { graceSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 300 })) },
  { additionalProperties: false },
);
const none = { destroys: false, needsApproval: false, undoneBy: undefined, defaults: {} } as const;

export const ACTION_RULES: Readonly<Record<Action, ActionRule>> = {
  "kill-process": {
    ...none,
    parameters: Type.Object(
      {
        pid: Type.Integer({ minimum: 2, maximum: 4_194_304 }),
        startUs: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
        tree: Type.Optional(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
    destroys: true,
  },
  pause: { ...none, parameters: nothing, undoneBy: "resume" },
  resume: { ...none, parameters: nothing },
  isolate: {
    ...none,
    parameters: Type.Object(
      { except: Type.Optional(Type.Array(Type.String({ pattern: CIDR }), { maxItems: 64 })) },
      { additionalProperties: false },
    ),
    undoneBy: "restore-network",
  },
  "restore-network": { ...none, parameters: nothing },
  stop: { ...none, parameters: grace, destroys: true, needsApproval: true, defaults: { graceSeconds: GRACE_SECONDS } },
  destroy: { ...none, parameters: grace, destroys: true, needsApproval: true, defaults: { graceSeconds: 0 } },
  quarantine: {
    ...none,
    parameters: Type.Object(
      { path: Type.String({ minLength: 2, maxLength: 4_096, pattern: "^/" }) },
      { additionalProperties: false },
    ),
    needsApproval: true,
    undoneBy: "restore-file",
  },
  "restore-file": {
    ...none,
    parameters: Type.Object({ quarantineId: Type.String({ maxLength: 64 }) }, { additionalProperties: false }),
  },
  "collect-evidence": {
    ...none,
    parameters: Type.Object(
      { parts: Type.Optional(Type.Array(Type.Enum(EVIDENCE_PARTS), { minItems: 1, maxItems: EVIDENCE_PARTS.length })) },
      { additionalProperties: false },
    ),
    defaults: { parts: EVIDENCE_PARTS, limitBytes: EVIDENCE_BYTES },
  },
  upgrade: {
    ...none,
    parameters: Type.Object(
      {
        version: Type.String({ pattern: "^[0-9A-Za-z.+-]{1,64}$" }),
        sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
      },
      { additionalProperties: false },
    ),
    needsApproval: true,
  },
  // Asked for by benchmarks alone, which know what may be changed.
  "apply-fix": { ...none, parameters: nothing, needsApproval: true },
  "undo-fix": { ...none, parameters: nothing },
};

/** Actions that have pages and rules of their own. */
const APART: readonly Action[] = ["restore-file", "upgrade", "apply-fix", "undo-fix"];

/** All actions, for schemas. */
export const ACTIONS = Object.keys(ACTION_RULES) as Action[];

/** Those that anybody may ask for about a container. */
export const ASKED_ACTIONS = ACTIONS.filter((action) => !APART.includes(action));

const compiled = new Map(ACTIONS.map((action) => [action, Compile(ACTION_RULES[action].parameters)]));

/**
 * Parameters of an action, complete.
 *
 * @throws ServerError `INVALID_REQUEST` naming the parameter
 */
export function parametersOf(action: Action, given: unknown): Readonly<Record<string, unknown>> {
  const check = compiled.get(action)!;
  if (!check.Check(given)) {
    const [first] = check.Errors(given);
    const where = first === undefined ? "parameters" : `parameters${first.instancePath.replaceAll("/", ".")}`;
    throw new ServerError(
      "INVALID_REQUEST",
      `${action}: ${where} ${first?.message ?? "is wrong"}`,
      "see /openapi.json",
    );
  }
  const quarantineId = action === "quarantine" ? { quarantineId: randomUUID() } : {};
  return { ...ACTION_RULES[action].defaults, ...(given as object), ...quarantineId };
}

/** Key under which a node keeps a file in quarantine. */
export function newQuarantineKey(): string {
  return randomBytes(KEY_BYTES).toString("base64");
}

import type { Meter } from "@bulwark/policy";
import { POD_KINDS } from "../objects/pod-template.ts";
import { compileExpression } from "./expression.ts";
import { FACT_COUNTS } from "./facts.ts";
import { compileMessage } from "./message.ts";
import type { AdmissionPolicy } from "./policy.ts";

/** What the webhook is asked about: anything else never comes. */
const OPERATIONS = ["CREATE", "UPDATE"];
/** Members of what Bulwark itself tells. What Kubernetes tells has whatever members its objects have. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  image: [
    ...["reference", "registry", "repository", "tag", "pinned", "state", "problem", "digest", "resolved", "manifest"],
    ...["complete", "scannedAt", "ageDays", "counts", "findings", "flaws", "purls", "cut", "signature", "tampered"],
    ...["base", "golden", "labels"],
  ],
  "image.counts": FACT_COUNTS,
  "image.base": ["state", "reference", "public", "pinned"],
  ns: ["name", "known", "labels", "grade"],
  cluster: ["name", "grade"],
};

/**
 * What is wrong with a policy that can be read: names that nothing has, so that a rule could never be evaluated and would deny, or
 * let pass, everything; and kinds and operations that are never asked about, so that it would never hold.
 *
 * @returns a sentence for each mistake; none where nothing was found
 * @example mistakesIn(readAdmissionPolicy(text, "calm.yaml")) // ['rule "high": params has no "hgh"; there is high']
 */
export function mistakesIn(policy: AdmissionPolicy): readonly string[] {
  const { scope, rules, params, stricter } = policy;
  const known = {
    ...MEMBERS,
    params: [...new Set([params, ...stricter.map((each) => each.params)].flatMap(Object.keys))],
  };
  return [
    ...strangers(scope.kinds, POD_KINDS, "scope: kinds"),
    ...strangers(scope.operations, OPERATIONS, "scope: operations"),
    ...rules.flatMap(({ id, deny, message }) => {
      const meter: Meter = { left: 0, isExhausted: false, values: 0 };
      const { type, members } = compileExpression(deny, meter);
      const all = new Set([...members, ...compileMessage(message, meter).expressions.flatMap((each) => each.members)]);
      const odd = type === "bool" || type === "dyn" ? [] : [`deny gives ${type}, and has to be true or false`];
      return [...odd, ...[...all].flatMap((path) => unknownMember(path, known))].map((what) => `rule "${id}": ${what}`);
    }),
  ];
}

function strangers(words: readonly string[], known: readonly string[], where: string): readonly string[] {
  return words
    .filter((word) => !known.includes(word))
    .map((word) => `${where}: "${word}" is never asked about; there are ${known.join(", ")}`);
}

/** @param path such as `image.counts.high` */
function unknownMember(path: string, known: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const at = path.lastIndexOf(".");
  const of = path.slice(0, at);
  const member = path.slice(at + 1);
  const names = Object.hasOwn(known, of) ? known[of] : undefined;
  if (names === undefined || names.includes(member)) return [];
  return [`${of} has no "${member}"; there ${names.length === 0 ? "is nothing in it" : `is ${names.join(", ")}`}`];
}

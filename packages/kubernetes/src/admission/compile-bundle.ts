import type { Meter } from "@bulwark/policy";
import type { AdmissionBundle } from "./bundle.ts";
import { compileExpression, type Expression, firstLine } from "./expression.ts";
import { compileMessage, type Message } from "./message.ts";
import type { AdmissionPolicy, AdmissionRule, Mode } from "./policy.ts";
import { readAdmissionPolicy } from "./read-policy.ts";

/** A rule, ready to be asked. */
export interface CompiledRule {
  readonly rule: AdmissionRule;
  readonly deny: Expression;
  readonly message: Message;
}

export interface CompiledPolicy {
  readonly policy: AdmissionPolicy;
  /** The mode for the whole estate. */
  readonly mode: Mode;
  readonly rules: readonly CompiledRule[];
}

/** A bundle, ready to judge by. It is spent from one meter: one review at a time. */
export interface CompiledBundle {
  readonly bundle: AdmissionBundle;
  readonly policies: readonly CompiledPolicy[];
  /** Mode by policy and namespace. */
  readonly modes: ReadonlyMap<string, Mode>;
  /** Some rule or the brake asks what only a scan tells. */
  readonly needsReports: boolean;
  /** Some policy asks of the namespace: labels, grade, or what is exposed. */
  readonly problems: readonly string[];
  readonly meter: Meter;
}

/**
 * Compiles a bundle. A policy that cannot be read, which the server should not have sent, is left out and named in `problems`,
 * so that one of a newer server does not disarm the others.
 */
export function compileBundle(bundle: AdmissionBundle): CompiledBundle {
  const meter: Meter = { left: 0, isExhausted: false, values: 0 };
  const policies: CompiledPolicy[] = [];
  const problems: string[] = [];
  for (const { text, file, mode } of bundle.policies) {
    try {
      const policy = readAdmissionPolicy(text, file);
      policies.push({ policy, mode, rules: policy.rules.map((rule) => compileRule(rule, meter)) });
    } catch (error) {
      problems.push(firstLine(error));
    }
  }
  const modes = new Map(bundle.modes.map(({ policy, namespace, mode }) => [modeKey(policy, namespace), mode]));
  const asks = policies.some(({ rules }) => rules.some(({ deny }) => deny.needsReport));
  return { bundle, policies, modes, problems, meter, needsReports: asks || bundle.brakes.length > 0 };
}

export function modeKey(policy: string, namespace: string): string {
  return `${policy}/${namespace}`;
}

function compileRule(rule: AdmissionRule, meter: Meter): CompiledRule {
  return { rule, deny: compileExpression(rule.deny, meter), message: compileMessage(rule.message, meter) };
}

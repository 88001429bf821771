import type { AuditEvent } from "@bulwark/model";
import type { Test } from "../compile/compile-check.ts";
import type { RuleDefinition } from "../language/definitions.ts";
import { isResolveFault, type Resolver } from "../language/resolve.ts";
import { compileFormatOf, type Format } from "../output/format.ts";
import type { RuleDescription, Tell } from "../rule-set.ts";
import { settingsProblem } from "../stateful/registry.ts";
import { type Bound, compileAuditCondition } from "./audit-condition.ts";
import { AUDIT_DETECTORS } from "./audit-detectors.ts";
import { findAuditField } from "./audit-fields.ts";

/** What rule files call the events of an API server. */
export const AUDIT_SOURCE = "k8s_audit";

/** A rule over what an API server was asked. */
export interface AuditRule extends RuleDescription {
  readonly test: Test<AuditEvent>;
  /** Verbs and resources without which it cannot hold; null is any. */
  readonly verbs: Bound;
  readonly resources: Bound;
  readonly format: Format<AuditEvent>;
}

/** Compiles a rule over audit events; undefined when it is left out, and why has been told. */
export function loadAuditRule(
  definition: RuleDefinition,
  resolver: Resolver,
  description: RuleDescription,
  tell: Tell,
): AuditRule | undefined {
  const settings = settingsProblem(definition.detector, definition.settings, AUDIT_DETECTORS);
  if (settings !== undefined) tell("error", settings);
  const resolved = resolver.resolve(definition.condition, definition.exceptions);
  if (isResolveFault(resolved)) {
    tell("error", resolved.message, resolved.place);
    return undefined;
  }
  const condition = compileAuditCondition(resolved);
  const format = compileFormatOf(definition.output, findAuditField);
  for (const { fault, message, place } of format.faults) {
    tell(fault === "invalid" ? "error" : "warning", `in the output: ${message}`, place);
  }
  if ("test" in condition) return { ...description, ...condition, format };
  for (const { fault, message, check } of condition.faults) {
    const mistake = fault === "invalid" && !definition.skipIfUnknownFilter;
    tell(mistake ? "error" : "warning", message, check.place);
  }
  return undefined;
}

import { expect } from "vitest";
import { auditDetector } from "../audit/audit-detector.ts";
import { loadRules } from "../rule-set.ts";
import { auditEvent } from "./audit-events.ts";

/** The file of such a rule. */
export const rule = (condition: string, more = "") =>
  `- rule: R\n  desc: d\n  source: k8s_audit\n  condition: ${condition}\n  output: "by %ka.user.name from %ka.sourceip.last agent %ka.useragent"\n  priority: INFO\n${more}`;
/** A set of one rule over audit events. */
export const load = (condition: string, more = "") => loadRules([{ name: "r.yaml", text: rule(condition, more) }]);
/** Whether a rule of this condition fires on an audit event with these fields. */
export const holds = (condition: string, given: Readonly<Record<string, unknown>> = {}) => {
  const set = load(condition);
  expect(set.reports.flatMap(({ problems }) => problems)).toEqual([]);
  return auditDetector(set).feed(auditEvent(given)).length === 1;
};
/** What makes a pod, as fields of an audit event. */
export const podWith = (spec: object) => ({
  verb: "create",
  requestObject: { apiVersion: "v1", kind: "Pod", metadata: { name: "made" }, spec },
});

import type { AuditEvent } from "@bulwark/model";
import { quotedText } from "../allow-list.ts";
import { compileGlob, type TextTest } from "../compile/glob.ts";
import { invalidFilter, resolveFilter } from "../filter.ts";
import { compileAuditCondition } from "./audit-condition.ts";
import { AUDIT_SOURCE } from "./audit-rule.ts";

/** Which requests to API servers something holds for: all conditions together; an empty list is no condition. Patterns are globs. */
export interface AuditScope {
  readonly source: typeof AUDIT_SOURCE;
  /** Names of clusters. */
  readonly clusters: readonly string[];
  /** Of the object that was asked for. */
  readonly namespaces: readonly string[];
  /** Who asked, as the API server names them: `system:serviceaccount:ci:deployer`. */
  readonly users: readonly string[];
}

/** Every request to every cluster. */
export const EVERY_REQUEST: AuditScope = { source: AUDIT_SOURCE, clusters: [], namespaces: [], users: [] };

/** What is known and accepted: an alert of this rule, in this scope, that meets the condition is not raised. */
export interface AuditAllowEntry {
  readonly id: string;
  /** A rule's name; empty is every rule over audit events. */
  readonly rule: string;
  /** In the rules' language, over fields of audit events; empty is every event. */
  readonly condition: string;
  readonly scope: AuditScope;
  /** Microseconds since 1970; null never ends. */
  readonly untilUs: number | null;
}

export interface AuditAllowList {
  /** The entry that accepts what a rule saw in a cluster of this name. */
  readonly accepts: (rule: string, event: AuditEvent, cluster: string, nowUs: number) => AuditAllowEntry | undefined;
}

/**
 * Compiles a condition over audit events that stands on its own.
 *
 * @throws DetectError `FILTER_INVALID` with the column and what is wrong
 * @example compileAuditFilter("ka.verb = create and ka.target.resource = pods")(event);
 */
export function compileAuditFilter(condition: string): (event: AuditEvent) => boolean {
  const compiled = compileAuditCondition(resolveFilter(condition));
  if ("test" in compiled) return compiled.test;
  const [fault] = compiled.faults;
  throw invalidFilter(condition, fault?.check.place.column ?? 1, fault?.message ?? "it cannot be compiled");
}

/**
 * Compiles an allow-list over audit events.
 *
 * @throws DetectError `FILTER_INVALID` for a condition that is none
 */
export function compileAuditAllowList(entries: readonly AuditAllowEntry[]): AuditAllowList {
  const compiled = entries.map((entry) => ({
    entry,
    clusters: entry.scope.clusters.map((pattern) => compileGlob(pattern, false)),
    namespaces: entry.scope.namespaces.map((pattern) => compileGlob(pattern, false)),
    users: entry.scope.users.map((pattern) => compileGlob(pattern, false)),
    meets: entry.condition.trim() === "" ? () => true : compileAuditFilter(entry.condition),
  }));
  const fits = (tests: readonly TextTest[], text: string) => tests.length === 0 || tests.some((test) => test(text));
  return {
    accepts: (rule, event, cluster, nowUs) =>
      compiled.find(
        ({ entry, clusters, namespaces, users, meets }) =>
          (entry.rule === "" || entry.rule === rule) &&
          (entry.untilUs === null || nowUs < entry.untilUs) &&
          fits(clusters, cluster) &&
          fits(namespaces, event.objectRef?.namespace ?? "") &&
          fits(users, event.user.username) &&
          meets(event),
      )?.entry,
  };
}

/** What of an audit event an allowance is made of. */
export type AllowableRequest = Pick<AuditEvent, "verb" | "objectRef" | "requestURI" | "impersonatedUser">;

/**
 * The condition that accepts what a request did: the verb, the kind of object, as whom. By whom and where is said by the scope.
 *
 * @param named only for the object of this name
 * @example auditAllowConditionFor(event, false); // 'ka.verb = "create" and ka.target.resource = "pods" and …'
 */
export function auditAllowConditionFor(event: AllowableRequest, named: boolean): string {
  const { verb, objectRef, requestURI, impersonatedUser } = event;
  const parts = [`ka.verb = ${quotedText(verb)}`];
  if (objectRef === null) {
    const path = requestURI.split("?", 1)[0] ?? "";
    parts.push(`(ka.uri = ${quotedText(path)} or ka.uri startswith ${quotedText(`${path}?`)})`);
  } else {
    parts.push(`ka.target.resource = ${quotedText(objectRef.resource)}`);
    const { subresource, name } = objectRef;
    parts.push(
      subresource === "" ? "not ka.target.subresource exists" : `ka.target.subresource = ${quotedText(subresource)}`,
    );
    if (named && name !== "") parts.push(`ka.target.name = ${quotedText(name)}`);
  }
  // Who may do so himself may not do so as anybody else.
  parts.push(
    impersonatedUser === null
      ? "not ka.impuser.name exists"
      : `ka.impuser.name = ${quotedText(impersonatedUser.username)}`,
  );
  return parts.join(" and ");
}

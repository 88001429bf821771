import { AUDIT_SOURCE, type AuditScope, EVERY_REQUEST, EVERYWHERE, type RuleScope } from "@bulwark/detect";
import type { StoredScope } from "@bulwark/store";
import { Type } from "typebox";

const Names = Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: 500 }));

/** Where something holds, as requests give it: what is left out is no condition. */
export const ScopeBody = Type.Object(
  {
    host: Type.Optional(Type.Boolean({ description: "the host itself, beside containers; true where it is left out" })),
    images: Names,
    namespaces: Names,
    containerNames: Names,
    containerIds: Names,
    exposed: Type.Optional(Type.Boolean({ description: "only containers of which others can reach a port" })),
    selfBuilt: Type.Optional(Type.Boolean({ description: "only containers of images that no registry has" })),
    labels: Type.Optional(Type.Record(Type.String({ maxLength: 300 }), Type.String({ maxLength: 500 }))),
  },
  { additionalProperties: false, description: "globs; all conditions together" },
);

/** Which requests to API servers something holds for: what is left out is no condition. */
export const AuditScopeBody = Type.Object(
  {
    source: Type.Literal(AUDIT_SOURCE, { description: "what API servers were asked, and not what containers do" }),
    clusters: Names,
    namespaces: Names,
    users: Names,
  },
  { additionalProperties: false, description: "globs; all conditions together" },
);

/** Whether it is about requests to API servers. */
export function isOfRequests(stored: StoredScope): boolean {
  return stored.source === AUDIT_SOURCE;
}

/** What was stored, with everything that a scope of requests has. */
export function auditScopeOf(stored: StoredScope): AuditScope {
  return { ...EVERY_REQUEST, ...stored } as AuditScope;
}

/** What was stored, with everything that a scope has. */
export function scopeOf(stored: StoredScope): RuleScope {
  return { ...EVERYWHERE, ...stored } as RuleScope;
}

/** Whether it holds for everything, so that it is no exception to anything. */
export function isEverywhere(scope: RuleScope): boolean {
  const { host, labels, images, namespaces, containerNames, containerIds, exposed, selfBuilt } = scope;
  const lists = [images, namespaces, containerNames, containerIds];
  return host && !exposed && !selfBuilt && Object.keys(labels).length === 0 && lists.every((list) => list.length === 0);
}

import { EVERYWHERE, type RuleScope } from "@bulwark/detect";
import type { StoredScope } from "@bulwark/store";
import { Type } from "typebox";

const Names = Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: 500 }));

/** Where something holds, as requests give it: what is left out is no condition. */
export const ScopeBody = Type.Object(
  {
    host: Type.Optional(Type.Boolean({ description: "the host itself, beside containers", default: true })),
    images: Names,
    namespaces: Names,
    containerNames: Names,
    containerIds: Names,
    labels: Type.Optional(Type.Record(Type.String({ maxLength: 300 }), Type.String({ maxLength: 500 }))),
  },
  { additionalProperties: false, description: "globs; all conditions together" },
);

/** What was stored, with everything that a scope has. */
export function scopeOf(stored: StoredScope): RuleScope {
  return { ...EVERYWHERE, ...stored } as RuleScope;
}

/** Whether it holds for everything, so that it is no exception to anything. */
export function isEverywhere(scope: RuleScope): boolean {
  const { host, labels, images, namespaces, containerNames, containerIds } = scope;
  const lists = [images, namespaces, containerNames, containerIds];
  return host && Object.keys(labels).length === 0 && lists.every((list) => list.length === 0);
}

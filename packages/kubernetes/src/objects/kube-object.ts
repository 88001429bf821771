/** JSON of a Kubernetes object, or a part of one. What a cluster says is not trusted: fields are read through `objects/read.ts`. */
export type Json = Readonly<Record<string, unknown>>;

/** A Kubernetes object as it is kept: identity beside the pruned document. */
export interface KubeObject {
  readonly uid: string;
  /** `apps/v1` */
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for what has none. */
  readonly namespace: string;
  readonly name: string;
  readonly document: Json;
}

/** The namespace and the name of an object, as people write them: `shop/cart`, or `cart` for what has no namespace. */
export function nameOf({ namespace, name }: Pick<KubeObject, "namespace" | "name">): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

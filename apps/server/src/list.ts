import { type TSchema, Type } from "typebox";

/** A list in an answer: read-only, as the store gives it. */
export function List<Item extends TSchema>(item: Item) {
  return Type.Immutable(Type.Array(item));
}

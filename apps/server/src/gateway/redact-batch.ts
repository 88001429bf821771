import { redactArguments } from "@bulwark/detect";
import type { EventBatch } from "./gen/wire-types.ts";

/** The batch without the secrets of its command lines; the very batch where it has none. */
export function redactBatch(batch: EventBatch): EventBatch {
  let isChanged = false;
  const clean = <Item extends { readonly arguments: readonly string[] }>(item: Item): Item => {
    const shown = redactArguments(item.arguments);
    if (shown === item.arguments) return item;
    isChanged = true;
    // Its other fields may be defaults that live in the prototype.
    return Object.assign(Object.create(Object.getPrototypeOf(item)), item, { arguments: shown });
  };
  const processes = batch.processes.map(clean);
  const containers = batch.containers.map(clean);
  if (!isChanged) return batch;
  return Object.assign(Object.create(Object.getPrototypeOf(batch)), batch, { processes, containers });
}

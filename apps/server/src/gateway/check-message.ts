import { GatewayError } from "./errors.ts";
import type { EventBatch, Inventory } from "./gen/wire-types.ts";

/** Of one batch; positions in it are kept in 16 bits. */
const MAX_EVENTS = 16_384;
/** Of one batch: the kernel half counts by 4,096 cgroups and kinds, and a batch may tell of several seconds. */
const MAX_LOSSES = 65_536;
/** More than any node loses within an hour: sums of what somebody makes up stay numbers that the store takes. */
const MAX_LOST = 1e12;
/** Runtimes name containers by 64 to 76 characters; names that are indexed have a bound. */
const MAX_CONTAINER_ID = 256;
const NAME = /^[\w. -]{1,64}$/;

/**
 * Refuses a batch whose numbers and names no sensor makes: they would be refused by the store, each time that they came.
 *
 * @throws GatewayError `PROTOCOL`
 */
export function checkBatch({ epoch, sequence, events, losses, containers }: EventBatch): void {
  if (events.length > MAX_EVENTS) refuse(`a batch has at most ${MAX_EVENTS} events`);
  if (epoch === "" || epoch.length > 64 || epoch.includes("\0") || !Number.isSafeInteger(sequence) || sequence < 1)
    refuse("a batch has an epoch and a number");
  if (losses.length > MAX_LOSSES) refuse(`a batch tells of at most ${MAX_LOSSES} losses`);
  if (losses.some(({ kind, count }) => !NAME.test(kind) || !(count >= 0 && count <= MAX_LOST)))
    refuse("a loss has a kind and a number");
  checkContainers(containers);
}

/** @throws GatewayError `PROTOCOL` for names of containers that no runtime gives */
export function checkInventory({ containers }: Inventory): void {
  checkContainers(containers);
}

function checkContainers(containers: readonly { readonly id: string }[]): void {
  if (containers.some(({ id }) => id.length > MAX_CONTAINER_ID))
    refuse(`the id of a container has at most ${MAX_CONTAINER_ID} characters`);
}

function refuse(why: string): never {
  throw new GatewayError("PROTOCOL", why);
}

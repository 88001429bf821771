import type { RuntimeContainer, RuntimeEvent } from "@bulwark/model";
import { markedContainers, type Store } from "@bulwark/store";
import { isExposed } from "../gateway/listeners.ts";

/** What the server knows of a node's running containers and its sensor does not. */
export interface Places {
  readonly exposed: ReadonlySet<string>;
  readonly selfBuilt: ReadonlySet<string>;
}

/** Of a node that nothing is known of. */
export const NOWHERE: Places = { exposed: new Set(), selfBuilt: new Set() };
/** A node is read again at most so often, and all of them after a registry changed, which it does many times in a synchronisation. */
const NODE_MS = 2_000;
const REGISTRY_MS = 10_000;
/** So long is a container known to be exposed by what it did; by then its node has told of its ports. */
const HEARD_MS = 20 * 60_000;
/** A node that nobody asked about for so long is forgotten. */
const IDLE_MS = 30 * 60_000;

/** The containers of the nodes that are connected here. Others' are never read: an estate has millions. */
export interface PlaceBook {
  /** Reads a node's containers, unless they are known. */
  load(tenantId: number, nodeId: number): Promise<Places>;
  /** What is known now. */
  of(tenantId: number, nodeId: number): Places;
  /** A container was heard to listen, before its node told of it. */
  hear(tenantId: number, nodeId: number, container: string): void;
  /** Containers of a node changed, or those of an unknown one. */
  containersChanged(tenantId: number, nodeId: number | undefined): void;
  registriesChanged(tenantId: number): void;
  close(): void;
}

interface Known {
  places: Places;
  /** With what was heard, as others were told last. */
  told: Places;
  /** Containers that were heard to listen, and when. */
  readonly heard: Map<string, number>;
  usedAt: number;
}

/** @param onChange told of nodes of which something else is known than before */
export function openPlaceBook(
  store: Store,
  clock: () => Date,
  onChange: (tenantId: number, nodeIds: readonly number[]) => void,
): PlaceBook {
  const tenants = new Map<number, Map<number, Known>>();
  const waiting = new Map<number, Set<number>>();
  const timers = new Map<string, NodeJS.Timeout>();
  const nodesOf = (tenantId: number) => tenants.get(tenantId) ?? new Map<number, Known>();
  const read = async (tenantId: number, nodeIds: readonly number[]) => {
    const found = await store.tenant(tenantId, (db) => markedContainers(db, nodeIds));
    const byNode = Map.groupBy(found, (each) => each.nodeId);
    return (nodeId: number): Places => {
      const own = byNode.get(nodeId) ?? [];
      const those = (is: "exposed" | "selfBuilt") => new Set(own.filter((each) => each[is]).map(({ id }) => id));
      return { exposed: those("exposed"), selfBuilt: those("selfBuilt") };
    };
  };
  const readAgain = async (tenantId: number, nodeIds: Iterable<number>) => {
    const nodes = nodesOf(tenantId);
    const at = clock().getTime();
    for (const [id, { usedAt }] of nodes) if (at - usedAt > IDLE_MS) nodes.delete(id);
    const wanted = [...nodeIds].filter((id) => nodes.has(id));
    if (wanted.length === 0) return;
    const placesOf = await read(tenantId, wanted);
    const changed = wanted.filter((id) => {
      const known = nodes.get(id);
      if (known === undefined) return false;
      known.places = placesOf(id);
      for (const [container, heardAt] of known.heard) if (at - heardAt > HEARD_MS) known.heard.delete(container);
      const [before, now] = [known.told, merged(known)];
      known.told = now;
      return !isSame(before.exposed, now.exposed) || !isSame(before.selfBuilt, now.selfBuilt);
    });
    if (changed.length > 0) onChange(tenantId, changed);
  };
  const soon = (key: string, afterMs: number, work: () => Promise<void>) => {
    if (timers.has(key)) return;
    const begin = () => {
      timers.delete(key);
      // What cannot be read now is read with the next sign of a container.
      work().catch(() => {});
    };
    timers.set(key, setTimeout(begin, afterMs).unref());
  };
  const nodeSoon = (tenantId: number, nodeId: number) => {
    waiting.set(tenantId, (waiting.get(tenantId) ?? new Set()).add(nodeId));
    soon(`nodes ${tenantId}`, NODE_MS, () => {
      const nodes = waiting.get(tenantId) ?? [];
      waiting.delete(tenantId);
      return readAgain(tenantId, nodes);
    });
  };
  const reading = new Map<string, Promise<void>>();
  const readFirst = async (tenantId: number, nodeId: number) => {
    const places = (await read(tenantId, [nodeId]))(nodeId);
    const nodes = nodesOf(tenantId).set(nodeId, {
      ...{ places, told: places, heard: new Map(), usedAt: clock().getTime() },
    });
    tenants.set(tenantId, nodes);
  };
  const of = (tenantId: number, nodeId: number): Places => {
    const known = nodesOf(tenantId).get(nodeId);
    if (known === undefined) return NOWHERE;
    known.usedAt = clock().getTime();
    return merged(known);
  };
  return {
    of,
    async load(tenantId, nodeId) {
      if (!nodesOf(tenantId).has(nodeId)) {
        const key = `${tenantId} ${nodeId}`;
        const first = reading.get(key) ?? readFirst(tenantId, nodeId).finally(() => reading.delete(key));
        reading.set(key, first);
        await first;
      }
      return of(tenantId, nodeId);
    },
    hear(tenantId, nodeId, container) {
      const heard = nodesOf(tenantId).get(nodeId)?.heard;
      if (heard === undefined || heard.has(container)) return;
      heard.set(container, clock().getTime());
      nodeSoon(tenantId, nodeId);
    },
    containersChanged(tenantId, nodeId) {
      const nodes = nodesOf(tenantId);
      // What changes while a node is read for the first time may be what was not read.
      const isHere = (id: number) => nodes.has(id) || reading.has(`${tenantId} ${id}`);
      for (const id of nodeId === undefined ? nodes.keys() : [nodeId]) if (isHere(id)) nodeSoon(tenantId, id);
    },
    registriesChanged(tenantId) {
      soon(`registries ${tenantId}`, REGISTRY_MS, () => readAgain(tenantId, nodesOf(tenantId).keys()));
    },
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

function merged({ places, heard }: Known): Places {
  return heard.size === 0 ? places : { ...places, exposed: new Set([...places.exposed, ...heard.keys()]) };
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((each) => other.has(each));
}

/** Adds to a container what is known of it; most are as they came. */
export function marked(container: RuntimeContainer, { exposed, selfBuilt }: Places): RuntimeContainer {
  const isReached = exposed.has(container.id);
  const isOwn = selfBuilt.has(container.id);
  if (!isReached && !isOwn) return container;
  return { ...container, ...(isReached ? { exposed: true } : {}), ...(isOwn ? { selfBuilt: true } : {}) };
}

/** The container that others can reach from now on: one in the node's network that begins to listen there. */
export function newlyExposed({ type, container, localAddress, family }: RuntimeEvent): string | undefined {
  const listens = type === "listen" && container !== null && family !== 1;
  return listens && container.hostNetwork && localAddress !== "" && isExposed(localAddress) ? container.id : undefined;
}

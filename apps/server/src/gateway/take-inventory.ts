import { createHash } from "node:crypto";
import { redactArguments } from "@bulwark/detect";
import {
  announce,
  recordContainers,
  recordExposures,
  recordPrograms,
  type SeenContainer,
  type SeenListener,
  type SeenProgram,
  stopContainers,
  stopOtherContainers,
  type TenantQueries,
} from "@bulwark/store";
import { exposuresOf } from "./exposures.ts";
import type { Container, Inventory } from "./gen/wire-types.ts";
import { isExposed, serviceOf } from "./listeners.ts";
import { runtimeContainer } from "./runtime-events.ts";

const MAX_ARGUMENTS = 1_024;
/** In bytes. Together they are a key, and PostgreSQL indexes no more than 2,704; a container makes paths as long as it likes. */
const MAX_EXE = 1_024;
const MAX_USER = 256;
/** Tells apart what is the same up to its cut. */
const DIGEST_LENGTH = 16;

/** Keeps what a node told of what runs on it. */
export async function takeInventory(db: TenantQueries, nodeId: number, inventory: Inventory, now: Date): Promise<void> {
  await recordContainers(db, nodeId, inventory.containers.map(seenContainer), now);
  if (inventory.stoppedContainers.length > 0) await stopContainers(db, nodeId, inventory.stoppedContainers, now);
  if (inventory.complete) {
    const running = inventory.containers.map(({ id }) => id);
    await stopOtherContainers(db, nodeId, running, now);
    await recordPrograms(db, nodeId, programsOf(inventory), listenersOf(inventory), now);
    await recordExposures(db, nodeId, exposuresOf(inventory));
  }
  await announce(db, { topic: "containers", id: nodeId });
}

function seenContainer(container: Container): SeenContainer {
  const { name, id, state } = container;
  return {
    ...runtimeContainer(container),
    name: name === "" ? id.slice(0, 12) : name,
    state: state === "" ? "running" : state,
    arguments: redactArguments(container.arguments),
  };
}

/** Processes of one program, place and user are one row. */
function programsOf({ processes, containers }: Inventory): readonly SeenProgram[] {
  const found = new Map<string, SeenProgram>();
  for (const process of processes) {
    // Threads of the kernel have no program.
    if (process.exe === "") continue;
    const container = containers[process.container - 1]?.id ?? "";
    const exe = cut(process.exe, MAX_EXE);
    const userName = cut(process.userName, MAX_USER);
    const key = JSON.stringify([container, exe, userName]);
    const known = found.get(key);
    found.set(key, {
      container,
      exe,
      name: process.name,
      userName,
      arguments: known?.arguments ?? redactArguments(process.arguments).join(" ").slice(0, MAX_ARGUMENTS),
      processes: (known?.processes ?? 0) + 1,
    });
  }
  return [...found.values()];
}

/** A text of so many bytes at most: one that is longer ends in a digest of the whole. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const tail = `…${createHash("sha256").update(text).digest("hex").slice(0, DIGEST_LENGTH)}`;
  const start = Buffer.from(text).subarray(0, bytes - Buffer.byteLength(tail));
  return `${new TextDecoder().decode(start).replace(/\uFFFD+$/, "")}${tail}`;
}

function listenersOf({ ports, processes, containers }: Inventory): readonly SeenListener[] {
  const found = new Map<string, SeenListener>();
  for (const { protocol, address, port, process, container } of ports) {
    const owner = processes[process - 1];
    const place = containers[container - 1]?.id ?? "";
    const name = owner?.name ?? "";
    found.set(JSON.stringify([place, protocol, address, port]), {
      container: place,
      protocol,
      address,
      port,
      exe: owner?.exe ?? "",
      name,
      ...serviceOf(name, protocol, port),
      exposed: isExposed(address),
    });
  }
  return [...found.values()];
}

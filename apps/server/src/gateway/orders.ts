import {
  type DueResponse,
  signatureOfProgram,
  type TenantQueries,
  takeDueGathers,
  takeDueResponses,
} from "@bulwark/store";
import { factRequestOf } from "../benchmarks/content.ts";
import type { SecretBox } from "../security/secret-box.ts";
import type { Authority } from "./authority.ts";
import type { DeepPartial } from "./contract.ts";
import type { Order } from "./gen/wire-types.ts";
import { order } from "./wire.ts";

/** What a sensor can be asked to do, and the member of an order that asks for it. */
const MEMBERS = {
  "kill-process": "killProcess",
  pause: "pause",
  resume: "resume",
  isolate: "isolate",
  "restore-network": "restoreNetwork",
  stop: "stop",
  destroy: "destroy",
  quarantine: "quarantine",
  "restore-file": "restoreFile",
  "collect-evidence": "collectEvidence",
  upgrade: "upgrade",
  "apply-fix": "applyFix",
  "undo-fix": "undoFix",
} as const satisfies Readonly<Record<string, keyof Order>>;

export type Action = keyof typeof MEMBERS;

/** What the key of a response is sealed for. */
export function responsePurpose(id: number): string {
  return `response/${id}`;
}

/** An order as it goes over the wire. */
export interface SignedOrder {
  readonly order: Buffer;
  readonly signature: Buffer;
}

/** Takes what a node has yet to do, and signs it. */
export async function takeOrders(
  db: TenantQueries,
  node: { readonly id: number; readonly uid: string; readonly tenantId: number },
  {
    authority,
    secrets,
    addressOf,
    now,
  }: {
    readonly authority: Authority;
    readonly secrets: SecretBox;
    readonly addressOf: (orderUid: string) => Promise<string>;
    readonly now: Date;
  },
): Promise<readonly SignedOrder[]> {
  const due = await takeDueResponses(db, node.id, now);
  const orders: SignedOrder[] = [];
  for (const response of due) {
    const { secret, id } = response;
    const key = secret === null ? "" : await secrets.open(node.tenantId, responsePurpose(id), secret);
    const program = response.action === "upgrade" ? await programOf(db, response, addressOf) : {};
    const { expectedSha256 } = response.parameters;
    const expected = typeof expectedSha256 === "string" ? { expectedSha256: Buffer.from(expectedSha256, "hex") } : {};
    const bytes = order.encode(
      orderOf(response, node.uid, { ...program, ...expected, key: Buffer.from(key, "base64") }),
    );
    orders.push({ order: bytes, signature: authority.signOrder(bytes) });
  }
  for (const { uid, profile, createdAt, expiresAt } of await takeDueGathers(db, node.id, now)) {
    const times = { issuedUs: createdAt.getTime() * 1_000, expiresUs: expiresAt.getTime() * 1_000 };
    const bytes = order.encode({ id: uid, nodeId: node.uid, ...times, gatherFacts: { ...factRequestOf(profile) } });
    orders.push({ order: bytes, signature: authority.signOrder(bytes) });
  }
  return orders;
}

function orderOf(response: DueResponse, nodeUid: string, added: object): DeepPartial<Order> {
  const head = {
    id: response.uid,
    nodeId: nodeUid,
    issuedUs: response.createdAt.getTime() * 1_000,
    expiresUs: response.expiresAt.getTime() * 1_000,
  };
  // Parameters have the names of the contract, and were checked before they were stored.
  const given = { containerId: response.container, ...response.parameters, ...added };
  return { ...head, [MEMBERS[response.action as Action]]: given };
}

/**
 * The program that a node is to run from now on. It was signed when an administrator gave it: orders sign none. Nodes refuse one
 * without a signature, such as one that was taken back in the meantime.
 */
async function programOf(
  db: TenantQueries,
  { uid, parameters }: DueResponse,
  addressOf: (orderUid: string) => Promise<string>,
) {
  const sha256 = String(parameters.sha256);
  const signature = (await signatureOfProgram(db, sha256)) ?? Buffer.alloc(0);
  return { address: await addressOf(uid), sha256: Buffer.from(sha256, "hex"), signature };
}

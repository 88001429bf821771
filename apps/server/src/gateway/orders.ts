import { type DueResponse, type TenantQueries, takeDueResponses } from "@bulwark/store";
import type { SecretBox } from "../security/secret-box.ts";
import type { Authority } from "./authority.ts";
import type { Order } from "./gen/wire-types.ts";
import { type DeepPartial, order } from "./wire.ts";

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
  { authority, secrets, now }: { readonly authority: Authority; readonly secrets: SecretBox; readonly now: Date },
): Promise<readonly SignedOrder[]> {
  const due = await takeDueResponses(db, node.id, now);
  const orders: SignedOrder[] = [];
  for (const response of due) {
    const { secret, id } = response;
    const key = secret === null ? "" : await secrets.open(node.tenantId, responsePurpose(id), secret);
    const bytes = order.encode(orderOf(response, node.uid, authority, Buffer.from(key, "base64")));
    orders.push({ order: bytes, signature: authority.signOrder(bytes) });
  }
  return orders;
}

function orderOf(response: DueResponse, nodeUid: string, authority: Authority, key: Buffer): DeepPartial<Order> {
  const head = {
    id: response.uid,
    nodeId: nodeUid,
    issuedUs: response.createdAt.getTime() * 1_000,
    expiresUs: response.expiresAt.getTime() * 1_000,
  };
  // Parameters have the names of the contract, and were checked before they were stored.
  const given = { containerId: response.container, ...response.parameters, key };
  const parameters = response.action === "upgrade" ? signedUpgrade(response.parameters, authority) : given;
  return { ...head, [MEMBERS[response.action as Action]]: parameters };
}

/** The program that a node is to run from now on, by its digest, which nobody else can sign. */
function signedUpgrade({ version, address, sha256 }: DueResponse["parameters"], authority: Authority) {
  const digest = Buffer.from(String(sha256), "hex");
  return { version, address, sha256: digest, signature: authority.signProgram(digest) };
}

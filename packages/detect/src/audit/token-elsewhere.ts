import type { AuditEvent } from "@bulwark/model";
import { createGroups } from "../stateful/stateful-detector.ts";
import type { AuditAddressBook } from "./address-book.ts";
import type { AuditDetector } from "./audit-detectors.ts";
import { serviceAccountOf } from "./read-audit-event.ts";

const POD = "authentication.kubernetes.io/pod-name";
const POD_UID = "authentication.kubernetes.io/pod-uid";
/** Number of a token, which no two have. */
const CREDENTIAL = "authentication.kubernetes.io/credential-id";
/** The machine that the API server itself runs on. */
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1"]);

/** Finds tokens of service accounts that speak from where their pods are not. */
export const tokenElsewhere: AuditDetector = {
  id: "token-elsewhere",
  doc: "tokens of service accounts that are used from an address that is neither their pod's nor its node's; where a token belongs to no pod that is known, from another address than the one it was first used from",
  settings: [],
  create: () => {
    const firstUse = createGroups<{ address: string }>(() => ({ address: "" }));
    return (event, book) => {
      const account = serviceAccountOf(event.user.username);
      const address = clientAddress(event, book);
      if (account === undefined || address === "" || LOOPBACK.has(address)) return undefined;
      const pod = one(event, POD);
      const bound = pod === "" ? undefined : book.ofPod(account.namespace, pod, one(event, POD_UID));
      // A pod that is too new to be known may speak from wherever it is; its token is known again by where it was first used.
      const allowed = pod === "" ? book.ofServiceAccount(account.namespace, account.name) : bound;
      if (allowed !== undefined) {
        if (allowed.has(address)) return undefined;
        const whose = bound === undefined ? "its pods" : `its pod ${account.namespace}/${pod}`;
        return `used from ${address}, where ${whose} and their nodes are not`;
      }
      const credential = one(event, CREDENTIAL);
      if (credential === "") return undefined;
      const first = firstUse(`${event.user.username} ${credential}`);
      if (first.address === "") first.address = address;
      return first.address === address ? undefined : `used from ${address}, and before from ${first.address}`;
    };
  },
};

/** The last address that is no proxy's: what the client wrote before it counts for nothing. */
function clientAddress({ sourceIPs }: AuditEvent, book: AuditAddressBook): string {
  return sourceIPs.findLast((address) => !book.isProxy(address)) ?? "";
}

function one({ user }: AuditEvent, name: string): string {
  return Object.hasOwn(user.extra, name) ? (user.extra[name]?.[0] ?? "") : "";
}

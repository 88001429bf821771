/** A pod of the cluster, as far as its addresses matter. */
export interface AuditPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
  /** Of a pod on its node's network those are the node's. */
  readonly addresses: readonly string[];
  /** Name of its node; empty while it has none. */
  readonly node: string;
}

/** From where service accounts may speak. */
export interface AuditAddressBook {
  /** Addresses of a pod and its node, whose address pods may go out with; undefined when nobody knows the pod. */
  readonly ofPod: (namespace: string, name: string, uid: string) => ReadonlySet<string> | undefined;
  /** The same of all pods of a service account; undefined when it has none. */
  readonly ofServiceAccount: (namespace: string, name: string) => ReadonlySet<string> | undefined;
  /** Whether this is an address of a proxy before the API server, which hides who speaks. */
  readonly isProxy: (address: string) => boolean;
}

/** Nobody is known: then only a token that wanders is noticed. */
export const EMPTY_ADDRESS_BOOK: AuditAddressBook = {
  ofPod: () => undefined,
  ofServiceAccount: () => undefined,
  isProxy: () => false,
};

/**
 * Makes the book of a cluster's pods and nodes.
 *
 * @param nodes their addresses, by name
 * @param proxies addresses of load balancers before the API server
 * @example auditAddressBook(pods, { worker: ["10.0.0.4"] }).ofPod("shop", "web-1", uid)
 */
export function auditAddressBook(
  pods: readonly AuditPod[],
  nodes: Readonly<Record<string, readonly string[]>>,
  proxies: readonly string[] = [],
): AuditAddressBook {
  const byPod = new Map<string, { readonly uid: string; readonly addresses: ReadonlySet<string> }>();
  const byAccount = new Map<string, Set<string>>();
  for (const { namespace, name, uid, serviceAccount, addresses, node } of pods) {
    const all = [...addresses, ...(Object.hasOwn(nodes, node) ? (nodes[node] ?? []) : [])];
    byPod.set(`${namespace}/${name}`, { uid, addresses: new Set(all) });
    const account = `${namespace}/${serviceAccount}`;
    const known = byAccount.get(account) ?? new Set();
    for (const address of all) known.add(address);
    byAccount.set(account, known);
  }
  const hidden = new Set(proxies);
  return {
    ofPod: (namespace, name, uid) => {
      const pod = byPod.get(`${namespace}/${name}`);
      return pod === undefined || (uid !== "" && pod.uid !== uid) || pod.addresses.size === 0
        ? undefined
        : pod.addresses;
    },
    ofServiceAccount: (namespace, name) => byAccount.get(`${namespace}/${name}`),
    isProxy: (address) => hidden.has(address),
  };
}

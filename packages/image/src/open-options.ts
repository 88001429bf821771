import type { LookupFunction } from "node:net";
import type { Limits } from "./limits.ts";

/** Says which addresses may be connected to, where the reference was not typed by who runs this program. */
export interface AddressGuard {
  /** Resolves names, and refuses those that lead where nobody may go. */
  readonly lookup: LookupFunction;
  /** Whether an address that is written as one may be connected to. */
  allows(address: string): boolean;
}

/** How images are opened. */
export interface OpenOptions {
  /** `os/arch[/variant]`; by default Linux on this machine's architecture. */
  readonly platform?: string;
  /** Talk to registries without TLS. Also asked for by `http://` before a reference. */
  readonly plainHttp?: boolean;
  /** PEM file with certificates to trust beside the system's. */
  readonly caFile?: string;
  /** PEM text to trust beside the system's certificates. */
  readonly ca?: string;
  /** For the registry; Docker's configuration is not asked then. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Who decides which addresses may be connected to, the registry's own among them. */
  readonly guard?: AddressGuard;
  /** Default: config.json in $DOCKER_CONFIG or ~/.docker; empty: none is read. */
  readonly dockerConfig?: string;
  readonly containerdSocket?: string;
  /** Default: `default`, then `k8s.io`. */
  readonly containerdNamespace?: string;
  readonly dockerSocket?: string;
  readonly podmanSocket?: string;
  /** Refuse sources that need the network. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
  readonly limits?: Partial<Limits>;
}

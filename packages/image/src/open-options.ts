import type { Limits } from "./limits.ts";

/** How images are opened. */
export interface OpenOptions {
  /** `os/arch[/variant]`; by default Linux on this machine's architecture. */
  readonly platform?: string;
  /** Talk to registries without TLS. Also asked for by `http://` before a reference. */
  readonly plainHttp?: boolean;
  /** PEM file with certificates to trust beside the system's. */
  readonly caFile?: string;
  /** Default: config.json in $DOCKER_CONFIG or ~/.docker. */
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

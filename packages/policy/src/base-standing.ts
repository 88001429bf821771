/** What became of a golden image. `at-risk`: it does not pass the rules any more. */
export type GoldenState = "published" | "at-risk" | "deprecated" | "revoked";

/** One image on the way of layers that an image stands on. */
export interface PathBase {
  /** ChainID of its layers (OCI image specification, "Layer ChainID"). */
  readonly chain: string;
  readonly layers: number;
  /** Empty where nobody showed us an image that ends there. */
  readonly reference: string;
  readonly digest: string;
  readonly tags: readonly string[];
  /** Host of the registry that has it; empty where none is known. */
  readonly host: string;
  /** Null for what was never golden. */
  readonly golden: GoldenState | null;
  /** The image's own repository has it, and no other: an older build of the same image, not a base. */
  readonly isOwn?: boolean;
}

/** What an image stands on, judged by its layers alone. */
export interface BaseStanding {
  /** `none`: below it there is nothing that is known. `unapproved`: an image that is not golden, or a shared stretch of layers. */
  readonly state: "golden" | "at-risk" | "deprecated" | "revoked" | "unapproved" | "none";
  readonly reference: string;
  readonly digest: string;
  readonly chain: string;
  readonly layers: number;
  readonly tags: readonly string[];
  /** A tag other than `latest` names its version, or nothing but its digest names it. */
  readonly pinned: boolean;
  /** The nearest base that is known lies in a public registry. */
  readonly public: boolean;
  /** References of revoked images anywhere below. */
  readonly revokedBelow: readonly string[];
}

/** Registries from which anybody can pull, and into which anybody can push. */
const PUBLIC_HOSTS: readonly string[] = [
  ...["docker.io", "index.docker.io", "registry-1.docker.io", "quay.io", "ghcr.io", "gcr.io", "public.ecr.aws"],
  ...["registry.k8s.io", "k8s.gcr.io", "mcr.microsoft.com", "registry.access.redhat.com", "registry.redhat.io"],
  ...["registry.gitlab.com", "cgr.dev", "nvcr.io", "lscr.io", "container-registry.oracle.com"],
];

/** Whether a registry is open to the world. @example isPublicRegistry("docker.io") // true */
export function isPublicRegistry(host: string): boolean {
  return PUBLIC_HOSTS.some((known) => host === known || (known === "gcr.io" && host.endsWith(".gcr.io")));
}

/**
 * Judges what an image stands on. Only layers count: nothing that the image says of itself is asked.
 *
 * @param path bases from the lowest to the nearest, without the image itself
 * @example standingOnPath([{ chain, layers: 1, reference: "r/os:12", digest, tags: ["12"], host: "r", golden: "published" }]).state // "golden"
 */
export function standingOnPath(path: readonly PathBase[]): BaseStanding {
  const nearest = path.findLast(({ isOwn = false, golden }) => !isOwn || golden !== null);
  const revokedBelow = path.filter(({ golden }) => golden === "revoked").map(({ reference }) => reference);
  if (nearest === undefined)
    return {
      ...{ state: "none", reference: "", digest: "", chain: "", layers: 0, tags: [], pinned: true, public: false },
      revokedBelow,
    };
  const { reference, digest, chain, layers, tags, golden, host } = nearest;
  return {
    ...{ reference, digest, chain, layers, tags, revokedBelow },
    state: stateOf(golden),
    pinned: tags.length === 0 || tags.some((tag) => tag !== "latest"),
    public: isPublicRegistry(host),
  };
}

function stateOf(golden: GoldenState | null): BaseStanding["state"] {
  if (golden === null) return "unapproved";
  return golden === "published" ? "golden" : golden;
}

/**
 * What a node is. `known`: an image ends there that is alive. `deleted`: images ended there, all are gone. `anonymous`:
 * no image ends there, yet images of two or more repositories share its layers and then part: a base that nobody showed us.
 * `cache`: the same within one repository, whose builds share layers; never a base.
 */
export const NODE_KINDS = ["known", "deleted", "anonymous", "cache"] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

/** By what a node's base is known. */
export const BASE_HOWS = ["none", "layers", "declared"] as const;
export type BaseHow = (typeof BASE_HOWS)[number];

/**
 * What became of the word of an image about its base. `none`: it says nothing. `agrees`: the layers say the same. `used`:
 * the layers tell nothing, so its word is taken. `contradicted`: the layers say otherwise, or the image that speaks for
 * all with these layers does. `unresolved`: it names an image that is not known here. `cyclic`: its base would stand on it.
 */
export const CLAIMS = ["none", "agrees", "used", "contradicted", "unresolved", "cyclic"] as const;
export type Claim = (typeof CLAIMS)[number];

/** Value of `repositories` for an image (or chain) of no repository, and of several. */
export const NO_REPOSITORY = -1;
export const SEVERAL_REPOSITORIES = -2;
/** Value of `declared` for an image that declares no base, and for one whose base is not known here. */
export const NOT_DECLARED = -1;
export const DECLARED_UNKNOWN = -2;

/** Chains of layers (OCI image specification, "Layer ChainID"), a row each, in any order. */
export interface ChainColumns {
  /** Row of the chain of all layers but the topmost, -1 for a chain of one layer. */
  readonly parents: Int32Array;
}

/** Images, a row each: one per platform. Their order decides between equals: oldest first, then by digest. */
export interface ImageColumns {
  /** Row of the chain of all its layers; -1 for an image without layers. */
  readonly tops: Int32Array;
  /** Number of its repository; {@link NO_REPOSITORY}, {@link SEVERAL_REPOSITORIES}. */
  readonly repositories: Int32Array;
  /** 1 for an image that is there, 0 for one that is gone. */
  readonly alive: Uint8Array;
  /** Row of the image that it declares as its base; {@link NOT_DECLARED}, {@link DECLARED_UNKNOWN}. */
  readonly declared: Int32Array;
}

/**
 * The forest of images: the radix tree of their layer chains, in columns with an entry for each node. Nodes are numbered by
 * their layers, fewest first (then by row of the chain), so a node comes after all that it stands on *by layers*.
 */
export interface Forest {
  readonly size: number;
  /** Row of the chain that the node is. */
  readonly chain: Int32Array;
  /** How many layers it has. */
  readonly layers: Int16Array;
  /** The next node below by layers, of any kind; -1 for none. */
  readonly parent: Int32Array;
  /** Row of the first chain after the parent: the lowest layer that is the node's own. */
  readonly edge: Int32Array;
  /** Index into {@link NODE_KINDS}. */
  readonly kind: Uint8Array;
  /** What it stands on for people: the nearest node below that is no cache, or what is declared; -1 for nothing. */
  readonly base: Int32Array;
  /** Index into {@link BASE_HOWS}. */
  readonly how: Uint8Array;
  /** Images that end here, and those of them that are alive. */
  readonly ends: Int32Array;
  readonly own: Int32Array;
  /**
   * Living images that stand on it, directly or not; those that end here not counted. Of a cache those that share it, but
   * for images that stand on what they declare.
   */
  readonly beneath: Int32Array;
  /** Nodes, caches left out, whose base it is; those without a living image counted too. */
  readonly dependents: Int32Array;
  /** How many bases it stands on, one upon another. */
  readonly level: Int32Array;
  /** The lowest of them; itself where it stands on nothing. */
  readonly root: Int32Array;
  /** Row of the image that speaks for those that end here; -1 where none ever did. */
  readonly representative: Int32Array;
  /** The repository of all images that end here or above by layers; {@link NO_REPOSITORY}, {@link SEVERAL_REPOSITORIES}. */
  readonly repository: Int32Array;
  /** The node that the first image here that declares a base names; -1 for none that is known. Used or not: see `claim`. */
  readonly declared: Int32Array;
  /** What became of that word: index into {@link CLAIMS}. */
  readonly claim: Uint8Array;
  readonly images: ForestImages;
}

/** What the forest says of each image. */
export interface ForestImages {
  /** Node where it ends; -1 for an image without layers. */
  readonly node: Int32Array;
  /** Node that it stands on; -1 for nothing. */
  readonly base: Int32Array;
  /** Index into {@link CLAIMS}. */
  readonly claim: Uint8Array;
}

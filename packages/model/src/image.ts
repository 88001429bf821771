/** Which operating system an image holds, from its os-release file. */
export interface OperatingSystem {
  /** `ID` of os-release, lower case: `debian`, `alpine`, `rhel`, `tencentos`. */
  readonly id: string;
  /** `VERSION_ID`, empty for rolling distributions. */
  readonly versionId: string;
  /** `PRETTY_NAME`, or the id and version when there is none. */
  readonly name: string;
  /** `ID_LIKE`, nearest relative first. */
  readonly idLike?: readonly string[];
  /** `VERSION_CODENAME`, when given: `bookworm`. */
  readonly codename?: string;
}

/** Whether a layer came with the base image or was added on top of it. */
export type Origin = "base" | "own";

/** One layer as the scan report shows it. Digests are `algorithm:hex`. */
export interface Layer {
  /** Position in the image, 0 is the lowest. */
  readonly index: number;
  /** Digest of the uncompressed tar: the layer's identity across images. */
  readonly diffId: string;
  /** Digest of the blob as stored; equals `diffId` where the layer is stored uncompressed. */
  readonly digest: string;
  /** Size of the blob in bytes as stored. */
  readonly size: number;
  /** The Dockerfile instruction, as far as the image's history tells. */
  readonly createdBy: string;
  readonly origin: Origin;
}

/** The base image an image stands on and how we know. */
export interface BaseImage {
  readonly reference: string;
  /** Manifest digest; empty when only the number of its layers is known. */
  readonly digest: string;
  /** `flag` (named by the user), `annotation` (org.opencontainers.image.base.*), `history` (read off the build
   * history), `os-layer` (the layers up to the one that brings the operating system), `layers` (the nearest known base by its chain of
   * layers, whatever the image says of itself). */
  readonly how: "flag" | "annotation" | "history" | "os-layer" | "layers";
}

/** What is known of an image beside its findings. */
export interface Image {
  /** There for what is no image: a source tree is one layer, "the tree", that the team owns. */
  readonly kind?: "source";
  readonly reference: string;
  /** Manifest digest; for sources without a manifest the digest of the configuration, or empty. */
  readonly digest: string;
  /** `os/arch` or `os/arch/variant`. */
  readonly platform: string;
  readonly os: OperatingSystem | null;
  /** RFC 3339 time of the build, empty when unknown. */
  readonly created: string;
  /** Sum of the layers' sizes in bytes as stored. */
  readonly size: number;
  readonly layers: readonly Layer[];
  readonly base: BaseImage | null;
  /** Labels of the configuration, where there are any. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Business grade of the application: how much depends on it. */
  readonly grade?: string;
}

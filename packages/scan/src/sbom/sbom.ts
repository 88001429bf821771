import type { Image, OperatingSystem, PackageFact } from "@bulwark/model";

/** One package that an SBOM names. */
export interface SbomPackage {
  readonly purl: string;
  /** As the document writes it; purls hold the normalised name of some ecosystems. */
  readonly name: string;
  /** As the document writes it, for purls that leave it out. */
  readonly version: string;
  /** Absolute path of the file that told, empty when the document does not say. */
  readonly path: string;
  readonly inner: string;
  readonly layer: number;
  readonly evidence: PackageFact["evidence"];
}

/** What an SBOM tells of an image. */
export interface Sbom {
  readonly image: Partial<Pick<Image, "digest" | "platform" | "created" | "layers" | "base">>;
  readonly os: OperatingSystem | undefined;
  readonly packages: readonly SbomPackage[];
  /** Components that could not be used, as sentences. */
  readonly problems: readonly string[];
}

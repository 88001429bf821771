/** Package URL types that analyzers produce. See the purl specification, "PURL-TYPES". */
export type PackageType =
  | "deb"
  | "apk"
  | "rpm"
  | "npm"
  | "pypi"
  | "maven"
  | "golang"
  | "cargo"
  | "gem"
  | "composer"
  | "nuget"
  | "generic";

/**
 * A package as an analyzer reads it from one file, before any layer or image is known. It carries everything that
 * advisory matching needs, so that the same package read back from an SBOM matches alike.
 */
export interface PackageFact {
  readonly type: PackageType;
  /** npm scope with `@`, Maven group id, Composer vendor, Go module directory is part of the name. Empty when none. */
  readonly namespace: string;
  /** Name without namespace, in the spelling of its ecosystem. */
  readonly name: string;
  /** Full version: with epoch and revision for OS packages (`1:2.3-4`). Empty when the file does not tell. */
  readonly version: string;
  /** Source package of an OS package when it is not the package itself. */
  readonly source?: { readonly name: string; readonly version: string };
  readonly arch?: string;
  /** rpm module the package belongs to: `nodejs:18`. */
  readonly module?: string;
  /**
   * `installed`: it is there to run. `locked`: a lock file or manifest names it. `embedded`: compiled or packed into
   * another file.
   */
  readonly evidence: "installed" | "locked" | "embedded";
  /** Where inside the file, for nested archives: `WEB-INF/lib/a.jar!/META-INF/b.jar`. */
  readonly inner?: string;
  readonly licenses?: readonly string[];
}

/** A package of an image: what was found, where, and in which layer it came. */
export interface Package {
  readonly purl: string;
  readonly name: string;
  readonly version: string;
  /** Absolute path inside the image of the file that told; empty for packages from an SBOM without a place. */
  readonly path: string;
  /** Index into the image's layers. */
  readonly layer: number;
}

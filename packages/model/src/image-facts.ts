import type { Image } from "./image.ts";
import type { PackageFact } from "./package.ts";
import type { FindingKind, Problem } from "./report.ts";
import type { Severity } from "./severity.ts";
import type { AdvisorySubject } from "./version.ts";

/** What a layer adds to (1) or takes away from (-1) what the layers below it amount to. */
export interface Change<Item> {
  readonly delta: 1 | -1;
  /** Depth of the layer that brought the item; 0 is the lowest. */
  readonly fromDepth: number;
  readonly item: Item;
}

/** A package at a place, with the names under which advisories speak of it. */
export interface PackageRecord {
  readonly purl: string;
  /** As people of the ecosystem write it. */
  readonly name: string;
  /** Absolute path inside the image. */
  readonly path: string;
  readonly fact: PackageFact;
  readonly subjects: readonly AdvisorySubject[];
  /** Why advisories cannot be asked about it; empty when they can. */
  readonly undetermined: string;
}

/** Something that was found by reading content, without the layer that it lies in. */
export interface ContentRecord {
  readonly kind: FindingKind;
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  readonly path: string;
  readonly line?: number;
  readonly advice: string;
  readonly detail: string;
  readonly fingerprint: string;
  readonly foundBy: string;
  readonly version: string;
  readonly references: readonly string[];
  /** Depth of the layer that hides the file. */
  readonly removedAt?: number;
}

/** A layer on top of those below it, and what it changes. */
export interface ChainFacts {
  /** OCI image specification, "Layer ChainID". */
  readonly digest: string;
  readonly depth: number;
  readonly packages: readonly Change<PackageRecord>[];
  /** What is matched: several packages of a layer may be one subject. */
  readonly subjects: readonly Change<AdvisorySubject>[];
  readonly content: readonly Change<ContentRecord>[];
}

/** Everything that an image's layers and configuration tell, apart from what advisories say about it. */
export interface ImageFacts {
  readonly image: Image;
  /** Which analyzers told, in which versions. */
  readonly analyzers: string;
  /** ChainID of each layer, lowest first. */
  readonly chainDigests: readonly string[];
  /** Of the chains that were not known. */
  readonly chains: readonly ChainFacts[];
  /** What the image's own configuration tells; `depth` is the layer that it is shown with. */
  readonly content: readonly { readonly depth: number; readonly item: ContentRecord }[];
  readonly packageCount: number;
  readonly problems: readonly Problem[];
}

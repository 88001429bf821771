import type { Finding, Image } from "@bulwark/model";
import type { FoundPackage } from "../found-package.ts";
import { type DeniedComponent, findDenied } from "./deny-list.ts";
import { findImitations, findLookAlikes, type KnownNames } from "./look-alikes.ts";

/** Lists that the components of an image are held against. */
export interface ComponentLists {
  readonly denied: readonly DeniedComponent[];
  readonly names: KnownNames;
}

/** Findings for denied components, for packages that imitate others, and for image names that do. */
export function judgeComponents(
  packages: readonly FoundPackage[],
  { denied, names }: ComponentLists,
  image: Image,
): readonly Finding[] {
  const references = [image.reference, image.base?.reference ?? ""].filter((reference) => reference !== "");
  return [
    ...findDenied(packages, denied, image),
    ...findLookAlikes(packages, names, image),
    ...findImitations(references, names, image),
  ];
}

import type { PackageType, VersionScheme } from "@bulwark/model";
import { apkVersions } from "./apk/version.ts";
import { dpkgVersions } from "./dpkg/version.ts";
import { genericVersions } from "./generic/version.ts";
import { languages } from "./languages.ts";
import { rpmVersions } from "./rpm/version.ts";

const OF_DISTRIBUTIONS: Readonly<Partial<Record<PackageType, VersionScheme>>> = {
  deb: dpkgVersions,
  apk: apkVersions,
  rpm: rpmVersions,
};

/** How versions of packages of a type are ordered. */
export function schemeOfType(type: PackageType): VersionScheme {
  return OF_DISTRIBUTIONS[type] ?? languages.find((language) => language.type === type)?.versions ?? genericVersions;
}

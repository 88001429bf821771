import type { OperatingSystem } from "@bulwark/model";
import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import type { Sbom, SbomPackage } from "./sbom.ts";

const MAX_PACKAGES = 1_000_000;
const NOT_JUDGED: ReadonlySet<string> = new Set([
  "CONTAINER",
  "OPERATING_SYSTEM",
  "OPERATING-SYSTEM",
  "FILE",
  "ARCHIVE",
]);
/** `sourceInfo` of our own documents: "installed: /path, inside INNER, layer 3". */
const SOURCE_INFO = /^(installed|locked|embedded)(?:: (.*?)(?:, inside (.*))?)?, layer (\d{1,4})$/s;

/** Reads SPDX 2.3 JSON: packages with a package URL among their external references. */
export function readSpdx(document: Fields): Sbom {
  const described = new Set(listOf(document.documentDescribes).map(textOf));
  const all = listOf(document.packages);
  const packages: SbomPackage[] = [];
  let unnamed = 0;
  for (const entry of all.slice(0, MAX_PACKAGES).map(fieldsOf)) {
    const purl = purlOf(entry);
    if (purl !== "") packages.push({ purl, ...named(entry), ...placeOf(textOf(entry.sourceInfo)) });
    else if (!NOT_JUDGED.has(textOf(entry.primaryPackagePurpose)) && !described.has(textOf(entry.SPDXID))) unnamed++;
  }
  const problems = [
    ...(unnamed > 0 ? [`${unnamed} packages have no package URL and were not judged`] : []),
    ...(all.length > MAX_PACKAGES ? [`packages beyond ${MAX_PACKAGES} were not read`] : []),
  ];
  return { image: {}, os: osOf(all.map(fieldsOf)), packages, problems };
}

function purlOf(entry: Fields): string {
  const reference = listOf(entry.externalRefs)
    .map(fieldsOf)
    .find(({ referenceType }) => referenceType === "purl");
  return textOf(reference?.referenceLocator);
}

function named(entry: Fields): Pick<SbomPackage, "name" | "version"> {
  return { name: textOf(entry.name), version: textOf(entry.versionInfo) };
}

function placeOf(sourceInfo: string): Omit<SbomPackage, "purl" | "name" | "version"> {
  const [, evidence, path = "", inner = "", layer = "0"] = SOURCE_INFO.exec(sourceInfo) ?? [];
  if (evidence !== "locked" && evidence !== "embedded")
    return { evidence: "installed", path, inner, layer: Number(layer) };
  return { evidence, path, inner, layer: Number(layer) };
}

function osOf(packages: readonly Fields[]): OperatingSystem | undefined {
  const entry = packages.find(({ primaryPackagePurpose }) =>
    /^OPERATING[-_]SYSTEM$/.test(textOf(primaryPackagePurpose)),
  );
  if (entry === undefined) return undefined;
  const id = textOf(entry.name).toLowerCase();
  const versionId = textOf(entry.versionInfo);
  return { id, versionId, name: textOf(entry.summary) || `${id} ${versionId}`.trim() };
}

import { fieldsOf, listOf, textOf } from "@bulwark/model";

const MAX_SHOWN = 3;
const MAX_PART = 160;

/**
 * Findings as a sentence that names what it is, the layer that brought it and the fix; the first three, and how many more.
 *
 * @example describeFindings([{ id: "CVE-2021-44228", package: "log4j-core", version: "2.14.1", layer: 3, createdBy: "COPY app.jar", fixedVersion: "2.17.1" }])
 * // "CVE-2021-44228: log4j-core 2.14.1 in layer 3 (COPY app.jar): update to 2.17.1"
 */
export function describeFindings(findings: unknown): string {
  const all = listOf(findings);
  const shown = all.slice(0, MAX_SHOWN).map(describe);
  if (all.length > MAX_SHOWN) shown.push(`and ${all.length - MAX_SHOWN} more`);
  return shown.join("; ");
}

function describe(finding: unknown): string {
  const { id, title, package: name, version, layer, createdBy, fixedVersion, path, kind, advice } = fieldsOf(finding);
  const isFlaw = textOf(name) !== "";
  const what = isFlaw ? `${short(textOf(name))} ${short(textOf(version))}`.trim() : short(textOf(title));
  const where = isFlaw || textOf(path) === "" ? "" : ` at ${short(textOf(path))}`;
  const made = textOf(createdBy) === "" ? "" : ` (${short(textOf(createdBy))})`;
  const place = typeof layer === "number" && layer >= 0 ? ` in layer ${layer}${made}` : "";
  const fix = textOf(fixedVersion);
  const otherwise = textOf(kind) === "vulnerability" ? "no fixed version is known" : short(textOf(advice));
  const next = fix === "" ? otherwise : `update to ${short(fix)}`;
  return `${textOf(id)}: ${what}${where}${place}${next === "" ? "" : `: ${next}`}`;
}

function short(text: string): string {
  return text.length > MAX_PART ? `${text.slice(0, MAX_PART)}…` : text;
}

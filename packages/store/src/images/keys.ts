import type { AdvisorySubject, ContentRecord, PackageRecord } from "@bulwark/model";

/** Names a package version, wherever it lies. */
export function packageKey({ purl, fact }: PackageRecord): string {
  const { source, module = "" } = fact;
  return [purl, source?.name ?? "", source?.version ?? "", module].join("\u001f");
}

/** Names what advisories are asked about. */
export function subjectKey({ ecosystem, name, version, module = "" }: AdvisorySubject): string {
  return [ecosystem, name, version, module].join("\u001f");
}

/** Names something found in content, in whichever layer; the rules' version is part of it. */
export function contentKey(record: ContentRecord): string {
  const { kind, id, path, line = "", detail, fingerprint, foundBy, version, removedAt = "" } = record;
  return [kind, id, path, line, detail, fingerprint, foundBy, version, removedAt].join("\u001f");
}

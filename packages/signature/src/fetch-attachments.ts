import type { Repository, StoredManifest } from "@bulwark/image";
import { fieldsOf, listOf, textOf } from "@bulwark/model";
import { type Attachment, type Attachments, BUNDLE_TYPE, ENVELOPE_TYPE, SIMPLE_SIGNING_TYPE } from "./attachment.ts";

/** Anyone who may push may attach: what is looked at of one image is bounded in number and size. */
const MAX_ATTACHMENTS = 64;
const MAX_ATTACHMENT_BYTES = 8 * 1024 * 1024;
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;

interface Reading {
  readonly repository: Repository;
  readonly attachments: Attachment[];
  readonly problems: string[];
  bytes: number;
}

/**
 * Fetches the signatures and attestations of an image: cosign's tags `sha256-….sig` and `sha256-….att`, and the Sigstore
 * bundles among its referrers (distribution specification, "Listing Referrers").
 *
 * @param digest of the image's manifest, or of the index it was asked for by
 * @throws what the registry's session throws
 */
export async function fetchAttachments(repository: Repository, digest: string): Promise<Attachments> {
  const reading: Reading = { repository, attachments: [], problems: [], bytes: 0 };
  const stem = digest.replace(":", "-");
  await takeTag(reading, `${stem}.sig`, SIMPLE_SIGNING_TYPE, "simple-signing");
  await takeTag(reading, `${stem}.att`, ENVELOPE_TYPE, "envelope");
  await takeReferrers(reading, digest);
  return { attachments: reading.attachments, problems: reading.problems };
}

async function takeTag(reading: Reading, tag: string, mediaType: string, kind: Attachment["kind"]): Promise<void> {
  const manifest = await reading.repository.manifest(tag);
  if (manifest !== undefined)
    await takeLayers(reading, manifest, tag, (type) => (type === mediaType ? kind : undefined));
}

async function takeReferrers(reading: Reading, digest: string): Promise<void> {
  const index = await reading.repository.referrers(digest);
  if (index === undefined) return;
  for (const entry of listOf(documentOf(index, "the list of referrers", reading).manifests)) {
    const { digest: referrer, artifactType } = fieldsOf(entry);
    if (!BUNDLE_TYPE.test(textOf(artifactType))) continue;
    const manifest = await reading.repository.manifest(textOf(referrer));
    if (manifest === undefined) reading.problems.push(`the registry lists ${textOf(referrer)} but does not have it`);
    else {
      const kind = (type: string) => (BUNDLE_TYPE.test(type) ? ("bundle" as const) : undefined);
      await takeLayers(reading, manifest, textOf(referrer), kind);
    }
  }
}

async function takeLayers(
  reading: Reading,
  manifest: StoredManifest,
  place: string,
  kindOf: (mediaType: string) => Attachment["kind"] | undefined,
): Promise<void> {
  for (const layer of listOf(documentOf(manifest, place, reading).layers)) {
    const { mediaType, digest, size, annotations } = fieldsOf(layer);
    const kind = kindOf(textOf(mediaType));
    if (kind === undefined) continue;
    if (reading.attachments.length >= MAX_ATTACHMENTS) {
      reading.problems.push(`more than ${MAX_ATTACHMENTS} signatures and attestations: the rest was not looked at`);
      return;
    }
    const sizeBytes = Number(size);
    if (!(sizeBytes >= 0 && sizeBytes <= MAX_ATTACHMENT_BYTES) || reading.bytes + sizeBytes > MAX_TOTAL_BYTES) {
      reading.problems.push(`an attachment of ${String(size)} bytes at ${place} is too large and was not looked at`);
      continue;
    }
    reading.bytes += sizeBytes;
    const bytes = await reading.repository.blob(textOf(digest), sizeBytes);
    reading.attachments.push({ kind, bytes, annotations: textsOf(annotations), place });
  }
}

function documentOf({ bytes }: StoredManifest, place: string, reading: Reading) {
  try {
    return fieldsOf(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    reading.problems.push(`${place} is not JSON`);
    return {};
  }
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(fieldsOf(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(entries);
}

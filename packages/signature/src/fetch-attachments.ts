import type { Repository, StoredManifest } from "@bulwark/image";
import { CodedError, fieldsOf, listOf, textOf } from "@bulwark/model";
import { type Attachment, type Attachments, BUNDLE_TYPE, ENVELOPE_TYPE, SIMPLE_SIGNING_TYPE } from "./attachment.ts";

/** Anyone who may push may attach: what is looked at of one image is bounded in number and size. */
const MAX_ATTACHMENTS = 64;
const MAX_ATTACHMENT_BYTES = 8 * 1024 * 1024;
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;
/** Each is a request; honest images have a few. */
const MAX_REFERRERS = 64;
const MAX_PROBLEMS = 20;
/** OCI image specification, "Guidance for an Empty Descriptor". */
const EMPTY_TYPE = "application/vnd.oci.empty.v1+json";
/** What is wrong with one attachment says nothing of the others; that the registry cannot be asked does. */
const OF_ONE: ReadonlySet<string> = new Set(["DIGEST_MISMATCH", "IMAGE_NOT_FOUND", "MANIFEST_INVALID"]);

interface Reading {
  readonly repository: Repository;
  readonly attachments: Attachment[];
  readonly problems: string[];
  bytes: number;
  /** Attachments that could not be had. */
  unread: number;
}

/**
 * Fetches the signatures and attestations of an image: cosign's tags `sha256-….sig` and `sha256-….att`, and the Sigstore
 * bundles among its referrers (distribution specification, "Listing Referrers").
 *
 * An attachment that is damaged, too large or not there is a problem, and the others are read.
 *
 * @param digest of the image's manifest, or of the index it was asked for by
 * @throws what the registry's session throws
 */
export async function fetchAttachments(repository: Repository, digest: string): Promise<Attachments> {
  const reading: Reading = { repository, attachments: [], problems: [], bytes: 0, unread: 0 };
  const stem = digest.replace(":", "-");
  await takeTag(reading, `${stem}.sig`, SIMPLE_SIGNING_TYPE, "simple-signing");
  await takeTag(reading, `${stem}.att`, ENVELOPE_TYPE, "envelope");
  await takeReferrers(reading, digest);
  return { attachments: reading.attachments, problems: reading.problems };
}

async function takeTag(reading: Reading, tag: string, mediaType: string, kind: Attachment["kind"]): Promise<void> {
  const manifest = await ofOne(reading, tag, () => reading.repository.manifest(tag));
  if (manifest !== undefined)
    await takeLayers(reading, manifest, tag, (type) => (type === mediaType ? kind : undefined));
}

async function takeReferrers(reading: Reading, digest: string): Promise<void> {
  const what = "the list of referrers";
  const index = await ofOne(reading, what, () => reading.repository.referrers(digest));
  if (index === undefined) return;
  const listed = listOf(documentOf(index, what, reading).manifests).map(fieldsOf);
  const bundles = listed.filter(({ artifactType }) => mayBeBundle(textOf(artifactType)));
  const referrers = [...new Set(bundles.map((entry) => textOf(entry.digest)))];
  if (referrers.length > MAX_REFERRERS)
    tell(reading, `${referrers.length} bundles refer to the image: only the first ${MAX_REFERRERS} were looked at`);
  for (const referrer of referrers.slice(0, MAX_REFERRERS)) {
    const place = shown(referrer);
    const manifest = await ofOne(reading, place, async () => {
      const found = await reading.repository.manifest(referrer);
      if (found === undefined) tell(reading, `the registry lists ${place} but does not have it`);
      return found;
    });
    if (manifest !== undefined)
      await takeLayers(reading, manifest, place, (type) => (BUNDLE_TYPE.test(type) ? "bundle" : undefined));
  }
}

/**
 * Where a registry does not know referrers, cosign 3 lists a bundle under the type of its empty configuration. Its layers tell
 * then what it is.
 */
function mayBeBundle(artifactType: string): boolean {
  return BUNDLE_TYPE.test(artifactType) || artifactType === EMPTY_TYPE;
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
      tell(reading, `more than ${MAX_ATTACHMENTS} signatures and attestations: the rest was not looked at`);
      return;
    }
    const sizeBytes = typeof size === "number" ? size : Number.NaN;
    if (!(sizeBytes >= 0 && sizeBytes <= MAX_ATTACHMENT_BYTES) || reading.bytes + sizeBytes > MAX_TOTAL_BYTES) {
      tell(reading, `an attachment of ${shown(String(size))} bytes at ${place} is too large and was not looked at`);
      continue;
    }
    reading.bytes += sizeBytes;
    const bytes = await ofOne(reading, place, () => reading.repository.blob(textOf(digest), sizeBytes));
    if (bytes !== undefined) reading.attachments.push({ kind, bytes, annotations: textsOf(annotations), place });
    else if (++reading.unread >= MAX_ATTACHMENTS) return; // one request each
  }
}

/** What was asked for; undefined with a problem told when this one cannot be had. */
async function ofOne<Value>(
  reading: Reading,
  place: string,
  ask: () => Promise<Value | undefined>,
): Promise<Value | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CodedError && OF_ONE.has(error.code))) throw error;
    tell(reading, `${place}: ${error.message}`);
    return undefined;
  }
}

function tell({ problems }: Reading, problem: string): void {
  if (problems.length < MAX_PROBLEMS && !problems.includes(problem)) problems.push(problem);
}

/** Words of a document that anybody may have pushed, for a sentence. */
function shown(text: string): string {
  return text.slice(0, 100);
}

function documentOf({ bytes }: StoredManifest, place: string, reading: Reading) {
  try {
    return fieldsOf(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    tell(reading, `${place} is not JSON`);
    return {};
  }
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(fieldsOf(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(entries);
}

import { successorOf } from "@bulwark/lineage";
import {
  type Golden,
  type GoldenCandidate,
  type GoldenVersion,
  goldenCandidates,
  goldenVersions,
  openRebuilds,
  publishVersion,
  staleOnChains,
  type TenantQueries,
  tellOfGolden,
} from "@bulwark/store";
import { ServerError } from "../errors.ts";
import { assessImages } from "./assess-images.ts";

/** What builders write into an image to say what changed. */
const CHANGE_LABELS = [
  "io.bulwark.changes",
  "org.opencontainers.image.changelog",
  "org.opencontainers.image.description",
];
const MAX_DESCRIPTION = 4_000;

export interface Publication {
  readonly tag: string;
  /** What changed; left out: what the image's labels say. */
  readonly description: string;
  readonly name: string;
  readonly now: Date;
}

/**
 * Publishes the images that a tag names, one for each platform, as a version of a golden image. Those who stand on the version
 * before are told, and asked to rebuild where the new one has fewer flaws.
 *
 * @param golden read after `lockAssessments`: what was read before may be revoked by now
 * @returns ids of the versions
 * @throws ServerError `CONFLICT` for what is not approved or breaks a rule, `INVALID_REQUEST` without a description
 */
export async function publishTag(
  db: TenantQueries,
  golden: Golden,
  publication: Publication,
): Promise<readonly number[]> {
  const { tag, now } = publication;
  if (golden.state === "proposed" || golden.state === "revoked") {
    const next = golden.state === "proposed" ? "let a second person approve it first" : "propose another image";
    throw new ServerError("CONFLICT", `golden image ${golden.id} is ${golden.state}`, next);
  }
  const named = await goldenCandidates(db, golden.id, tag);
  if (named.length === 0)
    throw new ServerError("NOT_FOUND", `${golden.repository.name} has no tag ${tag}`, "look at its candidates");
  await assessImages(
    db,
    named.map(({ imageId }) => imageId),
    now,
  );
  const assessed = await goldenCandidates(db, golden.id, tag);
  const before = await goldenVersions(db, golden.id);
  const ids: number[] = [];
  for (const candidate of assessed) {
    if (candidate.versionId !== null) continue;
    const id = await publishOne(db, golden, candidate, before, publication);
    ids.push(id);
  }
  if (ids.length === 0) throw new ServerError("CONFLICT", `${tag} is published already`, "push a new version first");
  return ids;
}

async function publishOne(
  db: TenantQueries,
  golden: Golden,
  candidate: GoldenCandidate,
  before: readonly GoldenVersion[],
  { tag, description: given, name, now }: Publication,
): Promise<number> {
  const { imageId, chain, layers, platform } = candidate;
  if (chain === null || !candidate.isScanned)
    throw new ServerError("CONFLICT", `${tag} (${platform}) was not scanned yet`, "wait for its scan");
  const broken = candidate.violations.filter(({ level }) => level === "deny");
  if (candidate.passed !== true) {
    const why = broken.map(({ rule, message }) => `${rule}: ${message}`).join("; ");
    throw new ServerError("CONFLICT", `${tag} (${platform}) breaks build rules: ${why}`, "build a version that passes");
  }
  const description = descriptionOf(given, candidate.labels);
  const previous = previousOf(candidate, before);
  const version = { goldenId: golden.id, imageId, chain, layers, platform, tag, description, name, now };
  const id = await publishVersion(db, { ...version, previousId: previous?.id ?? null });
  if (id === undefined) throw new ServerError("CONFLICT", `${tag} is published already`, "push a new version first");
  await staleOnChains(db, [chain]);
  await tellOfGolden(db, golden.id, "golden.published", { versionId: id, reason: description }, now);
  if (previous !== undefined && previous.imageId !== imageId) {
    const { id: baseRepositoryId } = golden.repository;
    await openRebuilds(db, { baseRepositoryId, fromImageId: previous.imageId, toImageId: imageId, toTag: tag }, now);
  }
  return id;
}

function descriptionOf(given: string, labels: Readonly<Record<string, string>>): string {
  const told = [given, ...CHANGE_LABELS.map((label) => (Object.hasOwn(labels, label) ? (labels[label] ?? "") : ""))];
  const description = told.find((text) => text.trim() !== "");
  if (description !== undefined) return description.trim().slice(0, MAX_DESCRIPTION);
  const next = `give a description, or label the image ${CHANGE_LABELS[0]} or org.opencontainers.image.description`;
  throw new ServerError("INVALID_REQUEST", "nothing says what changed in this version", next);
}

/** The version that this one supersedes: of the same platform and line, else the newest where tags tell no line. */
function previousOf(candidate: GoldenCandidate, before: readonly GoldenVersion[]): GoldenVersion | undefined {
  const { tag: name, digest, platform } = candidate;
  const same = before.filter((version) => version.platform === platform && version.state !== "revoked");
  const superseded = same.find(
    (version) => successorOf({ name: version.tag, digest: version.digest }, [{ name, digest }]) !== undefined,
  );
  return superseded ?? (/\d/.test(name) ? undefined : same[0]);
}

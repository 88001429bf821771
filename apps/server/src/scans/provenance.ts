import type { Repository } from "@bulwark/image";
import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";

/** BuildKit documentation, "Image attestation storage". */
const REFERENCE_TYPE = "vnd.docker.reference.type";
const REFERENCE_DIGEST = "vnd.docker.reference.digest";
const STATEMENT_TYPE = "application/vnd.in-toto+json";
const MAX_STATEMENT_BYTES = 8 * 1024 * 1024;
const PREDICATE = /^https:\/\/slsa\.dev\/provenance\//;
/** The program that reads Dockerfiles is no base. */
const FRONTEND = /^pkg:docker\/(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?[@?]/;
const SHA256 = /^[a-f0-9]{64}$/;

/** The base that an image's build provenance names. */
export interface ProvenBase {
  readonly reference: string;
  readonly digest: string;
}

/**
 * Reads the base off the provenance that BuildKit pushed beside an image (SLSA provenance v0.2 `materials`, v1
 * `resolvedDependencies`). It is the builder's word, as an annotation is. Undefined where there is none, or where several
 * images went into the build and nobody can tell which of them is the base.
 *
 * @param index digest of the index that a tag names
 */
export async function provenBase(
  repository: Repository,
  index: string,
  image: string,
): Promise<ProvenBase | undefined> {
  const listed = listOf(documentOf((await repository.manifest(index))?.bytes).manifests).map(fieldsOf);
  const attestation = listed.find(({ annotations }) => {
    const notes = fieldsOf(annotations);
    return notes[REFERENCE_TYPE] === "attestation-manifest" && notes[REFERENCE_DIGEST] === image;
  });
  if (attestation === undefined) return undefined;
  const layers = listOf(documentOf((await repository.manifest(textOf(attestation.digest)))?.bytes).layers).map(
    fieldsOf,
  );
  const layer = layers.find(
    ({ mediaType, annotations }) =>
      mediaType === STATEMENT_TYPE && PREDICATE.test(textOf(fieldsOf(annotations)["in-toto.io/predicate-type"])),
  );
  if (layer === undefined || Number(layer.size) > MAX_STATEMENT_BYTES) return undefined;
  return baseIn(documentOf(await repository.blob(textOf(layer.digest), MAX_STATEMENT_BYTES)));
}

function baseIn({ predicate }: Fields): ProvenBase | undefined {
  const { materials, buildDefinition } = fieldsOf(predicate);
  const used = [...listOf(materials), ...listOf(fieldsOf(buildDefinition).resolvedDependencies)].map(fieldsOf);
  const images = new Map<string, ProvenBase>();
  for (const { uri, digest } of used) {
    const sha256 = textOf(fieldsOf(digest).sha256);
    const name = textOf(uri);
    if (!name.startsWith("pkg:docker/") || FRONTEND.test(name) || !SHA256.test(sha256)) continue;
    images.set(sha256, { reference: referenceOf(name), digest: `sha256:${sha256}` });
  }
  const [only] = images.values();
  return images.size === 1 ? only : undefined;
}

/** `pkg:docker/debian@12?platform=linux%2Famd64` is `debian:12`. */
function referenceOf(purl: string): string {
  const [path = ""] = purl.slice("pkg:docker/".length).split("?");
  try {
    return decodeURIComponent(path)
      .replace(/@(?=[^@]*$)/, ":")
      .slice(0, 500);
  } catch {
    return path.slice(0, 500);
  }
}

function documentOf(bytes: Uint8Array | undefined): Fields {
  if (bytes === undefined) return {};
  try {
    return fieldsOf(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    return {};
  }
}

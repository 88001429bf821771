import { type KeyObject, sign } from "node:crypto";
import type { Repository } from "@bulwark/image";
import { fieldsOf, listOf } from "@bulwark/model";
import { SIGNATURE_ANNOTATION, SIMPLE_SIGNING_TYPE } from "./attachment.ts";
import { SignatureError } from "./errors.ts";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const CREATOR = "bulwark";
/** Signatures of others that are kept; who verifies looks at no more. */
const MAX_OTHERS = 63;

/**
 * Signs an image by its digest and puts the signature beside it, under the tag where cosign looks for it. Signatures that
 * are there stay.
 *
 * @returns the digest of the manifest that holds the signatures
 * @throws what the registry's session throws; SignatureError `SIGNATURES_DAMAGED`
 */
export async function signImage(
  repository: Repository,
  digest: string,
  identity: string,
  key: KeyObject,
): Promise<string> {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { "docker-reference": identity },
        image: { "docker-manifest-digest": digest },
        type: "cosign container image signature",
      },
      optional: { creator: CREATOR },
    }),
  );
  const isEdwards = key.asymmetricKeyType === "ed25519";
  const signature = sign(isEdwards ? null : "sha256", payload, key).toString("base64");
  const tag = `${digest.replace(":", "-")}.sig`;
  const layer = {
    mediaType: SIMPLE_SIGNING_TYPE,
    digest: await repository.putBlob(payload),
    size: payload.length,
    annotations: { [SIGNATURE_ANNOTATION]: signature },
  };
  // First, so that whatever lies there already cannot crowd it out.
  const layers = [layer, ...(await layersOf(repository, tag)).slice(0, MAX_OTHERS)];
  const config = Buffer.from(
    JSON.stringify({
      architecture: "",
      os: "",
      config: {},
      rootfs: { type: "layers", diff_ids: layers.map((each) => fieldsOf(each).digest) },
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: await repository.putBlob(config), size: config.length },
    layers,
  };
  return repository.putManifest(Buffer.from(JSON.stringify(manifest)), MANIFEST_TYPE, tag);
}

async function layersOf(repository: Repository, tag: string): Promise<readonly unknown[]> {
  const manifest = await repository.manifest(tag);
  if (manifest === undefined) return [];
  try {
    return listOf(fieldsOf(JSON.parse(Buffer.from(manifest.bytes).toString("utf8"))).layers);
  } catch (cause) {
    throw new SignatureError(
      "SIGNATURES_DAMAGED",
      `what lies under the tag ${tag} is no manifest of signatures`,
      "find out who put it there, and delete the tag",
      cause,
    );
  }
}

import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toTrustMaterial } from "@sigstore/verify";
import { SignatureError } from "./errors.ts";

const MAX_ROOT_BYTES = 4 * 1024 * 1024;

/**
 * Reads a trust root: certificate authorities, transparency logs and time-stamp authorities, as Sigstore's TUF repository
 * publishes it (protobuf-specs, `TrustedRoot`).
 *
 * @throws SignatureError `TRUST_ROOT_INVALID`
 */
export function readTrustedRoot(text: string, file: string): TrustedRoot {
  try {
    if (text.length > MAX_ROOT_BYTES) throw new Error(`it is larger than ${MAX_ROOT_BYTES} bytes`);
    const root = TrustedRoot.fromJSON(JSON.parse(text));
    if (root.tlogs.length === 0) throw new Error("it names no transparency log");
    toTrustMaterial(root); // reads every key and certificate
    return root;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SignatureError(
      "TRUST_ROOT_INVALID",
      `${file} is no trust root: ${why}`,
      "give a trusted_root.json as Sigstore's TUF repository publishes it",
      cause,
    );
  }
}

/** For keys whose signatures are in no log. */
export function emptyTrustedRoot(): TrustedRoot {
  return TrustedRoot.fromJSON({ tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] });
}

/** Something in a registry that claims to vouch for an image. */
export interface Attachment {
  /**
   * `simple-signing`: cosign's payload, with signature, certificate and log entry in the annotations.
   * `envelope`: a DSSE envelope with an in-toto statement, certificate and log entry in the annotations.
   * `bundle`: a Sigstore bundle, which holds all of it.
   */
  readonly kind: "simple-signing" | "envelope" | "bundle";
  readonly bytes: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
  /** Where it lies, for messages: a tag or digest. */
  readonly place: string;
}

/** All that vouches for one image, and what could not be read of it. */
export interface Attachments {
  readonly attachments: readonly Attachment[];
  readonly problems: readonly string[];
}

/** Media types and annotations as cosign writes them (cosign, "Signature specification"). */
export const SIMPLE_SIGNING_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";
export const ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json";
export const BUNDLE_TYPE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.\d+\+json|\+json;version=0\.\d+)$/;
export const SIGNATURE_ANNOTATION = "dev.cosignproject.cosign/signature";
export const CERTIFICATE_ANNOTATION = "dev.sigstore.cosign/certificate";
export const LOG_ANNOTATION = "dev.sigstore.cosign/bundle";

import { CodedError } from "@bulwark/model";

/** What can go wrong between a source's name and the entries of its layers. Codes are stable. */
export type ImageErrorCode =
  /** The text is no image reference. */
  | "REFERENCE_INVALID"
  /** The file, directory, socket or image is not there. */
  | "SOURCE_NOT_FOUND"
  /** It is there but cannot be used as this kind of source. */
  | "SOURCE_INVALID"
  /** The registry or daemon knows no such image. */
  | "IMAGE_NOT_FOUND"
  /** The archive or layout holds several images and none was chosen. */
  | "IMAGE_AMBIGUOUS"
  | "PLATFORM_NOT_FOUND"
  /** A manifest, index or configuration that is broken, contradicts itself or is no image's. */
  | "MANIFEST_INVALID"
  | "DIGEST_MISMATCH"
  /** A stated bound was passed; the message names it. */
  | "LAYER_LIMIT"
  /** The layer ends before its end. */
  | "LAYER_TORN"
  /** The layer is no tar, or its compression is broken. */
  | "LAYER_INVALID"
  /** The layer's bytes are not distributed with the image. */
  | "LAYER_FOREIGN"
  | "REGISTRY_UNREACHABLE"
  | "REGISTRY_AUTH"
  /** The registry answered with something that is no success. */
  | "REGISTRY_REFUSED"
  | "CREDENTIALS_INVALID"
  | "DAEMON_UNREACHABLE"
  | "DAEMON_REFUSED"
  | "OFFLINE"
  | "CANCELLED";

/**
 * An error of this package.
 *
 * @example throw imageError("IMAGE_NOT_FOUND", "no such image: docker.io/library/x:1", "check the spelling of the tag");
 */
export function imageError(
  code: ImageErrorCode,
  message: string,
  next = "",
  cause?: unknown,
): CodedError<ImageErrorCode> {
  return new CodedError<ImageErrorCode>(code, message, next, cause);
}

/** True for errors of this package, told from others by their code and class. */
export function isImageError(error: unknown): error is CodedError<ImageErrorCode> {
  return error instanceof CodedError;
}

/** Throws the CANCELLED error when the signal was aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw imageError("CANCELLED", "reading the image was cancelled", "", signal.reason);
}

/** One line for a cause of unknown type, without its stack. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return String(error);
}

/** The same error with the thing it concerns before its message, unless that stands there already. */
export function named(error: unknown, what: string): unknown {
  if (!isImageError(error) || error.message.includes(what)) return error;
  return imageError(error.code, `${what}: ${error.message}`, error.next, error.cause);
}

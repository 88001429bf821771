import { collect } from "../content-source.ts";
import { imageError, isImageError, reasonOf, throwIfCancelled } from "../errors.ts";
import { formatReference, type ImageReference } from "../reference.ts";
import { type HttpResponse, readErrorBody } from "./http.ts";

/** The error for an answer that is no success. */
export async function refused(reference: ImageReference, response: HttpResponse): Promise<Error> {
  const what = formatReference(reference);
  const detail = errorDetail(await readErrorBody(response));
  if (response.status === 404)
    return imageError("IMAGE_NOT_FOUND", `${reference.registry} has no ${what}${detail}`, "check the name and the tag");
  if (response.status === 403)
    return imageError(
      "REGISTRY_AUTH",
      `${reference.registry} refuses ${what}${detail}`,
      "log in with an account that has the right to it",
    );
  if (response.status === 429)
    return imageError(
      "REGISTRY_REFUSED",
      `${reference.registry} has had too many requests${detail}`,
      "log in, or try again later",
    );
  return imageError(
    "REGISTRY_REFUSED",
    `${reference.registry} answers with status ${response.status} for ${what}${detail}`,
    "try again later",
  );
}

/** The error codes of the distribution specification in an answer. Its free text is not repeated: it may hold anything. */
function errorDetail(body: string): string {
  const codes = [...body.matchAll(/"code"\s*:\s*"([A-Z_]{1,40})"/g)].slice(0, 5).map((match) => match[1]);
  return codes.length === 0 ? "" : ` (${codes.join(", ")})`;
}

/**
 * A body of bounded size.
 *
 * @throws REGISTRY_UNREACHABLE when it ends early
 */
export async function collectWhole(
  reference: ImageReference,
  response: HttpResponse,
  limitBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  try {
    return await collect(`an answer of ${reference.registry}`, response.body, limitBytes);
  } catch (error) {
    throwIfCancelled(signal);
    if (isImageError(error)) throw error;
    const why = `${reference.registry} cut the connection within an answer: ${reasonOf(error)}`;
    throw imageError("REGISTRY_UNREACHABLE", why, "try again later", error);
  }
}

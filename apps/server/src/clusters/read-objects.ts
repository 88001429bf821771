import { fitObject, MAX_OBJECT_BYTES } from "@bulwark/kubernetes";
import type { SeenObject } from "@bulwark/store";
import { GatewayError } from "../gateway/errors.ts";
import type { ClusterObject, ObjectBatch } from "./gen/wire-types.ts";

const MAX_OBJECTS = 5_000;
const MAX_NAME = 512;

/**
 * The objects of a batch, each once with what was told of it last.
 *
 * @throws GatewayError `PROTOCOL` for a document that is none, or names that cannot be
 */
export function readObjects(batch: ObjectBatch): readonly SeenObject[] {
  if (batch.changed.length > MAX_OBJECTS)
    throw new GatewayError("PROTOCOL", `a batch has at most ${MAX_OBJECTS} objects`);
  const newest = [...new Map(batch.changed.map((object) => [object.uid, object])).values()];
  return newest.map(readObject);
}

function readObject({ uid, apiVersion, kind, namespace, name, document }: ClusterObject): SeenObject {
  const names = [uid, apiVersion, kind, namespace, name];
  // PostgreSQL's text and jsonb hold no NUL.
  if (uid === "" || kind === "" || names.some((each) => each.length > MAX_NAME || each.includes("\0")))
    throw new GatewayError("PROTOCOL", "an object has a uid, a kind and a name of usual length");
  const what = `${kind} ${namespace}/${name}`;
  const told = parseDocument(document, what);
  // Agents see to that themselves; older ones, and whatever else holds a cluster's certificate, may not.
  const fits = document.byteLength <= MAX_OBJECT_BYTES;
  return { uid, apiVersion, kind, namespace, name, document: fits ? told : parseDocument(fitObject(kind, told), what) };
}

function parseDocument(bytes: Uint8Array, what: string): SeenObject["document"] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString("utf8").replaceAll("\\u0000", "\\ufffd"));
  } catch (cause) {
    throw new GatewayError("PROTOCOL", `the document of ${what} is no JSON`, "", cause);
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as SeenObject["document"];
  throw new GatewayError("PROTOCOL", `the document of ${what} is no object`);
}

import type { BaseImage, Layer } from "@bulwark/model";
import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";

const MAX_LAYERS = 1_000;
const HOW: readonly BaseImage["how"][] = ["flag", "annotation", "history", "os-layer", "layers"];

/** The layers that a document of ours carries, undefined when it carries none or they are not consistent. */
export function readLayers(json: string | undefined): readonly Layer[] | undefined {
  const layers = listOf(parse(json));
  if (layers.length === 0 || layers.length > MAX_LAYERS) return undefined;
  return layers.map((entry, index) => readLayer(fieldsOf(entry), index));
}

function readLayer(fields: Fields, index: number): Layer {
  return {
    index,
    diffId: textOf(fields.diffId),
    digest: textOf(fields.digest),
    size: typeof fields.size === "number" && fields.size >= 0 ? fields.size : 0,
    createdBy: textOf(fields.createdBy),
    origin: fields.origin === "base" ? "base" : "own",
  };
}

/** The base image that a document of ours names. */
export function readBase(json: string | undefined): BaseImage | undefined {
  const fields = fieldsOf(parse(json));
  const how = HOW.find((word) => word === fields.how);
  return how === undefined ? undefined : { reference: textOf(fields.reference), digest: textOf(fields.digest), how };
}

/** These properties are a courtesy to ourselves: what does not parse is as if it were not there. */
function parse(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

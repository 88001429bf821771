import type { LayerEntry } from "@bulwark/model";
import type { LayerSummary } from "../layer/read-layer.ts";
import type { OpenedImage } from "../opened-image.ts";

/** What reading a layer gave, with the contents of its files. */
export interface LayerContents {
  readonly entries: readonly LayerEntry[];
  readonly contents: Readonly<Record<string, Buffer>>;
  readonly problems: readonly string[];
  readonly summary: LayerSummary;
}

/** Reads a layer whole. For small layers. */
export async function readAll(image: OpenedImage, index = 0, keep = false): Promise<LayerContents> {
  const entries: LayerEntry[] = [];
  const contents: Record<string, Buffer> = {};
  const problems: string[] = [];
  const summary = await image.readLayer(
    index,
    (entry) => {
      entries.push(entry);
      const parts: Buffer[] = [];
      return {
        write: (chunk) => parts.push(Buffer.from(chunk)),
        end: () => {
          if (entry.kind === "file") contents[entry.path] = Buffer.concat(parts);
        },
      };
    },
    { keep, onProblem: (path, what) => problems.push(`${path}: ${what}`) },
  );
  return { entries, contents, problems, summary };
}

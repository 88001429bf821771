import type { ContentScanner, Finding, Image, RemoteScanner } from "@bulwark/model";
import type { MergedContent } from "./merge-layers.ts";

/** What the layers' content told, as findings of the image. */
export function contentFindings(
  content: readonly MergedContent[],
  image: Pick<Image, "layers">,
  scanners: readonly Pick<ContentScanner | RemoteScanner, "id" | "version">[],
): readonly Finding[] {
  const versions = new Map(scanners.map(({ id, version }) => [id, version]));
  return content
    .map((each) => findingOf(each, image, versions.get(each.scanner) ?? ""))
    .sort((a, b) => a.layer - b.layer || compareText(a.path ?? "", b.path ?? "") || compareText(a.id, b.id));
}

function findingOf(
  { fact, scanner, path, layer, removedIn }: MergedContent,
  image: Pick<Image, "layers">,
  version: string,
): Finding {
  const { kind, id, severity, title, line, advice, detail, fingerprint, references } = fact;
  return {
    kind,
    id,
    severity,
    title,
    path: `/${path}`,
    ...(line === undefined ? {} : { line }),
    layer,
    origin: image.layers[layer]?.origin ?? "own",
    evidence: {
      foundBy: scanner,
      version,
      ...(detail === undefined ? {} : { detail }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(references === undefined ? {} : { references }),
      ...(removedIn === undefined ? {} : { removedIn }),
    },
    advice:
      removedIn === undefined
        ? advice
        : `${advice} Layer ${removedIn} removes the file, yet layer ${layer} still carries it: rebuild without it.`,
  };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

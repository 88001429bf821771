import type { FileReport, LayerReport, PackageFact } from "@bulwark/model";
import { pathListWriter } from "../path-list.ts";

/** A package fact for tests; `fields` replace the defaults. */
export function fact(name: string, version = "1.0", fields: Partial<PackageFact> = {}): PackageFact {
  return { type: "npm", namespace: "", name, version, evidence: "installed", ...fields };
}

/** A layer report for tests: files that tell packages, other paths, what the layer removes and what packages own. */
export function layer(content: {
  readonly files?: Readonly<Record<string, readonly PackageFact[]>>;
  readonly reports?: readonly FileReport[];
  readonly paths?: readonly string[];
  readonly whiteouts?: readonly string[];
  readonly opaque?: readonly string[];
  readonly owned?: Readonly<Record<string, readonly string[]>>;
}): LayerReport {
  const fromFiles = Object.entries(content.files ?? {}).map(([path, packages]) => ({
    path,
    analyzer: "test",
    packages,
    problems: [],
  }));
  const owners = Object.keys(content.owned ?? {}).map((path) => ({
    path,
    analyzer: "list",
    packages: [],
    problems: [],
  }));
  const files = [...fromFiles, ...owners, ...(content.reports ?? [])];
  const paths = pathListWriter();
  for (const path of [...files.map((file) => file.path), ...(content.paths ?? [])]) paths.add(path);
  const owned = pathListWriter();
  for (const [source, list] of Object.entries(content.owned ?? {})) {
    for (const entry of [source, String(list.length), ...list]) owned.add(entry);
  }
  return {
    diffId: "",
    files,
    whiteouts: content.whiteouts ?? [],
    opaque: content.opaque ?? [],
    problems: [],
    entries: 0,
    bytes: 0,
    paths: paths.finish(),
    owned: owned.finish(),
    recorded: pathListWriter().finish(),
    digests: pathListWriter().finish(),
  };
}

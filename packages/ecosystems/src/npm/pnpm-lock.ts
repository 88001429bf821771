import type { Analyzer, FileFacts } from "@bulwark/model";
import { isInsidePackage } from "../installed-place.ts";
import { factList } from "../language-facts.ts";
import { forEachLine, textOf } from "../text.ts";
import { splitNpmName } from "./name.ts";

const MAX_LINE_BYTES = 4 * 1024;

/** `pnpm-lock.yaml`, lock file versions 5 to 9: the keys of its `packages` name package and version. */
export const pnpmLock: Analyzer = {
  id: "pnpm-lock",
  version: 2,
  wants: ["**/pnpm-lock.yaml"],
  read: ({ path, bytes }) => (isInsidePackage(path) ? {} : readLock(bytes)),
};

function readLock(bytes: Uint8Array): FileFacts {
  const list = factList("npm", "locked");
  let section = "";
  forEachLine(bytes, (start, end) => {
    if (end - start > MAX_LINE_BYTES) return;
    const line = textOf(bytes, start, end);
    const top = /^(\w+):/.exec(line)?.[1];
    if (top !== undefined) section = top;
    const key = section === "packages" ? /^ {2}(?:'([^']+)'|"([^"]+)"|([^\s:'"][^:]*)):/.exec(line) : null;
    const parts = key === null ? null : partsOf(key[1] ?? key[2] ?? key[3] ?? "");
    if (parts !== null) list.add(...splitNpmName(parts[0]), parts[1]);
  });
  return list.facts();
}

/** `/lodash/4.17.4` (5), `/lodash@4.17.4(peer@1)` (6), `lodash@4.17.4` (9). */
function partsOf(key: string): readonly [name: string, version: string] | null {
  const plain = key.replace(/^\//, "").replace(/\(.*$/, "");
  const found = /^((?:@[^/@]+\/)?[^/@]+)[@/](\d[^/]*)$/.exec(plain);
  return found === null ? null : [found[1] ?? "", (found[2] ?? "").replace(/_.*$/, "")];
}

import type { Analyzer } from "@bulwark/model";
import { isInsidePackage } from "../installed-place.ts";
import { factList } from "../language-facts.ts";
import { forEachLine, textOf } from "../text.ts";

const MAX_LINE_BYTES = 4 * 1024;

/** `go.mod`: what it requires, replacements applied (Go modules reference, "go.mod files"). */
export const goMod: Analyzer = {
  id: "go-mod",
  version: 2,
  wants: ["**/go.mod"],
  read({ path, bytes }) {
    if (isInsidePackage(path) || /(?:^|\/)(?:testdata|vendor)\//.test(path)) return {}; // other modules' files
    const required = new Map<string, string>();
    const replaced = new Map<string, readonly [path: string, version: string]>();
    let block = "";
    forEachLine(bytes, (start, end) => {
      if (end - start > MAX_LINE_BYTES) return;
      const line = textOf(bytes, start, end)
        .replace(/\/\/.*$/, "")
        .trim();
      const opened = /^(\w+)\s*\($/.exec(line)?.[1];
      if (opened !== undefined) block = opened;
      else if (line === ")") block = "";
      else readDirective(block === "" ? line : `${block} ${line}`, required, replaced);
    });
    const list = factList("golang", "locked");
    for (const [name, version] of required) {
      // A replacement of this very version comes before one of all versions.
      const [realName, realVersion] = replaced.get(`${name} ${version}`) ?? replaced.get(name) ?? [name, version];
      if (realVersion !== "") list.add("", realName, realVersion);
    }
    return list.facts();
  },
};

function readDirective(
  line: string,
  required: Map<string, string>,
  replaced: Map<string, readonly [path: string, version: string]>,
): void {
  const words = line.split(/\s+/).map((word) => word.replace(/^"|"$/g, ""));
  if (words[0] === "require" && /^v\d/.test(words[2] ?? "")) required.set(words[1] ?? "", words[2] ?? "");
  const arrow = words.indexOf("=>");
  if (words[0] !== "replace" || arrow < 0) return;
  const old = words.slice(1, arrow).join(" ");
  replaced.set(old, [words[arrow + 1] ?? "", words[arrow + 2] ?? ""]); // a local folder has no version
}

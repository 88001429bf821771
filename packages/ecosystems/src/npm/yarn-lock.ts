import type { Analyzer, FileFacts } from "@bulwark/model";
import { isInsidePackage } from "../installed-place.ts";
import { factList } from "../language-facts.ts";
import { forEachLine, textOf } from "../text.ts";
import { splitNpmName } from "./name.ts";

const MAX_LINE_BYTES = 16 * 1024;

/** `yarn.lock` of Yarn 1 and of Yarn 2 and later: entries with a header of descriptors and indented fields. */
export const yarnLock: Analyzer = {
  id: "yarn-lock",
  version: 3,
  wants: ["**/yarn.lock"],
  read: ({ path, bytes }) => (isInsidePackage(path) ? {} : readLock(bytes)),
};

function readLock(bytes: Uint8Array): FileFacts {
  const list = factList("npm", "locked");
  let header = "";
  let version = "";
  let resolution = "";
  const finish = () => {
    const full = nameOf(resolution || header);
    if (full !== "" && version !== "") list.add(...splitNpmName(full), version);
    header = "";
    version = "";
    resolution = "";
  };
  forEachLine(bytes, (start, end) => {
    // The head of a longer line tells an entry's name as well, and that one begins.
    const isCut = end - start > MAX_LINE_BYTES;
    const head = textOf(bytes, start, isCut ? start + MAX_LINE_BYTES : end);
    const line = isCut && /^["@\w]/.test(head) ? `${head}:` : head;
    if (/^["@\w].*:$/.test(line)) {
      finish();
      header = line.slice(0, -1);
      return;
    }
    const field = /^ {2}(version|resolution):? "?([^"]+)"?$/.exec(line);
    if (field?.[1] === "version") version = field[2] ?? "";
    else if (field?.[1] === "resolution") resolution = field[2] ?? "";
  });
  finish();
  return list.facts();
}

/** The package behind the first descriptor: `"lodash@^4.17.4"`, `"alias@npm:lodash@^4"`; none for links and workspaces. */
function nameOf(descriptors: string): string {
  const first = (descriptors.split(",", 1)[0] ?? "").replaceAll('"', "").trim();
  const at = first.indexOf("@", 1);
  if (at < 0) return "";
  const range = first.slice(at + 1);
  if (/^(?:workspace|link|portal|file|patch):/.test(range))
    return range.startsWith("patch:") ? nameOf(range.slice(6)) : "";
  const aliased = /^npm:(@?[^@/]+(?:\/[^@]+)?)@/.exec(range);
  return aliased?.[1] ?? first.slice(0, at);
}

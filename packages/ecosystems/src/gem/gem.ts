import type { Analyzer } from "@bulwark/model";
import { isInsidePackage } from "../installed-place.ts";
import { factList } from "../language-facts.ts";
import { forEachLine, textOf } from "../text.ts";

const MAX_LINE_BYTES = 4 * 1024;
const MAX_SPECIFICATION_BYTES = 4 * 1024 * 1024;

/** Installed gems by the specification RubyGems writes for each. */
export const gemInstalled: Analyzer = {
  id: "gem-installed",
  version: 1,
  wants: ["**/specifications/*.gemspec", "**/specifications/default/*.gemspec"],
  maxBytes: MAX_SPECIFICATION_BYTES,
  read({ bytes }) {
    const fields = new Map<string, string>();
    forEachLine(bytes, (start, end) => {
      if (end - start > MAX_LINE_BYTES) return;
      const field = /^\s*\w+\.(name|version|license)\s*=\s*(?:Gem::Version\.new\()?["']([^"']+)["']/.exec(
        textOf(bytes, start, end),
      );
      if (field !== null && !fields.has(field[1] ?? "")) fields.set(field[1] ?? "", field[2] ?? "");
    });
    const list = factList("gem", "installed");
    const license = fields.get("license");
    list.add(
      "",
      fields.get("name") ?? "",
      fields.get("version") ?? "",
      license === undefined ? {} : { licenses: [license] },
    );
    return list.facts();
  },
};

/** `Gemfile.lock`: the resolved gems of its GEM sections, without their platform, which follows the first hyphen. */
export const gemLock: Analyzer = {
  id: "gem-lock",
  version: 2,
  wants: ["**/Gemfile.lock", "**/gems.locked"],
  read({ path, bytes }) {
    if (isInsidePackage(path)) return {};
    const list = factList("gem", "locked");
    let section = "";
    forEachLine(bytes, (start, end) => {
      if (end - start > MAX_LINE_BYTES) return;
      const line = textOf(bytes, start, end);
      if (/^[A-Z]/.test(line)) section = line;
      const gem = section === "GEM" ? /^ {4}([^\s(]+) \(([^\s)]+)\)$/.exec(line) : null;
      if (gem !== null) list.add("", gem[1] ?? "", (gem[2] ?? "").replace(/-.*$/, ""));
    });
    return list.facts();
  },
};

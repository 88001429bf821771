import type { Analyzer } from "@bulwark/model";
import { factList } from "../language-facts.ts";
import { forEachLine, textOf } from "../text.ts";

/** Descriptions are part of the file; some are megabytes. */
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_LINE_BYTES = 4 * 1024;

/** Installed distributions by their core metadata: `*.dist-info/METADATA`, `*.egg-info` as directory or file. */
export const pythonInstalled: Analyzer = {
  id: "python-installed",
  version: 1,
  wants: ["**/*.dist-info/METADATA", "**/*.egg-info/PKG-INFO", "**/*.egg-info"],
  maxBytes: MAX_BYTES,
  read({ bytes }) {
    const fields = new Map<string, string>();
    let inHeader = true;
    forEachLine(bytes, (start, end) => {
      // The header ends at the first empty line (core metadata specification, "Metadata format").
      if (start === end) inHeader = false;
      if (!inHeader || end - start > MAX_LINE_BYTES) return;
      const field = /^(Name|Version|License|License-Expression):\s*(.*)$/.exec(textOf(bytes, start, end));
      if (field !== null && !fields.has(field[1] ?? "")) fields.set(field[1] ?? "", (field[2] ?? "").trim());
    });
    const license = fields.get("License-Expression") ?? fields.get("License") ?? "";
    const list = factList("pypi", "installed");
    const more = license === "" || license === "UNKNOWN" ? {} : { licenses: [license] };
    list.add("", fields.get("Name") ?? "", fields.get("Version") ?? "", more);
    return list.facts();
  },
};

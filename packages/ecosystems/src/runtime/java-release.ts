import type { Analyzer } from "@bulwark/model";
import { factList } from "../language-facts.ts";
import { textOf } from "../text.ts";

const MAX_BYTES = 64 * 1024;

/** Java runtimes by the `release` file at their root: `JAVA_VERSION="17.0.15"`. */
export const javaRelease: Analyzer = {
  id: "java-release",
  version: 1,
  wants: ["**/release"],
  maxBytes: MAX_BYTES,
  read({ bytes }) {
    const version = /^JAVA_VERSION="([^"]{1,64})"$/m.exec(textOf(bytes))?.[1];
    const list = factList("generic", "installed");
    // "1.8.0_402" is what everybody, and every advisory, calls 8.0.402.
    if (version !== undefined) list.add("", "java", version.replace(/^1\.(\d+)\.(\d+)_(\d+)$/, "$1.$2.$3"));
    return list.facts();
  },
};

import { type Analyzer, type FileFacts, fieldsOf, textOf } from "@bulwark/model";
import { isInsidePackage } from "../installed-place.ts";
import { jsonOf } from "../json.ts";
import { factList } from "../language-facts.ts";
import { textOf as decode, forEachLine } from "../text.ts";
import { lockedTables } from "../toml-packages.ts";

const MAX_LINE_BYTES = 16 * 1024;
/** `name[extra] == 1.2 ; marker --hash=…` (PEP 508, and pip's requirements format); only pins name a version. */
const PIN = /^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\]\s*)?===?\s*([^\s;,#\\*]+)(?=[\s;#\\]|$)/;

/** `poetry.lock`, `uv.lock`, `pdm.lock`. */
export const pythonLock: Analyzer = {
  id: "python-lock",
  version: 2,
  wants: ["**/poetry.lock", "**/uv.lock", "**/pdm.lock"],
  read({ path, bytes }) {
    if (isInsidePackage(path)) return {};
    const list = factList("pypi", "locked");
    for (const { name, version, source } of lockedTables(bytes)) {
      if (!/^\{\s*(?:editable|virtual|directory)/.test(source)) list.add("", name, version);
    }
    return list.facts();
  },
};

/** `Pipfile.lock`. */
export const pipfileLock: Analyzer = {
  id: "pipfile-lock",
  version: 2,
  wants: ["**/Pipfile.lock"],
  read({ path, bytes }): FileFacts {
    if (isInsidePackage(path)) return {};
    const document = jsonOf(bytes);
    if (document === undefined) return { problems: ["the lock file is not JSON"] };
    const list = factList("pypi", "locked");
    for (const group of ["default", "develop"]) {
      for (const [name, entry] of Object.entries(fieldsOf(fieldsOf(document)[group]))) {
        list.add("", name, textOf(fieldsOf(entry).version).replace(/^===?/, ""));
      }
    }
    return list.facts();
  },
};

/** Pinned lines of `requirements.txt` and its like. */
export const requirements: Analyzer = {
  id: "requirements",
  version: 2,
  wants: ["**/requirements*.txt", "**/*requirements.txt", "**/requirements/*.txt"],
  read({ path, bytes }) {
    if (isInsidePackage(path)) return {};
    const list = factList("pypi", "locked");
    forEachLine(bytes, (start, end) => {
      const pin = end - start > MAX_LINE_BYTES ? null : PIN.exec(decode(bytes, start, end).trim());
      if (pin !== null) list.add("", pin[1] ?? "", pin[2] ?? "");
    });
    return list.facts();
  },
};

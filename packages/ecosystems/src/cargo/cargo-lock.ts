import type { Analyzer } from "@bulwark/model";
import { isInsidePackage } from "../installed-place.ts";
import { factList } from "../language-facts.ts";
import { lockedTables } from "../toml-packages.ts";

/** `Cargo.lock`, versions 1 to 4; packages without a source are the workspace's own. */
export const cargoLock: Analyzer = {
  id: "cargo-lock",
  version: 2,
  wants: ["**/Cargo.lock"],
  read({ path, bytes }) {
    if (isInsidePackage(path)) return {};
    const list = factList("cargo", "locked");
    for (const { name, version, source } of lockedTables(bytes)) if (source !== "") list.add("", name, version);
    return list.facts();
  },
};

import { type Analyzer, type FileFacts, fieldsOf, listOf, textOf } from "@bulwark/model";
import { readElf } from "../elf.ts";
import { jsonOf } from "../json.ts";
import { factList } from "../language-facts.ts";

const MAX_BYTES = 128 * 1024 * 1024;
/** The list of the largest programs inflates to some 100 KiB. */
const MAX_LIST_BYTES = 8 * 1024 * 1024;

/** Crates compiled into a program that was built with cargo-auditable: its section `.dep-v0`. */
export const cargoAuditable: Analyzer = {
  id: "cargo-auditable",
  version: 1,
  wants: ["executable"],
  maxBytes: MAX_BYTES,
  read({ bytes }, tools): FileFacts {
    const section = readElf(bytes)?.sections.find(({ name }) => name === ".dep-v0");
    if (section === undefined) return {};
    let inflated: Uint8Array;
    try {
      inflated = tools.inflateZlib(bytes.subarray(section.offset, section.offset + section.size), MAX_LIST_BYTES);
    } catch {
      return { problems: ["its list of Rust crates cannot be inflated"] };
    }
    const document = jsonOf(inflated);
    if (document === undefined) return { problems: ["its list of Rust crates is not JSON"] };
    const list = factList("cargo", "embedded");
    for (const entry of listOf(fieldsOf(document).packages).map(fieldsOf)) {
      const isRuntime = entry.kind === undefined || entry.kind === "runtime";
      if (isRuntime && entry.source === "crates.io") list.add("", textOf(entry.name), textOf(entry.version));
    }
    return list.facts();
  },
};

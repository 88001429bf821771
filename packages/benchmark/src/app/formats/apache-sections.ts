import { type Block, type ConfigDocument, MAX_DEPTH, newDraft, textOfBytes, valuesOf } from "../document.ts";
import { logicalLines, words } from "./lines.ts";

/** Reads Apache's form: `Name arg` lines in `<Section arg>` blocks (Apache HTTP Server, Configuration Files). Names become lower case. */
export function readApacheSections(bytes: Uint8Array): ConfigDocument {
  const draft = newDraft();
  const open: { readonly block: Block; readonly siblings: string[] }[] = [];
  let siblings: string[] = [];
  for (const { text, line } of logicalLines(textOfBytes(bytes), true, draft)) {
    const content = text.trim();
    if (content === "" || content.startsWith("#")) continue;
    if (content.startsWith("</")) {
      siblings = open.pop()?.siblings ?? [];
      continue;
    }
    const section = /^<(\w+)\s*(.*?)>?$/.exec(content);
    const [, name = "", rest = ""] = section ?? /^(\S+)\s*(.*)$/.exec(content) ?? [];
    const directive = {
      name: name.toLowerCase(),
      args: words(rest),
      line,
      within: open.map(({ block }) => block).reverse(),
      siblings,
    };
    if (!draft.add(section === null ? directive : { ...directive, name: `<${directive.name}>` })) break;
    if (section === null) continue;
    if (open.length >= MAX_DEPTH) {
      draft.problems.push(`sections within sections beyond ${MAX_DEPTH} were left out, from line ${line} on`);
      break;
    }
    open.push({ block: { name: directive.name, args: directive.args }, siblings });
    siblings = [];
  }
  return { directives: draft.directives, values: valuesOf(draft.directives), problems: draft.problems };
}

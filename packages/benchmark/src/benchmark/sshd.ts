import { settingLines } from "./parse-settings.ts";
import { UnreadFact } from "./unread.ts";

/** What sshd reads. */
export interface SshdSource {
  /** Text of the first file. */
  readonly main: string;
  /**
   * Texts of the files that an Include line names, in the order of their names.
   *
   * @throws UnreadFact where they were not read
   */
  included(pattern: string): readonly string[];
}

/** Files that are looked into for one keyword, however they include each other. */
const MAX_INCLUDED = 500;
/** What the sensor put in the place of what it took for a secret. */
export const TAKEN_OUT = "***";

interface Found {
  files: number;
  /** The first value outside every Match block. */
  general: string | undefined;
  /** The first value in a block that is for everybody. */
  always: string | undefined;
  /** The first value of each other block. */
  readonly conditional: string[];
}

/** The block that a line stands in. */
interface Block {
  readonly isConditional: boolean;
  readonly isAlways: boolean;
  isSet: boolean;
}

/**
 * All values that a keyword can have, by who logs in from where: that outside of Match blocks first, then those of the blocks. In each the
 * first value counts, with included files in the place of their Include (sshd_config(5)).
 *
 * @throws UnreadFact for what was not read, and for files that include each other too often: sshd would not start with them
 * @example sshdValues({ main: "Port 22\nMatch User a\nPort 23\n", included: () => [] }, "Port", "22"); // ["22", "23"]
 */
export function sshdValues(source: SshdSource, key: string, otherwise: string): readonly string[] {
  const found: Found = { files: 0, general: undefined, always: undefined, conditional: [] };
  look(source, source.main, key.toLowerCase(), { isConditional: false, isAlways: false, isSet: false }, found);
  const values = [found.always ?? found.general ?? otherwise, ...found.conditional];
  if (values.includes(TAKEN_OUT)) throw new UnreadFact(`the value of ${key} was taken for a secret and not read`);
  return [...new Set(values)];
}

function look(source: SshdSource, text: string, key: string, outer: Block, found: Found): void {
  found.files++;
  if (found.files > MAX_INCLUDED) throw new UnreadFact("the files of sshd include each other too often");
  let block = outer;
  for (const line of settingLines(text)) {
    const [word = "", ...all] = line.split(/[\s=]+/);
    const end = all.findIndex((each) => each.startsWith("#"));
    const rest = (end < 0 ? all : all.slice(0, end))
      .map((each) => each.replaceAll('"', ""))
      .filter((each) => each !== "");
    switch (word.toLowerCase()) {
      case "match": {
        // A block that an included file begins ends with that file.
        const isAll = rest.length === 1 && rest[0]!.toLowerCase() === "all" && !outer.isConditional;
        block = { isConditional: !isAll, isAlways: isAll, isSet: false };
        break;
      }
      case "include":
        for (const pattern of rest) {
          const full = pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`;
          for (const inner of source.included(full)) look(source, inner, key, block, found);
        }
        break;
      case key:
        keep(block, rest.join(" "), found);
    }
  }
}

function keep(block: Block, value: string, found: Found): void {
  if (block.isSet) return;
  block.isSet = true;
  if (block.isConditional) found.conditional.push(value);
  else if (block.isAlways) found.always ??= value;
  else found.general ??= value;
}

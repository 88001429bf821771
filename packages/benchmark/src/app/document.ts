import { expressionMap } from "../expression-map.ts";

/** A block that a setting stands in: an nginx `location`, an Apache `<Directory>`, an XML element, a section. */
export interface Block {
  readonly name: string;
  readonly args: readonly string[];
}

/** One setting of a configuration file as expressions see it; the same form for every program. */
export interface Directive {
  /** Lower case where the program does not mind the case. */
  readonly name: string;
  readonly args: readonly string[];
  /** The arguments joined by blanks. */
  readonly value: string;
  /** Attributes of an XML element; empty elsewhere. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The blocks around it, the innermost first. */
  readonly within: readonly Block[];
  /** Names of all settings of the same block. */
  readonly siblings: readonly string[];
  /** 1 for the first. */
  readonly line: number;
}

/** A configuration file, read. */
export interface ConfigDocument {
  readonly directives: readonly Directive[];
  /** The value that counts of each setting outside of special blocks, by name. */
  readonly values: Readonly<Record<string, string>>;
  /** What could not be read, as sentences without the path. */
  readonly problems: readonly string[];
}

/** Knows the configuration files of one program. */
export interface ConfigReader {
  /** Kebab case; checks speak of it as `app:ID`. */
  readonly id: string;
  /** Paths relative to the root of the image; `*` stands within one part, `**` for any number of parts. */
  readonly wants: readonly string[];
  /** Never throws, whatever the bytes. */
  read(file: { readonly path: string; readonly bytes: Uint8Array }): ConfigDocument;
}

/** More settings than any real file has; what lies beyond is not looked at, and the document says so. */
const MAX_DIRECTIVES = 20_000;
/** Blocks within blocks. */
export const MAX_DEPTH = 64;
/** A longer line is no configuration; it is left out, and the document says so. */
export const MAX_LINE_LENGTH = 64 * 1024;
/** Deepest `within` that a directive carries. */
const MAX_WITHIN = 8;

/** Collects the settings of a file within the bounds. */
export interface Draft {
  readonly directives: Directive[];
  readonly problems: string[];
  /** False once the bound is reached: the reader may stop. */
  add(directive: {
    readonly name: string;
    readonly args: readonly string[];
    readonly line: number;
    readonly within?: readonly Block[];
    readonly siblings?: string[];
    readonly attributes?: Readonly<Record<string, string>>;
  }): boolean;
}

/** An empty draft. `siblings` lists are shared by the settings of a block and fill as the block is read. */
export function newDraft(): Draft {
  const directives: Directive[] = [];
  const problems: string[] = [];
  return {
    directives,
    problems,
    add({ name, args, line, within = [], siblings = [], attributes = {} }) {
      if (directives.length >= MAX_DIRECTIVES) {
        const note = `only the first ${MAX_DIRECTIVES} settings were looked at`;
        if (!problems.includes(note)) problems.push(note);
        return false;
      }
      siblings.push(name);
      directives.push({
        name,
        args,
        value: args.join(" "),
        attributes,
        within: within.slice(0, MAX_WITHIN),
        siblings,
        line,
      });
      return true;
    },
  };
}

/** The last (or, for programs that read so, the first) value of each setting. Safe for names such as `__proto__`. */
export function valuesOf(
  directives: readonly Directive[],
  wins: "first" | "last" = "last",
): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const { name, value } of directives) {
    if (wins === "last" || !values.has(name)) values.set(name, value);
  }
  return expressionMap(values);
}

/** The bytes as text. Bytes that are no UTF-8 become replacement characters: settings are ASCII. */
export function textOfBytes(bytes: Uint8Array): string {
  return new TextDecoder("utf-8").decode(bytes);
}

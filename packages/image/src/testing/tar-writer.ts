/** One entry of a tar made for a test. Everything may be wrong on purpose. */
export interface TarInput {
  readonly path: string | Uint8Array;
  readonly content?: Uint8Array | string;
  /** Type flag, `0` by default; `5` for paths that end in a slash. */
  readonly type?: string;
  readonly linkTarget?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Size field when it shall not be the content's. */
  readonly size?: number;
  /** PAX records to put before the entry, as they are. */
  readonly pax?: Readonly<Record<string, string>>;
  /** Write size and ids in base-256. */
  readonly base256?: boolean;
  /** Sum the checksum over signed bytes. */
  readonly signedChecksum?: boolean;
  /** Put names that do not fit in a GNU `L` or `K` entry instead of a PAX record. */
  readonly gnu?: boolean;
  /** Last change to the raw header, before its checksum. */
  readonly patch?: (header: Buffer) => void;
}

const BLOCK = 512;

function octal(header: Buffer, at: number, length: number, value: number, base256: boolean): void {
  if (base256 || value >= 8 ** (length - 1)) {
    header[at] = 0x80;
    header.writeBigUInt64BE(BigInt(value), at + length - 8);
    if (length > 8) return;
    header[at] = 0x80;
    return;
  }
  header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
}

function paxBody(records: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest + String(rest).length;
    if (String(length).length !== String(rest).length) length = rest + String(length).length;
    return `${length} ${key}=${value}\n`;
  });
  return Buffer.from(lines.join(""));
}

function padded(content: Buffer): Buffer[] {
  const rest = content.length % BLOCK;
  return rest === 0 ? [content] : [content, Buffer.alloc(BLOCK - rest)];
}

function rawEntry(input: TarInput, name: Buffer, link: Buffer, content: Buffer, type: string): Buffer[] {
  const header = Buffer.alloc(BLOCK);
  name.copy(header, 0, 0, 100);
  octal(header, 100, 8, input.mode ?? (type === "5" ? 0o755 : 0o644), false);
  octal(header, 108, 8, input.uid ?? 0, input.base256 === true);
  octal(header, 116, 8, input.gid ?? 0, input.base256 === true);
  octal(header, 124, 12, input.size ?? content.length, input.base256 === true);
  octal(header, 136, 12, 0, false);
  header.write(type, 156, "latin1");
  link.copy(header, 157, 0, 100);
  header.write(input.gnu === true ? "ustar  \0" : "ustar\x0000", 257, "latin1");
  input.patch?.(header);
  header.write("        ", 148, "latin1");
  const signed = header.reduce((total, byte) => total + ((byte << 24) >> 24), 0);
  const unsigned = header.reduce((total, byte) => total + byte, 0);
  // A negative sum has no octal form.
  const sum = input.signedChecksum === true && signed >= 0 ? signed : unsigned;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return [header, ...padded(content)];
}

/** The bytes of one entry with the extensions it needs. */
export function tarEntry(input: TarInput): Buffer {
  const name = Buffer.from(input.path as string);
  const link = Buffer.from(input.linkTarget ?? "");
  const content = Buffer.from((input.content ?? "") as string);
  const type = input.type ?? (name.at(-1) === 0x2f ? "5" : "0");
  const pax: Record<string, string> = { ...input.pax };
  const parts: Buffer[] = [];
  if (input.gnu === true) {
    if (name.length > 100)
      parts.push(
        ...rawEntry(
          { path: "", gnu: true },
          Buffer.from("././@LongLink"),
          Buffer.alloc(0),
          Buffer.concat([name, Buffer.alloc(1)]),
          "L",
        ),
      );
    if (link.length > 100)
      parts.push(
        ...rawEntry(
          { path: "", gnu: true },
          Buffer.from("././@LongLink"),
          Buffer.alloc(0),
          Buffer.concat([link, Buffer.alloc(1)]),
          "K",
        ),
      );
  } else {
    if (name.length > 100) pax.path = name.toString();
    if (link.length > 100) pax.linkpath = link.toString();
  }
  if (Object.keys(pax).length > 0)
    parts.push(...rawEntry({ path: "" }, Buffer.from("PaxHeaders/x"), Buffer.alloc(0), paxBody(pax), "x"));
  parts.push(...rawEntry(input, name, link, content, type));
  return Buffer.concat(parts);
}

/** A whole tar with its end marker. */
export function makeTar(inputs: readonly TarInput[]): Buffer {
  return Buffer.concat([...inputs.map(tarEntry), Buffer.alloc(2 * BLOCK)]);
}

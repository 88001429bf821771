const HEADER_BYTES = 64;
const SECTION_BYTES = 64;

/** A 64-bit little-endian ELF file with the given sections and nothing else. */
export function elfOf(sections: Readonly<Record<string, Uint8Array | string>>): Uint8Array {
  const names = ["", ...Object.keys(sections), ".shstrtab"];
  const table = Buffer.from(`${names.join("\0")}\0`);
  const contents = [Buffer.alloc(0), ...Object.values(sections).map((content) => Buffer.from(content)), table];
  let offset = HEADER_BYTES;
  let nameAt = 0;
  const headers = contents.map((content, index) => {
    const header = Buffer.alloc(SECTION_BYTES);
    header.writeUInt32LE(nameAt, 0);
    header.writeBigUInt64LE(BigInt(offset), 24);
    header.writeBigUInt64LE(BigInt(content.length), 32);
    offset += content.length;
    nameAt += (names[index] ?? "").length + 1;
    return header;
  });
  const head = Buffer.alloc(HEADER_BYTES);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeBigUInt64LE(BigInt(offset), 40);
  head.writeUInt16LE(SECTION_BYTES, 58);
  head.writeUInt16LE(headers.length, 60);
  head.writeUInt16LE(headers.length - 1, 62);
  return Buffer.concat([head, ...contents, ...headers]);
}

/** Length as a varint, then the text. */
function counted(text: string): Buffer {
  const bytes: number[] = [];
  let length = Buffer.byteLength(text);
  for (; length >= 0x80; length >>= 7) bytes.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...bytes, length]), Buffer.from(text)]);
}

/** A program with Go's build information since 1.18 (debug/buildinfo). */
export function goProgramOf(version: string, modules: string): Uint8Array {
  const flags = Buffer.from([8, 2]);
  const magic = Buffer.concat([Buffer.from([0xff]), Buffer.from(" Go buildinf:"), flags, Buffer.alloc(16)]);
  const marker = "m".repeat(16);
  return elfOf({ ".go.buildinfo": Buffer.concat([magic, counted(version), counted(`${marker}${modules}${marker}`)]) });
}

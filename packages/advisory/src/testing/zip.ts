import { crc32, deflateRawSync } from "node:zlib";

/** A ZIP archive of the given files (APPNOTE.TXT, sections 4.3.7 to 4.3.16). */
export function zipOf(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const [parts, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const data = Buffer.from(content);
    const packed = deflateRawSync(data);
    const [common, tail] = [Buffer.alloc(26), Buffer.alloc(14)];
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    tail.writeUInt32LE(offset, 10);
    parts.push(Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]));
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), common, tail, Buffer.from(name)]));
    offset += parts.at(-1)?.length ?? 0;
  }
  const [central, end] = [Buffer.concat(directory), Buffer.alloc(18)];
  for (const at of [4, 6]) end.writeUInt16LE(directory.length, at);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, Buffer.from("PK\x05\x06"), end]);
}

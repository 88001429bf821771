import { once } from "node:events";
import type { WriteStream } from "node:fs";
import { crc32, deflateRawSync } from "node:zlib";

/** Writes a ZIP archive entry by entry, with the ZIP64 end record that many entries need (APPNOTE.TXT, 4.3.14). */
export interface ZipWriter {
  add(name: string, text: string): Promise<void>;
  end(): Promise<void>;
}

const NO_COUNT = 0xffff;
const NO_OFFSET = 0xffffffff;

export function zipWriter(stream: WriteStream): ZipWriter {
  const directory: Buffer[] = [];
  let offset = 0;
  const write = async (bytes: Buffer) => {
    offset += bytes.length;
    if (!stream.write(bytes)) await once(stream, "drain");
  };
  return {
    async add(name, text) {
      const data = Buffer.from(text);
      const packed = deflateRawSync(data);
      const common = Buffer.alloc(26);
      common.writeUInt16LE(20, 0);
      common.writeUInt16LE(8, 4);
      common.writeUInt32LE(crc32(data), 10);
      common.writeUInt32LE(packed.length, 14);
      common.writeUInt32LE(data.length, 18);
      common.writeUInt16LE(Buffer.byteLength(name), 22);
      const tail = Buffer.alloc(14);
      tail.writeUInt32LE(offset, 10);
      directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x2d\x00"), common, tail, Buffer.from(name)]));
      await write(Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]));
    },
    async end() {
      const start = offset;
      for (const entry of directory) await write(entry);
      const size = offset - start;
      const record = Buffer.alloc(56);
      record.write("PK\x06\x06", "latin1");
      record.writeBigUInt64LE(44n, 4);
      record.writeUInt16LE(45, 12);
      record.writeUInt16LE(45, 14);
      for (const at of [24, 32]) record.writeBigUInt64LE(BigInt(directory.length), at);
      record.writeBigUInt64LE(BigInt(size), 40);
      record.writeBigUInt64LE(BigInt(start), 48);
      const locator = Buffer.alloc(20);
      locator.write("PK\x06\x07", "latin1");
      locator.writeBigUInt64LE(BigInt(offset), 8);
      locator.writeUInt32LE(1, 16);
      const end = Buffer.alloc(22);
      end.write("PK\x05\x06", "latin1");
      for (const at of [8, 10]) end.writeUInt16LE(NO_COUNT, at);
      for (const at of [12, 16]) end.writeUInt32LE(NO_OFFSET, at);
      await write(Buffer.concat([record, locator, end]));
      stream.end();
      await once(stream, "close");
    },
  };
}

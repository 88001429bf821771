/** Protocol Buffers' wire format ("Encoding" in the language guide), as much as three small messages need. */

/** A field to write: number and a string, or a number as varint. */
export type Field = readonly [number: number, value: string | number];

/** Encodes a message of strings and non-negative integers; empty ones are left out, as proto3 does. */
export function encodeMessage(fields: readonly Field[]): Buffer {
  const parts: Buffer[] = [];
  for (const [number, value] of fields) {
    if (value === "" || value === 0) continue;
    if (typeof value === "number") {
      parts.push(varint(number * 8), varint(value));
    } else {
      const bytes = Buffer.from(value);
      parts.push(varint(number * 8 + 2), varint(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** The fields of a message, last one wins: integers as numbers, the rest as bytes. */
export type Fields = ReadonlyMap<number, number | Buffer>;

/**
 * Decodes one level of a message.
 *
 * @throws RangeError for bytes that are no message
 */
export function decodeMessage(bytes: Buffer): Fields {
  return new Map(fieldsIn(bytes));
}

/** The values of a repeated field of messages or strings, in their order. */
export function repeatedAt(bytes: Buffer, number: number): readonly Buffer[] {
  return fieldsIn(bytes).flatMap(([found, value]) => (found === number && Buffer.isBuffer(value) ? [value] : []));
}

function fieldsIn(bytes: Buffer): readonly (readonly [number, number | Buffer])[] {
  const fields: [number, number | Buffer][] = [];
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (at >= bytes.length) throw new RangeError("message ends within a number");
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new RangeError("number of more than ten bytes");
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError("message ends within a field");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = readVarint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === 0) fields.push([number, readVarint()]);
    else if (type === 1) take(8);
    else if (type === 2) fields.push([number, take(readVarint())]);
    else if (type === 5) take(4);
    else throw new RangeError(`field of unknown wire type ${type}`);
  }
  return fields;
}

export function bytesAt(fields: Fields, number: number): Buffer {
  const value = fields.get(number);
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

export function textAt(fields: Fields, number: number): string {
  return bytesAt(fields, number).toString("utf8");
}

export function numberAt(fields: Fields, number: number): number {
  const value = fields.get(number);
  return typeof value === "number" ? value : 0;
}

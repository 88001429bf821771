/** Primitive types of Kafka's protocol (Kafka protocol guide, "Protocol Primitive Types"), as far as the test's broker needs them. */
export function bytesReader(bytes: Buffer) {
  let at = 0;
  const take = (size: number) => {
    at += size;
    return bytes.subarray(at - size, at);
  };
  const int16 = () => take(2).readInt16BE(0);
  const int32 = () => take(4).readInt32BE(0);
  return {
    int16,
    int32,
    string: () => {
      const size = int16();
      return size < 0 ? null : take(size).toString("utf8");
    },
    bytes: () => take(Math.max(0, int32())),
  };
}

export function bytesWriter() {
  const parts: Buffer[] = [];
  const number = (size: number, write: (into: Buffer) => void) => {
    const into = Buffer.alloc(size);
    write(into);
    parts.push(into);
    return writer;
  };
  const writer = {
    int8: (value: number) => number(1, (into) => into.writeInt8(value)),
    int16: (value: number) => number(2, (into) => into.writeInt16BE(value)),
    int32: (value: number) => number(4, (into) => into.writeInt32BE(value)),
    int64: (value: bigint) => number(8, (into) => into.writeBigInt64BE(value)),
    raw(value: Buffer) {
      parts.push(value);
      return writer;
    },
    string(value: string | null) {
      if (value === null) return writer.int16(-1);
      const text = Buffer.from(value);
      return writer.int16(text.length).raw(text);
    },
    bytes: (value: Buffer) => writer.int32(value.length).raw(value),
    end: () => Buffer.concat(parts),
  };
  return writer;
}

/** Of a record batch, before the number of its records (Kafka documentation, "Record Batch"). */
const BATCH_HEAD_BYTES = 57;

/** Values of the records of a batch that is not compressed. */
export function recordsOf(batch: Buffer): readonly string[] {
  let at = BATCH_HEAD_BYTES;
  const count = batch.readInt32BE(at);
  at += 4;
  /** Variable length and zigzag, as Protocol Buffers have it. */
  const varint = () => {
    let [value, shift] = [0n, 0n];
    for (;;) {
      const byte = batch[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return Number((value >> 1n) ^ -(value & 1n));
    }
  };
  return Array.from({ length: count }, () => {
    const size = varint();
    const end = at + size;
    at++;
    varint();
    varint();
    const keyLength = varint();
    at += Math.max(0, keyLength);
    const length = varint();
    const value = batch.subarray(at, at + length).toString("utf8");
    at = end;
    return value;
  });
}

import { createHash } from "node:crypto";
import { createGzip, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, type Limits } from "../limits.ts";
import { digestOf } from "../testing/image-builder.ts";
import { makeTar, tarEntry } from "../testing/tar-writer.ts";
import { type LayerSummary, readLayerStream } from "./read-layer.ts";

async function* inPieces(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface ReadResult {
  readonly summary: LayerSummary;
  readonly paths: string[];
  readonly problems: string[];
}

async function read(
  stored: Uint8Array,
  limits: Partial<Limits> = {},
  expected: { digest?: string; diffId?: string; size?: number; mediaType?: string } = {},
  pieces?: number,
): Promise<ReadResult> {
  const paths: string[] = [];
  const problems: string[] = [];
  const layer = {
    what: "layer 0",
    digest: digestOf(stored),
    diffId: "",
    size: stored.length,
    mediaType: "",
    ...expected,
  };
  const summary = await readLayerStream(
    inPieces(stored, pieces),
    layer,
    { ...DEFAULT_LIMITS, ...limits },
    (entry) => {
      paths.push(entry.path);
      return undefined;
    },
    { onProblem: (path, what) => problems.push(`${path}: ${what}`) },
  );
  return { summary, paths, problems };
}

// Content that does not compress, so that the layer is larger than the pieces it is read in.
const noise = (length: number, seed = "n"): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / 32) }, (_, i) => createHash("sha256").update(`${seed}${i}`).digest()),
  ).subarray(0, length);
const tar = makeTar(Array.from({ length: 40 }, (_, i) => ({ path: `dir/file-${i}`, content: noise(20_000, `${i}`) })));
const forms = { gzip: gzipSync(tar), zstd: zstdCompressSync(tar), plain: tar };
const half = Math.floor(tar.length / 2);

describe("a layer is the same however it is stored", () => {
  test.each(Object.entries(forms))("%s", async (_, stored) => {
    const { summary, paths, problems } = await read(stored, {}, { diffId: digestOf(tar) });
    expect(summary).toEqual({ diffId: digestOf(tar), entries: 40, bytes: tar.length });
    expect(paths).toHaveLength(40);
    expect(problems).toEqual([]);
  });

  test.each([
    ["gzip members", Buffer.concat([gzipSync(tar.subarray(0, half)), gzipSync(tar.subarray(half))])],
    ["zstd frames", Buffer.concat([zstdCompressSync(tar.subarray(0, half)), zstdCompressSync(tar.subarray(half))])],
    [
      "zstd frames with one to skip",
      Buffer.concat([
        zstdCompressSync(tar.subarray(0, half)),
        Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]),
        zstdCompressSync(tar.subarray(half)),
      ]),
    ],
    [
      "many zstd frames",
      Buffer.concat(
        Array.from({ length: Math.ceil(tar.length / 5_000) }, (__, i) =>
          zstdCompressSync(tar.subarray(i * 5_000, (i + 1) * 5_000)),
        ),
      ),
    ],
    [
      "many gzip members",
      Buffer.concat(
        Array.from({ length: Math.ceil(tar.length / 5_000) }, (__, i) =>
          gzipSync(tar.subarray(i * 5_000, (i + 1) * 5_000)),
        ),
      ),
    ],
    ["gzip with zeros after it", Buffer.concat([forms.gzip, Buffer.alloc(700_000)])],
  ])("%s one after the other are all read", async (_, stored) => {
    for (const pieces of [997, 300_000, stored.length]) {
      const { summary } = await read(stored, {}, { diffId: digestOf(tar) }, pieces);
      expect(summary.entries).toBe(40);
    }
  });

  test("the bytes decide about the compression, and a media type that says otherwise is told", async () => {
    const { summary, problems } = await read(
      forms.zstd,
      {},
      { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" },
    );
    expect(summary.entries).toBe(40);
    expect(problems.join()).toContain("promises gzip but the bytes are zstd");
  });

  test("an empty layer is a layer", async () => {
    expect((await read(gzipSync(Buffer.alloc(1024)))).summary.entries).toBe(0);
  });
});

describe("a torn layer", () => {
  const cuts = Array.from({ length: 15 }, (_, i) => i + 1);

  test.each(cuts)("cut at %i/16 of what its descriptor says is torn", async (sixteenth) => {
    for (const stored of Object.values(forms)) {
      const cut = stored.subarray(0, Math.floor((stored.length * sixteenth) / 16));
      await expect(read(cut, {}, { size: stored.length })).rejects.toMatchObject({
        code: "LAYER_TORN",
        message: expect.stringContaining("layer 0"),
      });
    }
  });

  test.each(cuts)("cut at %i/16 before its descriptor was made is torn as well", async (sixteenth) => {
    for (const stored of Object.values(forms)) {
      const cut = stored.subarray(0, Math.floor((stored.length * sixteenth) / 16));
      await expect(read(cut)).rejects.toMatchObject({ code: "LAYER_TORN" });
    }
  });
});

test("a layer that is whole in itself but shorter than its descriptor says is torn", async () => {
  for (const stored of Object.values(forms)) {
    await expect(read(stored, {}, { size: stored.length + 1 })).rejects.toMatchObject({ code: "LAYER_TORN" });
  }
});

describe("a layer that lies", () => {
  test("about its digest is refused, naming both", async () => {
    const wrong = digestOf(Buffer.from("other"));
    const error = await read(forms.gzip, {}, { digest: wrong }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "DIGEST_MISMATCH", message: expect.stringContaining(wrong) });
    expect((error as Error).message).toContain(digestOf(forms.gzip));
  });

  test("about its diffID is refused, naming both", async () => {
    const wrong = digestOf(Buffer.from("other"));
    await expect(read(forms.zstd, {}, { diffId: wrong })).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
      message: expect.stringContaining(digestOf(tar)),
    });
  });

  test("with data after its compressed stream is refused", async () => {
    await expect(read(Buffer.concat([forms.gzip, Buffer.from("more")]))).rejects.toMatchObject({
      code: "LAYER_INVALID",
    });
    await expect(read(Buffer.concat([forms.gzip, Buffer.alloc(600_000), Buffer.from("more")]))).rejects.toMatchObject({
      code: "LAYER_INVALID",
    });
    await expect(read(Buffer.concat([forms.zstd, Buffer.from("more than four")]))).rejects.toMatchObject({
      code: "LAYER_INVALID",
    });
  });

  test("that never ends is cut at its declared size", async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield forms.plain;
      for (;;) {
        sent += 1_000_000;
        yield Buffer.alloc(1_000_000);
      }
    }
    const layer = {
      what: "layer 0",
      digest: digestOf(forms.plain),
      diffId: "",
      size: forms.plain.length,
      mediaType: "",
    };
    await expect(readLayerStream(endless(), layer, DEFAULT_LIMITS, () => undefined)).resolves.toMatchObject({
      entries: 40,
    });
    expect(sent).toBe(0);
  });
});

describe("bounds", () => {
  async function* zeros(compressor: NodeJS.ReadWriteStream, gibibytes: number): AsyncGenerator<Uint8Array> {
    const block = Buffer.alloc(16 * 1024 * 1024);
    const header = tarEntry({ path: "zeros", size: gibibytes * 1024 ** 3 });
    const write = async (): Promise<void> => {
      compressor.write(header);
      for (let i = 0; i < gibibytes * 64; i++) {
        if (!compressor.write(block)) await new Promise((resolve) => compressor.once("drain", resolve));
      }
      compressor.end(Buffer.alloc(1024));
    };
    const written = write();
    for await (const chunk of compressor) yield chunk as Buffer;
    await written;
  }

  async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const chunk of stream) parts.push(chunk);
    return Buffer.concat(parts);
  }

  test("gzip of zeros beyond 1 GiB passes: it can do no harm but time", async () => {
    const stored = await collect(zeros(createGzip({ level: 9 }), 2));
    expect(stored.length).toBeLessThan(2.2 * 1024 * 1024);
    const { summary } = await read(stored);
    expect(summary.bytes).toBeGreaterThan(2 * 1024 ** 3);
  });

  test("a zstd bomb is stopped by its ratio", async () => {
    const gibibyte = zstdCompressSync(Buffer.alloc(256 * 1024 * 1024));
    const bomb = Buffer.concat([
      zstdCompressSync(tarEntry({ path: "zeros", size: 4 * 1024 ** 3 })),
      ...Array.from({ length: 16 }, () => gibibyte),
    ]);
    await expect(read(bomb)).rejects.toMatchObject({
      code: "LAYER_LIMIT",
      message: expect.stringContaining("maxRatio"),
    });
  });

  test("uncompressed bytes and entries are bounded", async () => {
    await expect(read(forms.gzip, { maxLayerBytes: 100_000 })).rejects.toMatchObject({
      code: "LAYER_LIMIT",
      message: expect.stringContaining("maxLayerBytes"),
    });
    await expect(read(forms.gzip, { maxEntries: 39 })).rejects.toMatchObject({
      code: "LAYER_LIMIT",
      message: expect.stringContaining("maxEntries"),
    });
  });

  test("a zstd window beyond the limit is refused before it is made", async () => {
    // Frame header (RFC 8878, 3.1.1.1): no single segment, window descriptor with exponent 21, which is 2 GiB.
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00]);
    await expect(read(frame)).rejects.toMatchObject({
      code: "LAYER_LIMIT",
      message: expect.stringContaining("zstdWindowLog"),
    });
  });

  test("problems are bounded", async () => {
    const odd = makeTar(Array.from({ length: 50 }, (_, i) => ({ path: `../${i}` })));
    const { problems } = await read(odd, { maxProblems: 10 });
    expect(problems).toHaveLength(11);
    expect(problems.at(-1)).toContain("not listed");
  });
});

test("what the visitor throws comes out of the reading", async () => {
  const layer = { what: "layer 0", digest: "", diffId: "", size: forms.gzip.length, mediaType: "" };
  const failing = (): undefined => {
    throw new TypeError("the visitor's own");
  };
  await expect(readLayerStream(inPieces(forms.gzip), layer, DEFAULT_LIMITS, failing)).rejects.toThrow(
    "the visitor's own",
  );
});

test("an aborted signal ends the reading", async () => {
  const controller = new AbortController();
  const layer = { what: "layer 0", digest: "", diffId: "", size: tar.length, mediaType: "" };
  const reading = readLayerStream(inPieces(tar), layer, DEFAULT_LIMITS, () => undefined, {
    signal: controller.signal,
    onBytes: () => controller.abort(),
  });
  await expect(reading).rejects.toMatchObject({ code: "CANCELLED" });
});

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LayerEntry } from "@bulwark/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, type Limits } from "../limits.ts";
import { makeTar, type TarInput, tarEntry } from "../testing/tar-writer.ts";
import { TarReader } from "./tar-reader.ts";

interface ReadTar {
  readonly entries: LayerEntry[];
  readonly contents: Record<string, Buffer>;
  readonly problems: string[];
  readonly incomplete: string[];
}

function read(tar: Uint8Array, chunkSize = 65_536, limits: Partial<Limits> = {}, whiteouts = true): ReadTar {
  const result: ReadTar = { entries: [], contents: {}, problems: [], incomplete: [] };
  const reader = new TarReader(
    (entry) => {
      result.entries.push(entry);
      const parts: Buffer[] = [];
      return {
        write: (chunk) => parts.push(Buffer.from(chunk)),
        end: (complete) => {
          result.contents[entry.path] = Buffer.concat(parts);
          if (!complete) result.incomplete.push(entry.path);
        },
      };
    },
    {
      limits: { ...DEFAULT_LIMITS, ...limits },
      whiteouts,
      onProblem: (path, what) => result.problems.push(`${path}: ${what}`),
    },
  );
  for (let at = 0; at < tar.length; at += chunkSize) reader.write(tar.subarray(at, at + chunkSize));
  reader.end();
  return result;
}

function paths(inputs: readonly TarInput[], limits: Partial<Limits> = {}): string[] {
  return read(makeTar(inputs), 65_536, limits).entries.map((entry) => entry.path);
}

describe("what a writer wrote is read back", () => {
  const part = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .map((text) => text.replaceAll(/[/\0]/g, "_").normalize().toWellFormed())
    .filter(
      (text) => text !== "." && text !== ".." && !text.startsWith(".wh.") && !/[\u{10ff00}-\u{10ffff}]/u.test(text),
    );
  const path = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join("/"));
  const input = fc.record({
    path,
    content: fc.uint8Array({ maxLength: 1_500 }),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 2 ** 31 }),
    gid: fc.integer({ min: 0, max: 0o777777 }),
    base256: fc.boolean(),
    gnu: fc.boolean(),
    signedChecksum: fc.boolean(),
  });

  test("whatever the names, sizes, extensions and chunk borders", () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 8 }), fc.integer({ min: 1, max: 5_000 }), (inputs, chunkSize) => {
        const result = read(makeTar(inputs), chunkSize);
        expect(result.problems).toEqual([]);
        expect(result.entries).toEqual(
          inputs.map(({ path: name, content, mode, uid, gid }) => ({
            path: name,
            kind: "file",
            size: content.length,
            mode,
            uid,
            gid,
            linkTarget: "",
          })),
        );
        const last = new Map(inputs.map(({ path: name, content }) => [name, Buffer.from(content)]));
        expect(new Map(Object.entries(result.contents))).toEqual(last);
      }),
      { numRuns: 150 },
    );
  });

  test("whatever is cut off or changed, it ends in entries, problems or a coded error", () => {
    const whole = makeTar([
      { path: "a".repeat(150), content: "x".repeat(700) },
      { path: "b", type: "2", linkTarget: "c".repeat(120), gnu: true },
      { path: "d/" },
    ]);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        try {
          for (const entry of read(bytes.subarray(0, length)).entries)
            expect(entry.path).not.toMatch(/^\/|(^|\/)\.\.(\/|$)/);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^LAYER_(TORN|INVALID|LIMIT)$/) });
        }
      }),
      { numRuns: 500 },
    );
  });

  test("two different names never become one text", () => {
    const name = fc
      .uint8Array({ minLength: 1, maxLength: 6 })
      .filter((bytes) => !bytes.some((byte) => byte === 0 || byte === 0x2f || byte === 0x2e));
    fc.assert(
      fc.property(name, name, (a, b) => {
        const [first, second] = paths([{ path: a }, { path: b }]);
        expect(first === second).toBe(Buffer.from(a).equals(Buffer.from(b)));
        expect(Buffer.from(first!).toString()).toBe(first);
      }),
      { numRuns: 500 },
    );
  });
});

describe("names are made safe", () => {
  test.each([
    ["../../etc/passwd", "etc/passwd", "leaves the root"],
    ["/etc/shadow", "etc/shadow", "absolute"],
    ["a/../../b", "b", "leaves the root"],
    ["a/./b//c/", "a/b/c", ""],
    ["./usr/bin/x", "usr/bin/x", ""],
    ["a/../b", "b", "contains `..`"],
    ["..x/...", "..x/...", ""],
  ])("%s becomes %s", (name, path, problem) => {
    const result = read(makeTar([{ path: name }]));
    expect(result.entries.map((entry) => entry.path)).toEqual([path]);
    if (problem === "") expect(result.problems).toEqual([]);
    else expect(result.problems.join()).toContain(problem);
  });

  test("a hard link's target cannot leave the root, a symbolic link's is told as written", () => {
    const result = read(
      makeTar([
        { path: "h", type: "1", linkTarget: "../../etc/shadow" },
        { path: "s", type: "2", linkTarget: "../../etc/shadow" },
      ]),
    );
    expect(result.entries.map((entry) => [entry.kind, entry.linkTarget])).toEqual([
      ["hardlink", "etc/shadow"],
      ["symlink", "../../etc/shadow"],
    ]);
    expect(result.problems).toHaveLength(1);
  });

  test("links in a loop are entries like any others", () => {
    expect(
      paths([
        { path: "a", type: "2", linkTarget: "b" },
        { path: "b", type: "2", linkTarget: "a" },
        { path: "c", type: "1", linkTarget: "c" },
      ]),
    ).toEqual(["a", "b", "c"]);
  });

  test("a path longer than any system can hold is left out and told", () => {
    const result = read(makeTar([{ path: `${"x/".repeat(3_000)}y` }, { path: "z" }]));
    expect(result.entries.map((entry) => entry.path)).toEqual(["z"]);
    expect(result.problems).toHaveLength(1);
  });
});

describe("whiteouts", () => {
  test("remove a path, hide a directory's content, and cannot name what is outside", () => {
    const result = read(
      makeTar([
        { path: "a/.wh.b" },
        { path: "a/c/.wh..wh..opq" },
        { path: ".wh..wh.plnk/x" },
        { path: ".wh..wh.aufs" },
        { path: "d/.wh..." },
        { path: ".wh." },
      ]),
    );
    expect(result.entries.map((entry) => [entry.kind, entry.path])).toEqual([
      ["whiteout", "a/b"],
      ["opaque", "a/c"],
      ["file", ".wh..wh.plnk/x"],
    ]);
    expect(result.problems).toHaveLength(2);
  });

  test("are plain files in archives that are no layers", () => {
    expect(read(makeTar([{ path: ".wh.a" }]), 512, {}, false).entries[0]?.kind).toBe("file");
  });
});

describe("extensions", () => {
  test("a broken PAX record is told and the rest of the header counts", () => {
    const broken = Buffer.concat([
      tarEntry({ path: "PaxHeaders/x", type: "x", content: "12 size=1\nbroken" }),
      makeTar([{ path: "plain", content: "abc" }]),
    ]);
    const result = read(broken);
    expect(result.entries.map((entry) => entry.path)).toEqual(["plain"]);
    expect(result.problems.join()).toContain("broken PAX record");
  });

  test("a NUL in a PAX path does not end up in the name", () => {
    const result = read(makeTar([{ path: "safe", pax: { path: "evil\0.txt" } }]));
    expect(result.entries.map((entry) => entry.path)).toEqual(["safe"]);
    expect(result.problems.join()).toContain("NUL");
  });

  test("a global header does not rename what follows", () => {
    const tar = Buffer.concat([
      tarEntry({ path: "pax_global_header", type: "g", content: "16 path=renamed\n" }),
      makeTar([{ path: "kept" }]),
    ]);
    const result = read(tar);
    expect(result.entries.map((entry) => entry.path)).toEqual(["kept"]);
    expect(result.problems).toHaveLength(1);
  });

  test.each(["x", "L", "K"])(
    "an extended header of type %s that claims gigabytes is refused before it is read",
    (type) => {
      const header = tarEntry({ path: "big", type, size: 4 * 1024 ** 3 });
      expect(() => read(header)).toThrow(expect.objectContaining({ code: "LAYER_LIMIT" }));
    },
  );

  test("endless extended headers count as entries", () => {
    const tar = Buffer.concat(
      Array.from({ length: 20 }, () => tarEntry({ path: "x", type: "x", content: "9 uid=10\n" })),
    );
    expect(() => read(tar, 65_536, { maxEntries: 10 })).toThrow(expect.objectContaining({ code: "LAYER_LIMIT" }));
  });

  test("a size beyond what numbers hold, or below zero, is refused", () => {
    const patch = (fill: number) => (header: Buffer) => void header.fill(fill, 125, 136).fill(0xff, 124, 125);
    expect(() => read(makeTar([{ path: "a", patch: patch(0xfe) }]))).toThrow(
      expect.objectContaining({ code: "LAYER_INVALID" }),
    );
    expect(() =>
      read(makeTar([{ path: "a", patch: (header) => void header.fill(0x7f, 125, 136).fill(0x80, 124, 125) }])),
    ).toThrow(expect.objectContaining({ code: "LAYER_INVALID" }));
  });

  test("entries of unknown type are left out and told, links and devices have no content whatever they claim", () => {
    const result = read(
      makeTar([
        { path: "v", type: "V", content: "x" },
        { path: "l", type: "1", linkTarget: "a", size: 512 },
        { path: "d", type: "3", size: 1024 },
        { path: "f", type: "6" },
      ]),
    );
    expect(result.entries.map((entry) => [entry.path, entry.kind, entry.size])).toEqual([
      ["l", "hardlink", 0],
      ["d", "device", 0],
      ["f", "fifo", 0],
    ]);
    expect(result.problems).toHaveLength(1);
  });
});

describe("ends", () => {
  const tar = makeTar([{ path: "a", content: "x".repeat(1_000) }]);

  test("content cut in two is told to its sink and thrown", () => {
    expect(() => read(tar.subarray(0, 900))).toThrow(expect.objectContaining({ code: "LAYER_TORN" }));
  });

  test("a missing end marker is tolerated", () => {
    expect(read(tar.subarray(0, tar.length - 1024)).entries).toHaveLength(1);
  });

  test("what follows the end is no entry, and told when it is not zeros", () => {
    const result = read(Buffer.concat([tar, Buffer.alloc(4096), makeTar([{ path: "hidden" }])]));
    expect(result.entries.map((entry) => entry.path)).toEqual(["a"]);
    expect(result.problems.join()).toContain("after the end");
  });

  test("a header with a wrong checksum is no header", () => {
    const bad = Buffer.from(tar);
    bad[0] = 0x62;
    expect(() => read(bad)).toThrow(expect.objectContaining({ code: "LAYER_INVALID" }));
  });
});

describe("sparse files, as GNU tar writes them", () => {
  function sparseTar(format: readonly string[], size: number): Buffer {
    const directory = mkdtempSync(join(tmpdir(), "sparse-"));
    try {
      const file = join(directory, "holes");
      writeFileSync(file, "start");
      truncateSync(file, size);
      writeFileSync(join(directory, "after"), "after");
      execFileSync("dd", ["if=/dev/zero", `of=${file}`, "bs=1", `seek=${size - 3}`, "count=0", "status=none"]);
      truncateSync(file, size);
      execFileSync("sh", [
        "-c",
        'printf end | dd of="$1" bs=1 seek="$2" conv=notrunc status=none',
        "sh",
        file,
        String(size - 3),
      ]);
      return execFileSync("tar", ["-C", directory, "-S", ...format, "-cf", "-", "holes", "after"], {
        maxBuffer: 64 * 1024 * 1024,
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  const formats = [
    "--format=gnu",
    "--format=pax --sparse-version=0.0",
    "--format=pax --sparse-version=0.1",
    "--format=pax --sparse-version=1.0",
  ];

  test.each(formats)("%s gives the file with its holes as zeros", (format) => {
    const size = 3 * 1024 * 1024;
    const result = read(sparseTar(format.split(" "), size), 1_000);
    expect(result.entries.map((entry) => [entry.path, entry.size])).toEqual([
      ["holes", size],
      ["after", 5],
    ]);
    const expected = Buffer.alloc(size);
    expected.write("start");
    expected.write("end", size - 3);
    expect(result.contents.holes!.equals(expected)).toBe(true);
    expect(result.contents.after!.toString()).toBe("after");
    expect(result.problems).toEqual([]);
  });

  test("an 8 GB file of holes is not written out as zeros", () => {
    const result = read(sparseTar(["--format=pax", "--sparse-version=1.0"], 8 * 1024 ** 3));
    expect(result.entries[0]!.size).toBeLessThan(100_000);
    expect(result.contents.after!.toString()).toBe("after");
    expect(result.problems.join()).toContain("sparse file of 8589934592 bytes");
  });

  test.each([
    ["overlapping pieces", "2,0,100,50,100"],
    ["pieces past the end", "1,998,5"],
    ["bytes that are not stored", "1,0,7"],
  ])("%s are refused", (_, map) => {
    const pax = {
      "GNU.sparse.map": map.split(",").slice(1).join(","),
      "GNU.sparse.size": "1000",
      "GNU.sparse.name": "s",
    };
    expect(() => read(makeTar([{ path: "x", content: "12345", pax }]))).toThrow(
      expect.objectContaining({ code: "LAYER_INVALID" }),
    );
  });
});

test("a million entries pass at a speed that is bounded by headers, and one more than the limit does not", () => {
  const block = Buffer.concat(
    Array.from({ length: 1_000 }, (_, index) => tarEntry({ path: `usr/share/d/file-${index}` })),
  );
  const count = (limit: number): number => {
    const reader = new TarReader(() => undefined, {
      limits: { ...DEFAULT_LIMITS, maxEntries: limit },
      whiteouts: true,
      onProblem: () => undefined,
    });
    for (let i = 0; i < 1_000; i++) reader.write(block);
    reader.end();
    return reader.entries;
  };
  expect(count(1_000_000)).toBe(1_000_000);
  expect(() => count(999_999)).toThrow(expect.objectContaining({ code: "LAYER_LIMIT" }));
});

import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { ContentFile, ContentScanner, LayerReport, RemoteScanner } from "@bulwark/model";
import { describe, expect, test } from "vitest";
import { analyzeLayer, type LayerPass } from "./analyze-layer.ts";
import { mergeLayers } from "./merge-layers.ts";
import { PIECE_BYTES } from "./pieces.ts";
import { type ContentOptions, scannerSet } from "./scanner-set.ts";
import { SMALL_FILE_BYTES, sharedScratch } from "./scratch.ts";
import { findTampered } from "./tampering.ts";
import { playing, type TestEntry } from "./testing/playing.ts";

const text = (content: string) => new TextEncoder().encode(content);
const md5 = (content: string) => createHash("md5").update(content).digest("hex");

/** Finds the word "bad" and tells which files it was given. */
function badWord(seen: string[] = [], maxBytes = 1_000): ContentScanner {
  return {
    id: "bad-word",
    version: "1",
    maxBytes,
    wants: ({ path }) => !path.endsWith(".skip"),
    wantsDigest: () => true,
    scan: ({ path, bytes, sha256, sizeBytes }) => {
      seen.push(path);
      const content = new TextDecoder().decode(bytes);
      if (sizeBytes <= maxBytes) expect(sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
      return { facts: content.includes("bad") ? [badFact] : [] };
    },
  };
}
const badFact = { kind: "malware", id: "bad", severity: "high", title: "bad", advice: "Remove it." } as const;

async function analyze(
  entries: readonly TestEntry[],
  content: ContentOptions,
  pieceBytes = 7,
  onPass = () => {},
): Promise<LayerReport> {
  return analyzeLayer(playing(entries, pieceBytes, onPass), scannerSet(content), sharedScratch().forLayer());
}

const file = (path: string, content: string): TestEntry => ({ path, content: text(content) });
const foundIn = (report: LayerReport) =>
  report.files.filter(({ content = [] }) => content.length > 0).map(({ path }) => path);

test("a content scanner gets every file it wants, and what it finds is in the report", async () => {
  const seen: string[] = [];
  const report = await analyze([file("app/a", "good"), file("app/b", "a bad one"), file("app/c.skip", "bad")], {
    scanners: [badWord(seen)],
  });
  expect(seen).toEqual(["app/a", "app/b"]);
  expect(foundIn(report)).toEqual(["app/b"]);
});

test("a file that a package of the layer vouches for by digest is not looked at, one it does not vouch for is", async () => {
  const sums = `${md5("bad ls")}  usr/bin/ls\n${md5("other")}  usr/bin/cat\n${md5("bad sh")}  bin/sh\n`;
  const entries = [
    file("usr/bin/ls", "bad ls"),
    file("usr/bin/cat", "bad cat"),
    file("usr/bin/sh", "bad sh"),
    file("usr/bin/new", "bad new"),
    file("var/lib/dpkg/info/tools.md5sums", sums),
  ];
  let passes = 0;
  const report = await analyze(entries, { scanners: [badWord()] }, 7, () => passes++);
  expect(foundIn(report)).toEqual(["usr/bin/cat", "usr/bin/new"]);
  expect(passes).toBe(2);
  const distrusting = await analyze(entries, { scanners: [badWord()], trustPackages: false });
  expect(foundIn(distrusting)).toEqual(["usr/bin/ls", "usr/bin/cat", "usr/bin/sh", "usr/bin/new"]);
});

test("what programs of packages generate is looked at in the first pass, and no second one is made for it", async () => {
  const generated = ["usr/share/info/dir", "usr/lib/python3/dist-packages/__pycache__/a.cpython-311.pyc"];
  const sums = `${md5("bad ls")}  usr/bin/ls\n`;
  const entries = [
    file("usr/bin/ls", "bad ls"),
    ...generated.map((path) => file(path, "bad")),
    file("var/lib/dpkg/info/tools.md5sums", sums),
  ];
  let passes = 0;
  const report = await analyze(entries, { scanners: [badWord()] }, 7, () => passes++);
  expect(foundIn(report)).toEqual(generated);
  expect(passes).toBe(1);
});

test("a layer that reads small files again leaves the large buffer to the others", async () => {
  const scratch = sharedScratch();
  const other = scratch.forLayer();
  const free: boolean[] = [];
  const pass = playing([file("usr/bin/new", "bad new")], 7, () => {
    const large = other.tryTake(2 * SMALL_FILE_BYTES);
    free.push(large !== undefined);
    large?.release();
  });
  await analyzeLayer(pass, scannerSet({ scanners: [badWord()] }), scratch.forLayer());
  expect(free).toEqual([true, true]);
});

test("a diversion tells nothing of a file's content: what lies in its place is looked at", async () => {
  const entries = [
    file("usr/bin/miner", "bad"),
    file("var/lib/dpkg/diversions", "/usr/bin/miner\n/usr/bin/miner.distrib\n:\n"),
  ];
  expect(foundIn(await analyze(entries, { scanners: [badWord()] }))).toEqual(["usr/bin/miner"]);
});

test("a NUL in a package's list neither forges other entries nor keeps the scan from ending", async () => {
  const sums = `${md5("x")}  usr/bin/a\0md5:\0db\x001e300\0usr/bin/miner\0md5:${md5("bad")}\n`;
  const list = "/usr/bin/a\0db\x001e300\0/usr/bin/b\n";
  const entries = [
    file("usr/bin/miner", "bad"),
    file("var/lib/dpkg/info/x.md5sums", sums),
    file("var/lib/dpkg/info/x.list", list),
  ];
  const report = await analyze(entries, { scanners: [badWord()] });
  expect(foundIn(report)).toEqual(["usr/bin/miner"]);
  expect(mergeLayers([report]).content).toHaveLength(1);
  expect(findTampered([report])).toEqual([]);
});

test("of a file over the bound the first part is read, and the report says so", async () => {
  const long = { path: "app/long", content: new Uint8Array(2 * PIECE_BYTES).fill(0x20) };
  long.content.set(text("bad"), 2 * PIECE_BYTES - 3);
  const report = await analyze([long], { scanners: [badWord([], 1_000)] }, 1 << 20);
  expect(foundIn(report)).toEqual([]);
  expect(report.files.map(({ path, problems }) => ({ path, problems }))).toEqual([
    { path: "app/long", problems: [`bad-word read the first 1000 of its ${2 * PIECE_BYTES} bytes`] },
  ]);
});

describe("a large file", () => {
  /** Finds every line that holds the word, and keeps what it was given. */
  function lineFinder(given: Omit<ContentFile, "bytes">[], whole = false): ContentScanner {
    return {
      ...badWord([], 1 << 30),
      wantsWhole: () => whole,
      scan({ bytes, ...rest }) {
        given.push({ ...rest, head: Uint8Array.from(rest.head) });
        const lines = Buffer.from(bytes).toString("latin1").split("\n");
        return {
          facts: lines.flatMap((line, at) =>
            line.includes("bad") ? [{ ...badFact, line: at + 1, detail: line }] : [],
          ),
        };
      },
    };
  }
  const LINE = 64;
  const lines = Math.ceil((2.5 * PIECE_BYTES) / LINE);
  const content = Buffer.alloc(lines * LINE, `${".".repeat(LINE - 1)}\n`);
  /** In the first piece, across its end, in the overlap, and in the last line. */
  const places = [0, PIECE_BYTES / LINE - 1, (PIECE_BYTES - 32 * 1024) / LINE, lines - 1];
  for (const place of places) content.write(`bad ${place}`, place * LINE + 10);
  const expected = places.map((place) => place + 1).toSorted((x, y) => x - y);

  test.each([false, true])("in pieces or whole (%s) gives each finding once, with its line", async (whole) => {
    const given: Omit<ContentFile, "bytes">[] = [];
    const large = { path: "app/large", content };
    const report = await analyze([large], { scanners: [lineFinder(given, whole)] }, 1 << 20);
    const found = mergeLayers([report]).content.map(({ fact }) => fact.line ?? 0);
    expect(found.toSorted((x, y) => x - y)).toEqual(expected);
    expect(given.length).toBe(whole ? 1 : 3);
    expect(given.at(-1)?.sha256).toBe(createHash("sha256").update(content).digest("hex"));
    expect(given.slice(0, -1).every(({ sha256 }) => sha256 === undefined)).toBe(true);
    for (const { head, sizeBytes } of given) {
      expect(Buffer.from(head)).toEqual(content.subarray(0, head.length));
      expect(sizeBytes).toBe(content.length);
    }
  });

  test.each([false, true])("in pieces or whole (%s) is hashed only where a scanner asks for it", async (whole) => {
    const given: Omit<ContentFile, "bytes">[] = [];
    const asked: number[] = [];
    const wantsDigest = (sizeBytes: number) => {
      asked.push(sizeBytes);
      return false;
    };
    await analyze(
      [{ path: "app/large", content }],
      { scanners: [{ ...lineFinder(given, whole), wantsDigest }] },
      1 << 20,
    );
    expect(new Set(asked)).toEqual(new Set([content.length]));
    expect(given.map(({ sha256 }) => sha256)).toEqual(given.map(() => undefined));
  });

  test("that is a program is read whole by its analyzers and in pieces by the scanners", async () => {
    const program = Buffer.from(content);
    program.set([0x7f, 0x45, 0x4c, 0x46]);
    const given: Omit<ContentFile, "bytes">[] = [];
    const report = await analyze(
      [{ path: "app/program", content: program }],
      { scanners: [lineFinder(given)] },
      1 << 20,
    );
    expect(given.map(({ offset }) => offset)).toEqual([0, PIECE_BYTES - 65_536, 2 * (PIECE_BYTES - 65_536)]);
    expect(mergeLayers([report]).content).toHaveLength(expected.length);
  });

  test("that the layer cuts short is never told as whole", async () => {
    const given: Omit<ContentFile, "bytes">[] = [];
    const cut: LayerPass = async (visit) => {
      const sink = visit({
        path: "app/x",
        kind: "file",
        size: content.length,
        mode: 0o644,
        uid: 0,
        gid: 0,
        linkTarget: "",
      });
      sink?.write(content.subarray(0, content.length - 1));
      sink?.end(false);
      return { diffId: "sha256:0", entries: 1, bytes: 0 };
    };
    await analyzeLayer(cut, scannerSet({ scanners: [lineFinder(given)] }), sharedScratch().forLayer());
    expect(given.every(({ sha256 }) => sha256 === undefined)).toBe(true);
  });
});

test("a scanner that fails costs its own findings in one file", async () => {
  const failing: ContentScanner = {
    ...badWord(),
    id: "failing",
    scan: () => {
      throw new Error("cannot go on");
    },
  };
  const report = await analyze([file("app/b", "bad")], { scanners: [failing, badWord()] });
  expect(foundIn(report)).toEqual(["app/b"]);
  expect(report.files.flatMap(({ problems }) => problems)).toEqual(["failing could not read it: cannot go on"]);
});

test("a scanner of another process gets its own copy, and its late answers are in the report", async () => {
  const given: string[] = [];
  const slow: RemoteScanner = {
    id: "slow",
    version: "1",
    maxBytes: 100,
    wants: () => true,
    async scan({ bytes, path }: ContentFile) {
      await delay(1);
      given.push(`${path}=${new TextDecoder().decode(bytes)}`);
      return { facts: [badFact] };
    },
  };
  const report = await analyze([file("app/a", "first"), file("app/b", "second")], { remote: [slow] });
  expect(given.toSorted()).toEqual(["app/a=first", "app/b=second"]);
  expect(foundIn(report).toSorted()).toEqual(["app/a", "app/b"]);
});

test("more than fits on the way to another process comes again, each file once", async () => {
  const large = new Uint8Array(20 * 1024 * 1024);
  const given: string[] = [];
  const slow: RemoteScanner = {
    id: "slow",
    version: "1",
    maxBytes: large.length,
    wants: () => true,
    async scan({ path }) {
      await delay(1);
      given.push(path);
      return {};
    },
  };
  const entries = ["app/a", "app/b", "app/c"].map((path) => ({ path, content: large }));
  await analyzeLayer(playing(entries, 1 << 20), scannerSet({ remote: [slow] }), sharedScratch().forLayer());
  expect(given.toSorted()).toEqual(["app/a", "app/b", "app/c"]);
});

async function layersOf(...layers: readonly (readonly TestEntry[])[]): Promise<readonly LayerReport[]> {
  return Promise.all(layers.map((entries) => analyze(entries, { scanners: [badWord()] })));
}

test("what a later layer deletes or replaces is still found, with the layer that hides it", async () => {
  const layers = await layersOf(
    [file("app/gone", "bad"), file("app/replaced", "bad"), file("app/touched", "bad")],
    [file("app/replaced", "good"), file("app/touched", "bad")],
    [{ path: "app/gone", kind: "whiteout" }],
  );
  const found = mergeLayers(layers).content.map(({ path, layer, removedIn }) => ({ path, layer, removedIn }));
  expect(found).toEqual([
    { path: "app/replaced", layer: 0, removedIn: 1 },
    { path: "app/touched", layer: 0, removedIn: undefined },
    { path: "app/gone", layer: 0, removedIn: 2 },
  ]);
});

const SUMS = "var/lib/dpkg/info/tools.md5sums";
const sumsOf = (files: Readonly<Record<string, string>>) =>
  Object.entries(files)
    .map(([path, content]) => `${md5(content)}  ${path}\n`)
    .join("");

test("a program that a later layer replaces is tampering, on the layer that did it", async () => {
  const layers = await layersOf(
    [
      file("usr/bin/ssh", "true"),
      file("usr/bin/ls", "ls"),
      file(SUMS, sumsOf({ "usr/bin/ssh": "true", "bin/ls": "ls" })),
    ],
    [file("usr/bin/ssh", "false"), file("usr/local/bin/ssh", "mine")],
  );
  expect(findTampered(layers).map(({ path, layer, fact }) => [path, layer, fact.severity])).toEqual([
    ["usr/bin/ssh", 1, "high"],
  ]);
});

test("a program that is a link to elsewhere, and one that came changed, are tampering; upgrades and diversions are not", async () => {
  const layers = await layersOf(
    [
      file("usr/bin/ssh", "true"),
      file("usr/bin/changed", "other"),
      file("usr/bin/upgraded", "old"),
      file("bin/sh", "dash"),
      file(
        SUMS,
        sumsOf({ "usr/bin/ssh": "true", "usr/bin/changed": "same", "usr/bin/upgraded": "old", "bin/sh": "bash" }),
      ),
      file("var/lib/dpkg/diversions", "/bin/sh\n/bin/sh.distrib\ndash\n"),
    ],
    [
      { path: "usr/bin/ssh", kind: "symlink", linkTarget: "/tmp/ssh" },
      file("usr/bin/upgraded", "new"),
      file(
        SUMS,
        sumsOf({ "usr/bin/ssh": "true", "usr/bin/changed": "same", "usr/bin/upgraded": "new", "bin/sh": "bash" }),
      ),
    ],
  );
  expect(findTampered(layers).map(({ path, layer }) => [path, layer])).toEqual([
    ["usr/bin/changed", 0],
    ["usr/bin/ssh", 1],
  ]);
});

test("records of a database that is gone accuse nobody", async () => {
  const layers = await layersOf(
    [file("usr/bin/ssh", "true"), file(SUMS, sumsOf({ "usr/bin/ssh": "true" }))],
    [{ path: SUMS, kind: "whiteout" }, file("usr/bin/ssh", "mine")],
  );
  expect(findTampered(layers)).toEqual([]);
});

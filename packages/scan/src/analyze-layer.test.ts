import type { Analyzer } from "@bulwark/model";
import { expect, test } from "vitest";
import { analyzeLayer, type LayerPass } from "./analyze-layer.ts";
import { readPathList } from "./path-list.ts";
import { LARGE_FILE_BYTES, SMALL_FILE_BYTES, sharedScratch } from "./scratch.ts";
import { fact } from "./testing/layers.ts";
import { playing, type TestEntry } from "./testing/playing.ts";

const text = (content: string) => new TextEncoder().encode(content);

/** Tells a package named by the content of every `*.pkg`, and one for every ELF file. */
const named: Analyzer = {
  id: "named",
  version: 1,
  wants: ["**/*.pkg"],
  read: ({ path, bytes }) => ({ packages: [fact(`${path}=${new TextDecoder().decode(bytes.subarray(0, 20))}`)] }),
};
const elf: Analyzer = { ...named, id: "elf", wants: ["executable"], maxBytes: LARGE_FILE_BYTES };
const set = {
  wantedBy: (path: string) => (path.endsWith(".pkg") ? [named] : []),
  executable: [elf],
  scanners: [],
  remote: [],
  trustPackages: true,
  isNotable: undefined,
  key: "test",
};

async function namesIn(entries: readonly TestEntry[], pieceBytes?: number): Promise<readonly string[]> {
  const report = await analyzeLayer(playing(entries, pieceBytes), set, sharedScratch().forLayer());
  return report.files.flatMap((file) => file.packages.map(({ name }) => name));
}

test("a wanted file reaches its analyzer whole, however it is cut into pieces", async () => {
  for (const pieceBytes of [1, 2, 3, 100]) {
    expect(await namesIn([{ path: "a.pkg", content: text("hello") }], pieceBytes)).toEqual(["a.pkg=hello"]);
  }
});

test("an ELF file is recognised by its first bytes, however they are cut", async () => {
  const content = new Uint8Array(100).fill(65);
  content.set([0x7f, 0x45, 0x4c, 0x46]);
  for (const pieceBytes of [1, 3, 4, 5, 100]) {
    expect(
      await namesIn(
        [
          { path: "bin/x", content },
          { path: "bin/y", content: content.slice(1) },
        ],
        pieceBytes,
      ),
    ).toEqual([`bin/x=\x7fELF${"A".repeat(16)}`]);
  }
});

test("a hard link with a wanted name is read in a second pass", async () => {
  let passes = 0;
  const entries: TestEntry[] = [
    { path: "store/ab12", content: text("linked") },
    { path: "app/x.pkg", kind: "hardlink", linkTarget: "store/ab12" },
    { path: "app/y.pkg", kind: "hardlink", linkTarget: "store/ab12" },
  ];
  const pass = playing(entries, 3, () => passes++);
  const report = await analyzeLayer(pass, set, sharedScratch().forLayer());
  expect(report.files.map(({ packages }) => packages[0]?.name)).toEqual(["app/x.pkg=linked", "app/y.pkg=linked"]);
  expect(passes).toBe(2);
});

test("large files of several layers take turns with one buffer and are all read", async () => {
  const content = new Uint8Array(SMALL_FILE_BYTES + 1).fill(66);
  const scratch = sharedScratch();
  const layers = ["a", "b", "c"].map((name) =>
    analyzeLayer(playing([{ path: `${name}.pkg`, content }], 1 << 20), set, scratch.forLayer()),
  );
  const names = (await Promise.all(layers)).map((report) => report.files[0]?.packages[0]?.name);
  expect(names).toEqual([`a.pkg=${"B".repeat(20)}`, `b.pkg=${"B".repeat(20)}`, `c.pkg=${"B".repeat(20)}`]);
});

test("a large file is read later when another layer holds the buffer, and a failed layer gives it back", async () => {
  const content = new Uint8Array(SMALL_FILE_BYTES + 1).fill(66);
  const scratch = sharedScratch();
  const failing: LayerPass = async (visit) => {
    visit({ path: "x.pkg", kind: "file", size: content.length, mode: 0, uid: 0, gid: 0, linkTarget: "" });
    await second.started;
    throw new Error("torn");
  };
  const second = withResolvers();
  const torn = analyzeLayer(failing, set, scratch.forLayer());
  const other = analyzeLayer(playing([{ path: "y.pkg", content }], 1 << 20, second.start), set, scratch.forLayer());
  await expect(torn).rejects.toThrow("torn");
  expect((await other).files).toHaveLength(1);
});

function withResolvers(): { readonly started: Promise<void>; start(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { started: promise, start: resolve };
}

test("a file over the analyzer's bound is a problem and is not read", async () => {
  const huge: LayerPass = async (visit) => {
    const entry = { path: "a.pkg", kind: "file", size: 2 ** 40, mode: 0, uid: 0, gid: 0, linkTarget: "" } as const;
    expect(visit(entry)).toBeUndefined();
    return { diffId: "", entries: 1, bytes: 0 };
  };
  const report = await analyzeLayer(huge, set, sharedScratch().forLayer());
  expect(report.problems).toEqual([
    { path: "a.pkg", what: "not read by named: 1099511627776 bytes are over the limit of 67108864" },
  ]);
});

test("an analyzer that throws becomes a problem of the file", async () => {
  const throwing = { ...named, read: () => JSON.parse("{") };
  const pass = playing([{ path: "a.pkg", content: text("x") }]);
  const report = await analyzeLayer(pass, { ...set, wantedBy: () => [throwing] }, sharedScratch().forLayer());
  expect(report.files[0]?.problems[0]).toMatch(/^named could not read it: .*JSON/);
});

test("every path but directories is listed, whiteouts apart", async () => {
  const entries: TestEntry[] = [
    { path: "etc", kind: "directory" },
    { path: "etc/x" },
    { path: "etc/y", kind: "symlink", linkTarget: "x" },
    { path: "etc/old", kind: "whiteout" },
    { path: "var", kind: "opaque" },
  ];
  const report = await analyzeLayer(playing(entries), set, sharedScratch().forLayer());
  expect([...readPathList(report.paths)]).toEqual(["etc/x", "etc/y"]);
  expect(report.whiteouts).toEqual(["etc/old"]);
  expect(report.opaque).toEqual(["var"]);
});

import { describe, expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage, tornPieces } from "../testing/analyze.ts";
import { makeRpmDatabases, missingRpmTools, ndbOf } from "../testing/rpm-databases.ts";
import { rpm } from "./rpm.ts";

const PATH = "var/lib/rpm/rpmdb.sqlite";
const missing = missingRpmTools();
const FORMATS = ["sqlite", "ndb", "berkeleyLittle", "berkeleyBig"] as const;

/** A header of strings (type 6) and 32-bit numbers (type 4), as rpm lays it out. */
function headerOf(tags: Readonly<Record<number, string | number>>): Uint8Array {
  const entries = Object.entries(tags);
  const index = new DataView(new ArrayBuffer(8 + 16 * entries.length));
  const data: number[] = [];
  for (const [place, [tag, value]] of entries.entries()) {
    const isNumber = typeof value === "number";
    while (isNumber && data.length % 4 !== 0) data.push(0);
    for (const [field, number] of [Number(tag), isNumber ? 4 : 6, data.length, 1].entries()) {
      index.setUint32(8 + 16 * place + 4 * field, number);
    }
    if (isNumber) data.push(0, 0, 0, value);
    else data.push(...new TextEncoder().encode(`${value}\0`));
  }
  index.setUint32(0, entries.length);
  index.setUint32(4, data.length);
  return new Uint8Array([...new Uint8Array(index.buffer), ...data]);
}

describe.skipIf(missing !== "")(
  `the rpm analyzer on databases of the real tools ${missing === "" ? "" : `(missing: ${missing})`}`,
  () => {
    const made = missing === "" ? makeRpmDatabases() : undefined;
    const bytesOf = (format: (typeof FORMATS)[number]) => made![format];

    test.each(FORMATS)("reads from %s what rpm itself lists", (format) => {
      const { packages = [], owns = [], recorded = [], problems } = analyze(rpm, PATH, bytesOf(format));
      expect(problems).toEqual([]);
      const listed = packages.map(({ name, version, arch, source, module }) => {
        const [, epoch, versionAndRelease] = /^(?:(\d+):)?(.*)$/.exec(version)!;
        const sourceFile = `${source?.name}-${source?.version.replace(/^\d+:/, "")}.src.rpm`;
        const label = module === undefined ? "(none)" : `${module}:8060020220523:ad008a3a`;
        return [name, epoch ?? "(none)", versionAndRelease!.replace("-", " "), arch, sourceFile, label].join(" ");
      });
      expect(listed.toSorted()).toEqual(made!.listed);
      expect(made!.listed).toHaveLength(3);
      expect(owns.toSorted()).toEqual(made!.files);
      expect(made!.files).toHaveLength(402);
      expect(recorded.map(({ path, digest }) => `${digest.replace("sha256:", "")} ${path}`).toSorted()).toEqual(
        made!.digests,
      );
      expect(made!.digests).toHaveLength(401); // one of the files is configuration
    });

    test("the Berkeley DB it is tried on is one to rpm's own reader too", () => {
      expect(made!.listedFromBerkeley).toEqual(made!.listed);
    });

    test("keeps licences, and gives the source the epoch of the binary", () => {
      const { packages = [] } = analyze(rpm, PATH, bytesOf("sqlite"));
      expect(packages.find(({ name }) => name === "tiny-many")).toEqual({
        type: "rpm",
        namespace: "",
        name: "tiny-many",
        version: "2:1.2-3.el9",
        source: { name: "tiny", version: "2:1.2-3.el9" },
        arch: "noarch",
        evidence: "installed",
        licenses: ["Apache-2.0 AND BSD-3-Clause"],
      });
    });

    test.each(FORMATS)("%s cut at every sixteenth gives what was whole, and always a problem", (format) => {
      for (const piece of tornPieces(bytesOf(format))) {
        const { packages = [], problems = [] } = analyze(rpm, PATH, piece);
        expect(packages.length).toBeLessThanOrEqual(3);
        expect(problems.length).toBeGreaterThan(0);
        expect(problems.length).toBeLessThanOrEqual(21);
      }
    });

    test.each(FORMATS)("%s with damaged bytes never makes it throw or take long", (format) => {
      expectNoThrowOnDamage(rpm, PATH, bytesOf(format), 300);
    });

    test("pages of SQLite that lead to one another are read once", () => {
      const bytes = Uint8Array.from(bytesOf("sqlite"));
      const view = new DataView(bytes.buffer);
      const pageSize = view.getUint16(16);
      // Every page becomes an interior page whose children are itself and its neighbour.
      for (let start = pageSize; start + pageSize <= bytes.length; start += pageSize) {
        const page = start / pageSize + 1;
        bytes[start] = 5;
        view.setUint16(start + 3, 2);
        view.setUint32(start + 8, page);
        view.setUint16(start + 12, 32);
        view.setUint16(start + 14, 32);
        view.setUint32(start + 32, page + 1);
      }
      const { packages, problems = [] } = analyze(rpm, PATH, bytes);
      expect(packages).toEqual([]);
      expect(problems.some((problem) => problem.includes("used twice"))).toBe(true);
    });
  },
);

describe("the rpm analyzer on databases of hostile make", () => {
  const NAMES = { 1000: "bash", 1001: "5.1.8", 1002: "6.el9", 1022: "x86_64", 1044: "bash-5.1.8-6.el9.src.rpm" };

  test("leaves out imported keys and names packages without a version", () => {
    const key = headerOf({ 1000: "gpg-pubkey", 1001: "a", 1002: "b" });
    const { packages, problems } = analyze(rpm, PATH, ndbOf([key, headerOf(NAMES), headerOf({ 1000: "half" })]));
    expect(packages).toMatchObject([
      { name: "bash", version: "5.1.8-6.el9", source: { name: "bash", version: "5.1.8-6.el9" } },
    ]);
    expect(problems).toEqual(['a package of the rpm database has no usable name or version: "half"']);
  });

  test("the source of a package with a version of its own has the epoch of the source's other packages", () => {
    const source = { 1022: "x86_64", 1044: "perl-5.32.1-480.el9.src.rpm" };
    const libs = headerOf({ ...source, 1000: "perl-libs", 1001: "5.32.1", 1002: "480.el9", 1003: 4 });
    const carp = headerOf({ ...source, 1000: "perl-Carp", 1001: "1.50", 1002: "480.el9" });
    const { packages = [] } = analyze(rpm, PATH, ndbOf([carp, libs]));
    expect(packages.map(({ version, source }) => [version, source?.version])).toEqual([
      ["1.50-480.el9", "4:5.32.1-480.el9"],
      ["4:5.32.1-480.el9", "4:5.32.1-480.el9"],
    ]);
  });

  test("an epoch of zero is not written", () => {
    expect(analyze(rpm, PATH, ndbOf([headerOf({ ...NAMES, 1003: 0 })])).packages?.[0]?.version).toBe("5.1.8-6.el9");
    expect(analyze(rpm, PATH, ndbOf([headerOf({ ...NAMES, 1003: 3 })])).packages?.[0]?.version).toBe("3:5.1.8-6.el9");
  });

  test("many slots on one blob are seen through, so that a small file cannot cause much work", () => {
    const bytes = ndbOf([headerOf({ ...NAMES, 1004: "x".repeat(60_000) })]);
    for (let slot = 48; slot < 4096; slot += 16) bytes.copyWithin(slot, 32, 48);
    const { packages = [], problems } = analyze(rpm, PATH, bytes);
    expect(packages.length).toBeLessThanOrEqual(2);
    expect(problems).toEqual(["records of the rpm database overlap, the rest was not read"]);
  });

  test.each([
    ["counts beyond the blob", new Uint8Array([0, 0, 255, 255, 255, 255, 255, 255, 0])],
    ["more entries than rpm allows", new Uint8Array([255, 255, 255, 255, 0, 0, 0, 0])],
    ["nothing at all", new Uint8Array(0)],
  ])("a header with %s is a problem", (_, header) => {
    const { packages, problems } = analyze(rpm, PATH, ndbOf([header, headerOf(NAMES)]));
    expect(packages).toHaveLength(1);
    expect(problems).toEqual(["a package header of the rpm database is damaged"]);
  });

  test.each([
    ["", "no known format"],
    ["SQLite format 3\0", "ends within its header"],
    ["RpmP", "ends within its header"],
    [`SQLite format 3\0${"\0".repeat(100)}`, "impossible page size"],
    [`${"\0".repeat(12)}\x61\x15\x06\0${"\0".repeat(100)}`, "impossible page size"],
    [`${"\0".repeat(12)}\x61\x15\x06\0`, "ends within its header"],
  ])("%j is refused in a sentence", (text, sentence) => {
    const { packages, problems } = analyze(rpm, PATH, text);
    expect(packages).toEqual([]);
    expect(problems).toEqual([expect.stringContaining(sentence)]);
  });
});

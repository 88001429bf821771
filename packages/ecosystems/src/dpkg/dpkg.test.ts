import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage, tornPieces } from "../testing/analyze.ts";
import { hasTool, runTool } from "../testing/tools.ts";
import { dpkg } from "./dpkg.ts";

const STATUS_PATH = "var/lib/dpkg/status";
const STATUS = `Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl
Version: 3.0.11-1~deb12u2
Description: library
 Version: 9.9 is only a continuation line
 .

Package: bash
Status: install ok installed
Architecture: amd64
Source: bash (5.2.15-2)
Version: 5.2.15-2+b7

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1.0

Package: halfway
Status: install reinstreq half-installed
Version: 1.0

Package: waiting
Status: install ok triggers-awaited
Architecture: all
Version: 2:1.0-1

`;

describe("the dpkg analyzer", () => {
  test("reports packages whose files are there, with their sources", () => {
    expect(analyze(dpkg, STATUS_PATH, STATUS)).toEqual({
      packages: [
        {
          type: "deb",
          namespace: "",
          name: "libssl3",
          version: "3.0.11-1~deb12u2",
          source: { name: "openssl", version: "3.0.11-1~deb12u2" },
          arch: "amd64",
          evidence: "installed",
        },
        {
          type: "deb",
          namespace: "",
          name: "bash",
          version: "5.2.15-2+b7",
          source: { name: "bash", version: "5.2.15-2" },
          arch: "amd64",
          evidence: "installed",
        },
        { type: "deb", namespace: "", name: "waiting", version: "2:1.0-1", arch: "all", evidence: "installed" },
      ],
      problems: [],
    });
  });

  test("reads the one-package files of images without a package manager, which have no status", () => {
    const facts = analyze(
      dpkg,
      "var/lib/dpkg/status.d/tzdata",
      "Package: tzdata\r\nVersion: 2024a-0+deb12u1\r\nArchitecture: all\r\n",
    );
    expect(facts.packages).toMatchObject([{ name: "tzdata", version: "2024a-0+deb12u1", arch: "all" }]);
    expect(facts.problems).toEqual([]);
    const sums = `${"a".repeat(32)}  usr/share/zoneinfo/UTC\n`;
    expect(analyze(dpkg, "var/lib/dpkg/status.d/tzdata.md5sums", sums)).toEqual({
      owns: ["usr/share/zoneinfo/UTC"],
      recorded: [{ path: "usr/share/zoneinfo/UTC", digest: `md5:${"a".repeat(32)}` }],
    });
  });

  test("keeps what the checksum files and the diversions say, and nothing else they hold", () => {
    const sums = `${"0a".repeat(16)}  bin/ls\n${"b".repeat(31)}  bin/short\nnonsense\n${"C".repeat(32)}  bin/upper\n`;
    expect(analyze(dpkg, "var/lib/dpkg/info/coreutils.md5sums", sums)).toEqual({
      recorded: [{ path: "bin/ls", digest: `md5:${"0a".repeat(16)}` }],
    });
    const diversions = "/bin/sh\n/bin/sh.distrib\ndash\n/usr/bin/x\n/usr/bin/x.real\n:\n";
    expect(analyze(dpkg, "var/lib/dpkg/diversions", diversions).recorded).toEqual([
      { path: "bin/sh", digest: "any" },
      { path: "usr/bin/x", digest: "any" },
    ]);
  });

  test("owns the files of a list, not the directories on the way, and finds merged ones below usr", () => {
    const list =
      "/.\n/lib\n/lib/x86_64-linux-gnu\n/lib/x86_64-linux-gnu/libz.so.1\n/usr\n/usr/share\n/usr/share/doc\n/usr/share/doc/z/copyright\n";
    expect(analyze(dpkg, "var/lib/dpkg/info/zlib1g:amd64.list", list).owns).toEqual([
      "lib/x86_64-linux-gnu/libz.so.1",
      "usr/lib/x86_64-linux-gnu/libz.so.1",
      "usr/share/doc/z/copyright",
    ]);
  });

  test("a file cut anywhere gives what was whole, and says so", () => {
    for (const piece of tornPieces(new TextEncoder().encode(STATUS)).slice(1)) {
      const { packages = [], problems = [] } = analyze(dpkg, STATUS_PATH, piece);
      expect(packages.length).toBeLessThanOrEqual(3);
      expect(problems.length).toBeGreaterThan(0);
    }
  });

  test("an oversized field is named instead of kept, and the packages around it are read", () => {
    const big = `${STATUS}Package: big\nVersion: ${"1".repeat(1_000_000)}\n\nPackage: after\nVersion: 1\n\n`;
    const facts = analyze(dpkg, STATUS_PATH, big);
    expect(facts.packages?.map(({ name }) => name)).toEqual(["libssl3", "bash", "waiting", "after"]);
    expect(facts.problems).toEqual([
      'a field "version" is 1000009 bytes long, at most 4096 are read',
      'package "big" has no usable version: ""',
    ]);
  });

  test("names with control characters never reach a report", () => {
    const facts = analyze(dpkg, STATUS_PATH, "Package: a\u001b[31mb\nVersion: 1\n\n");
    expect(facts.packages).toEqual([]);
    expect(JSON.stringify(facts.problems)).not.toContain("\\u001b");
  });

  test("damaged bytes never make it throw", () => {
    expectNoThrowOnDamage(dpkg, STATUS_PATH, new TextEncoder().encode(STATUS), 300);
  });

  test.skipIf(!hasTool("dpkg-query") || !existsSync(`/${STATUS_PATH}`))(
    "agrees with dpkg-query on this machine",
    () => {
      const fields = ["db:Status-Status", "Package", "Version", "Architecture", "source:Package", "source:Version"];
      const format = `${fields.map((field) => `$\{${field}}`).join(" ")}\n`;
      const expected = runTool("dpkg-query", ["-W", "-f", format])
        .split("\n")
        .filter((line) => line.startsWith("installed "))
        .map((line) => line.slice("installed ".length));
      const { packages = [], problems } = analyze(dpkg, STATUS_PATH, readFileSync(`/${STATUS_PATH}`));
      const ours = packages.map(({ name, version, arch, source }) =>
        [name, version, arch, source?.name ?? name, source?.version ?? version].join(" "),
      );
      expect(ours.toSorted()).toEqual(expected.toSorted());
      expect(problems).toEqual([]);
    },
  );
});

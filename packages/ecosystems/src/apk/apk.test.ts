import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage, tornPieces } from "../testing/analyze.ts";
import { apk } from "./apk.ts";

/** As apk writes it down. */
function checksum(content: string): string {
  return `Q1${createHash("sha1").update(content).digest("base64")}`;
}

const PATH = "lib/apk/db/installed";
const INSTALLED = `C:Q1cHVyZWx5IGludmVudGVk
P:libcrypto3
V:3.1.4-r5
A:x86_64
S:1710000
I:4500000
T:Crypto library
L:Apache-2.0
o:openssl
D:so:libc.musl-x86_64.so.1
F:etc
F:etc/ssl
R:openssl.cnf
Z:${checksum("configuration")}
F:lib
R:libcrypto.so.3
a:0:0:755
Z:${checksum("library")}
R:broken.so
Z:Q1not base64

P:busybox
V:1.36.1-r15
A:x86_64
o:busybox
F:
R:init
F:bin
R:busybox

`;

describe("the apk analyzer", () => {
  test("reports packages with their origin, licence and files", () => {
    expect(analyze(apk, PATH, INSTALLED)).toEqual({
      packages: [
        {
          type: "apk",
          namespace: "",
          name: "libcrypto3",
          version: "3.1.4-r5",
          source: { name: "openssl", version: "3.1.4-r5" },
          arch: "x86_64",
          evidence: "installed",
          licenses: ["Apache-2.0"],
        },
        { type: "apk", namespace: "", name: "busybox", version: "1.36.1-r15", arch: "x86_64", evidence: "installed" },
      ],
      owns: ["etc/ssl/openssl.cnf", "lib/libcrypto.so.3", "lib/broken.so", "init", "bin/busybox"],
      recorded: [{ path: "lib/libcrypto.so.3", digest: `sha1:${createHash("sha1").update("library").digest("hex")}` }],
      problems: [],
    });
  });

  test("an entry without a version or a name is named as a problem", () => {
    const { packages, problems } = analyze(apk, PATH, "P:a\n\nV:1\n\nP:b\nV:1 2\n\nP:c\nV:3-r0\n\n");
    expect(packages?.map(({ name }) => name)).toEqual(["c"]);
    expect(problems).toHaveLength(3);
  });

  test("a file cut anywhere gives what was whole, and a cut within a line is said", () => {
    const bytes = new TextEncoder().encode(INSTALLED);
    for (const piece of tornPieces(bytes)) {
      const { packages = [], problems = [] } = analyze(apk, PATH, piece);
      expect(packages.length).toBeLessThanOrEqual(2);
      if (piece.length > 0 && piece.at(-1) !== 0x0a) expect(problems.length).toBeGreaterThan(0);
    }
  });

  test("a line beyond its bound is left out and said", () => {
    const { packages, problems } = analyze(apk, PATH, `P:a\nV:1-r0\nR:${"x".repeat(100_000)}\n\n`);
    expect(packages).toHaveLength(1);
    expect(problems).toEqual(["a field R of 100002 bytes was left out"]);
  });

  test("damaged bytes never make it throw", () => {
    expectNoThrowOnDamage(apk, PATH, new TextEncoder().encode(INSTALLED), 300);
  });
});

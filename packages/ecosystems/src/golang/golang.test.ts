import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage, tornPieces } from "../testing/analyze.ts";
import { elfOf, goProgramOf } from "../testing/elf-writer.ts";
import { goBinary } from "./go-binary.ts";
import { goMod } from "./go-mod.ts";
import { golangVersions } from "./version.ts";

const names = (facts: ReturnType<typeof analyze>) =>
  (facts.packages ?? []).map(({ name, version }) => `${name}@${version}`);

const MODULES =
  "path\texample.org/app\nmod\texample.org/app\t(devel)\t\ndep\tgolang.org/x/text\tv0.3.0\th1:x\ndep\tgolang.org/x/net\tv0.1.0\th1:y\n=>\texample.org/fork/net\tv0.2.0\th1:z\nbuild\t-compiler=gc\n";

test("a program names its modules, replacements and Go's own version", () => {
  expect(names(analyze(goBinary, "usr/bin/app", goProgramOf("go1.21.3 X:none", MODULES)))).toEqual([
    "stdlib@1.21.3",
    "golang.org/x/text@v0.3.0",
    "example.org/fork/net@v0.2.0",
  ]);
});

test("a release candidate of Go is named as advisories order it", () => {
  expect(names(analyze(goBinary, "usr/bin/app", goProgramOf("go1.21rc2", "")))).toEqual(["stdlib@1.21-rc.2"]);
  expect(golangVersions.parse("1.21-rc.2")).toBeDefined();
});

test("a program without a tagged version is not taken for one before every fix; a tagged one and modules are", () => {
  const untagged = "v0.0.0-20250101120000-0123456789ab+dirty";
  const modules = `mod\texample.org/app\t${untagged}\t\ndep\texample.org/lib\t${untagged}\th1:x\n`;
  expect(names(analyze(goBinary, "usr/bin/app", goProgramOf("go1.24.1", modules)))).toEqual([
    "stdlib@1.24.1",
    `example.org/lib@${untagged}`,
  ]);
  const tagged = "mod\texample.org/app\tv1.2.3\th1:x\n";
  expect(names(analyze(goBinary, "usr/bin/app", goProgramOf("go1.24.1", tagged)))).toContain("example.org/app@v1.2.3");
});

test("an ELF file that Go did not make tells nothing", () => {
  expect(analyze(goBinary, "usr/bin/app", elfOf({ ".text": "x" }))).toEqual({});
});

test.skipIf(spawnSync("go", ["version"]).status !== 0)("a program that Go built names Go's version", () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-go-"));
  try {
    writeFileSync(join(folder, "go.mod"), "module example.org/app\n\ngo 1.18\n");
    writeFileSync(join(folder, "main.go"), "package main\n\nfunc main() {}\n");
    const env = { ...process.env, GOFLAGS: "-mod=mod", GOTOOLCHAIN: "local" };
    execFileSync("go", ["build", "-o", "app", "."], { cwd: folder, env });
    const release = /go(\d+\.\d+(?:\.\d+)?)/.exec(execFileSync("go", ["env", "GOVERSION"], { env }).toString())?.[1];
    expect(names(analyze(goBinary, "app", readFileSync(join(folder, "app"))))).toContain(`stdlib@${release}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("damaged build information never throws", () => {
  const bytes = goProgramOf("go1.21.3", MODULES);
  for (const piece of tornPieces(bytes)) analyze(goBinary, "app", piece);
  expectNoThrowOnDamage(goBinary, "app", bytes, 300);
});

test("go.mod gives what is required, with replacements", () => {
  const text = `module example.org/app

go 1.21

require golang.org/x/text v0.3.0 // indirect

require (
	golang.org/x/net v0.1.0
	example.org/local v1.0.0
)

replace golang.org/x/net => example.org/fork/net v0.2.0
replace example.org/local => ../local
replace golang.org/x/net v0.1.0 => example.org/exact/net v0.3.0
exclude golang.org/x/text v0.2.0
`;
  expect(names(analyze(goMod, "app/go.mod", text))).toEqual([
    "golang.org/x/text@v0.3.0",
    "example.org/exact/net@v0.3.0",
  ]);
  expect(analyze(goMod, "root/go/pkg/mod/x/go.mod", text)).toEqual({});
});

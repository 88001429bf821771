import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage, type LayerInput, ociArchive, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { afterAll, expect, test } from "vitest";
import { BULWARK, bulwark, scanJson } from "./support/cli.ts";

const directory = temporaryDirectory();
const at = (name: string) => join(directory.path, name);
const cache = at("cache");
afterAll(() => directory.remove());

const LODASH = "app/node_modules/lodash/package.json";
const lodash = (version: string) => JSON.stringify({ name: "lodash", version });
const BASE = { files: { "etc/os-release": "ID=alpine\nVERSION_ID=3.20.1\n" }, createdBy: "ADD rootfs.tar /" };

/** Writes an image as an OCI layout and gives its source. */
function layout(name: string, ...layers: readonly LayerInput[]): string {
  writeLayout(buildImage({ layers }), at(name), "1");
  return `oci:${at(name)}`;
}

const vulnerable = layout("vulnerable", BASE, { files: { [LODASH]: lodash("4.17.4") }, createdBy: "COPY app /app" });
const clean = layout("clean", BASE, { files: { [LODASH]: lodash("4.17.21") } });

test("a clean image passes with 0, a vulnerable one is refused with 1", async () => {
  expect((await bulwark(cache, ["scan", clean])).status).toBe(0);
  const { status, stdout } = await bulwark(cache, ["scan", vulnerable]);
  expect(status).toBe(1);
  expect(stdout).toMatch(/lodash 4\.17\.4[\s\S]*CVE-2019-10744/);
});

test("a verdict whose reader went away does not read as passed", () => {
  const { status, stderr } = spawnSync(
    "bash",
    ["-o", "pipefail", "-c", `"$1" scan "$2" | true`, "-", BULWARK, vulnerable],
    {
      env: { ...process.env, BULWARK_CACHE_DIR: cache, BULWARK_DB: "" },
      encoding: "utf8",
    },
  );
  expect([status, stderr]).toEqual([141, ""]);
});

test("a package that a later layer removes or replaces is not reported", async () => {
  const removed = layout(
    "removed",
    BASE,
    { files: { [LODASH]: lodash("4.17.4") } },
    { files: { "app/node_modules/.wh.lodash": "" } },
  );
  const replaced = layout(
    "replaced",
    BASE,
    { files: { [LODASH]: lodash("4.17.4") } },
    { files: { [LODASH]: lodash("4.17.21") } },
  );
  expect((await scanJson(cache, [removed])).packages).toEqual([]);
  expect((await scanJson(cache, ["--scanners", "vuln", replaced])).findings).toEqual([]);
});

test("policies, waivers and VEX decide, and what they take out stays visible", async () => {
  writeFileSync(
    at("strict.yaml"),
    "name: strict\nrules:\n  - id: none\n    deny: findings.size() > 0\n    message: no findings at all\n",
  );
  const ids = (await scanJson(cache, [vulnerable])).findings.map(({ id }) => id);
  const waivers = ids.slice(1).map((id) => `  - {finding: ${id}, reason: known, until: "2999-01-01"}`);
  writeFileSync(at("waivers.yaml"), `name: known\nwaivers:\n${waivers.join("\n")}\n`);
  const statement = {
    vulnerability: { name: ids[0] },
    products: [{ "@id": "pkg:npm/lodash" }],
    status: "not_affected",
    justification: "inline_mitigations_already_exist",
  };
  const document = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    author: "Ada",
    timestamp: "2026-01-01T00:00:00Z",
    statements: [statement],
  };
  writeFileSync(at("app.openvex.json"), JSON.stringify(document));
  expect((await scanJson(cache, ["--policy", at("strict.yaml"), "--", vulnerable])).verdict).toEqual({
    passed: false,
    violations: [{ policy: "strict", rule: "none", message: "no findings at all" }],
  });
  const all = ["--policy", at("strict.yaml"), at("waivers.yaml"), "--vex", at("app.openvex.json"), vulnerable];
  const report = await scanJson(cache, all);
  expect(report.verdict.passed).toBe(true);
  expect(report.suppressed.map(({ by }) => by)).toEqual(["vex", ...waivers.map(() => "waiver")]);
  expect((await bulwark(cache, ["scan", ...all])).status).toBe(0);
});

test("--severity and --ignore-unfixed leave out what is not asked for", async () => {
  const low = await scanJson(cache, ["--severity", "critical", vulnerable]);
  expect(new Set(low.findings.map(({ severity }) => severity))).toEqual(new Set(["critical"]));
  expect((await scanJson(cache, ["--scanners", "vuln", "--severity", "low", vulnerable])).findings).toEqual([]);
  const fixed = await scanJson(cache, ["--scanners", "vuln", "--ignore-unfixed", vulnerable]);
  expect(fixed.findings.length).toBeGreaterThan(0);
  expect(fixed.findings.every(({ fixedVersion }) => fixedVersion)).toBe(true);
});

test("a malicious package is refused, and not ignored for want of a fix", async () => {
  const manifest = JSON.stringify({ name: "event-stream", version: "3.3.6" });
  const source = layout("malicious", BASE, { files: { "app/node_modules/event-stream/package.json": manifest } });
  const report = await scanJson(cache, ["--ignore-unfixed", "--scanners", "vuln", source]);
  expect(report.findings).toMatchObject([
    { kind: "malware", severity: "critical", advice: expect.stringMatching(/^Remove event-stream/) },
  ]);
  expect(report.verdict.violations.map(({ rule }) => rule)).toContain("malware");
});

test("--base says where the base ends, and an image that does not stand on it says so", async () => {
  const base = layout("base", BASE);
  expect((await scanJson(cache, ["--base", base, vulnerable])).image).toMatchObject({
    base: { how: "flag" },
    layers: [{ origin: "base" }, { origin: "own" }],
  });
  const other = layout("other", { files: { "etc/other": "x" } });
  const report = await scanJson(cache, ["--base", other, vulnerable]);
  expect(report.complete).toBe(false);
  expect(report.problems[0]?.what).toMatch(/does not stand on/);
});

test("a broken file inside an image is a problem of the report, not a failure", async () => {
  const report = await scanJson(cache, [
    layout("broken", BASE, { files: { "app/a.jar": "no archive", [LODASH]: lodash("4.17.4") } }),
  ]);
  expect(report.complete).toBe(false);
  expect(report.problems).toContainEqual({ path: "/app/a.jar", layer: 1, what: "the archive is no ZIP archive" });
  expect(report.findings.length).toBeGreaterThan(0);
});

test.each([
  ["an unknown option", ["scan", "--colour", "x"], /scan: Unknown option '--colour'/],
  ["an unknown format", ["scan", "--format", "xml", "x.tar"], /--format knows no "xml"[\s\S]*table, json/],
  ["no source", ["scan"], /no source is given/],
  ["two sources", ["scan", "a.tar", "b.tar"], /more than one source/],
  ["an unknown scanner", ["scan", "--scanners", "virus", "a.tar"], /--scanners knows no "virus"/],
  ["a Dockerfile beside an image", ["scan", "--dockerfile", "D", "a.tar"], /judged by itself/],
  ["fixes without a Dockerfile", ["scan", "--fix", "a.tar"], /--fix mends a Dockerfile/],
  ["a missing Dockerfile", ["scan", "--dockerfile", "/none"], /Dockerfile file \/none cannot be read/],
  ["missing YARA rules", ["scan", "--yara", "/none.yar", "a.tar"], /a\.tar|none\.yar/],
  ["a missing archive", ["scan", "/none.tar"], /none\.tar/],
  ["a missing directory", ["scan", "dir:/none"], /\/none/],
  ["a missing policy", ["scan", "--policy", "/none.yaml", "--", vulnerable], /policy file \/none\.yaml cannot be read/],
  ["a registry while offline", ["scan", "--offline", "docker.io/library/x:1"], /offline|network/i],
  ["an SBOM that is none", ["scan", "sbom:/etc/hostname"], /is not JSON/],
  ["an unknown command", ["frobnicate"], /no command "frobnicate"/],
  ["an unknown database action", ["db", "frobnicate"], /no action "frobnicate"/],
  [
    "a missing database",
    ["db", "status", "--db", "/none.db"],
    /no advisory database at \/none\.db[\s\S]*bulwark db update/,
  ],
])("%s ends with 2 and a message that says why", async (_what, args, message) => {
  const { status, stdout, stderr } = await bulwark(cache, args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/defect|\n\s+at /);
});

test("an archive that is torn anywhere ends in one clear error or a report", async () => {
  const archive = ociArchive(buildImage({ layers: [BASE, { files: { [LODASH]: lodash("4.17.4") } }] }));
  for (let part = 0; part < 16; part += 3) {
    writeFileSync(at("torn.tar"), archive.subarray(0, Math.floor((archive.length * part) / 16)));
    const { status, stderr } = await bulwark(cache, ["scan", at("torn.tar")]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^bulwark: .+/);
    expect(stderr).not.toMatch(/defect/);
  }
});

test("a layer that is not what its digest says ends the scan", async () => {
  const lying = layout("lying", BASE, {
    files: { [LODASH]: lodash("4.17.4") },
    lie: { diffId: `sha256:${"0".repeat(64)}` },
  });
  const { status, stderr } = await bulwark(cache, ["scan", lying]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/sha256:0000/);
});

test("a decompression bomb is named in an incomplete report", async () => {
  const zeros = { path: "zeros", content: new Uint8Array(1024 * 1024 * 1100) };
  const report = await scanJson(cache, [layout("bomb", BASE, { entries: [zeros], compression: "zstd" })]);
  expect(report.complete).toBe(false);
  expect(report.problems[0]).toMatchObject({ layer: 1, what: expect.stringMatching(/^layer not scanned: /) });
});

test("names out of an image cannot move the terminal", async () => {
  const evil = layout("evil", BASE, {
    files: { [LODASH]: lodash("4.17.4") },
    createdBy: "RUN \u001b[2J\u001b]0;x\u0007 echo",
  });
  expect((await bulwark(cache, ["scan", evil])).stdout).not.toMatch(/[\u001b\u0007]/);
});

test("--output writes the report there and nothing to stdout", async () => {
  const { stdout } = await bulwark(cache, ["scan", "--format", "html", "--output", at("report.html"), vulnerable]);
  expect(stdout).toBe("");
  expect(readFileSync(at("report.html"), "utf8")).toMatch(/^<!doctype html>[\s\S]*CVE-2019-10744/);
  expect((await bulwark(cache, ["scan", "--output", "/none/x", vulnerable])).status).toBe(2);
});

test("a database in use is replaced by import and described by status", async () => {
  const database = at("own.db");
  const records = at("records.json");
  const range = { type: "SEMVER", events: [{ introduced: "0" }, { fixed: "5.0.0" }] };
  const affected = [{ package: { ecosystem: "npm", name: "lodash" }, ranges: [range] }];
  writeFileSync(records, JSON.stringify({ id: "TEST-1", modified: "2026-01-01T00:00:00Z", summary: "test", affected }));
  expect((await bulwark(cache, ["db", "import", "--db", database, records])).stdout).toMatch(/1 added/);
  expect((await bulwark(cache, ["db", "status", "--db", database])).stdout).toMatch(/1 records[\s\S]*npm 1/);
  expect(
    (await scanJson(cache, ["--scanners", "vuln", "--db", database, vulnerable])).findings.map(({ id }) => id),
  ).toEqual(["TEST-1"]);
});

test("help is printed for every command, with examples", async () => {
  for (const args of [["--help"], ["scan", "--help"], ["db", "--help"], ["sign", "--help"]]) {
    const { status, stdout } = await bulwark(cache, args);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Usage: bulwark[\s\S]*Examples/);
  }
  expect(existsSync(cache)).toBe(true);
});

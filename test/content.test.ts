import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type BuiltImage,
  buildImage,
  contentOf,
  ociArchive,
  startRegistry,
  temporaryDirectory,
  writeLayout,
} from "@bulwark/image/testing";
import type { Finding, ScanReport } from "@bulwark/model";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bulwark, scanJson } from "./support/cli.ts";
import { debianRootfs } from "./support/debian-rootfs.ts";

const directory = temporaryDirectory();
const at = (name: string) => join(directory.path, name);
const cache = at("cache");
const rootfs = debianRootfs();

/** Put together here, so that no scanner takes this file for what it plays. */
const SECRETS = {
  github: `ghp_${"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0xL2rU5"}`,
  removed: `-----BEGIN RSA ${"PRIVATE"} KEY-----\n${"MIIEowIBAAKCAQEAq8sT1vW4yZ7cF0xL2rU5aB3dE6gH9jK2mN5pQ8sT1vW4yZ7c\n".repeat(12)}-----END RSA PRIVATE KEY-----\n`,
  variable: "tr0ub4dor-and-3-horses",
};
afterAll(() => directory.remove());

const SHELL = `<?php @ev${"al"}($_PO${"ST"}['cmd']); ?>`;

describe.skipIf(rootfs === undefined)("one scan of one image", () => {
  let image: BuiltImage;
  let report: ScanReport;
  let source: string;
  const of = (id: string): Finding | undefined => report.findings.find((finding) => finding.id === id);

  beforeAll(async () => {
    image = buildImage({
      layers: [
        { tar: rootfs ?? new Uint8Array(), createdBy: "ADD rootfs.tar /" },
        {
          files: { "app/.env": `GITHUB_TOKEN=${SECRETS.github}\n`, "app/deploy.pem": SECRETS.removed },
          createdBy: "COPY . /app",
        },
        { files: { "var/www/html/up.php": SHELL, "usr/bin/passwd": "#!/bin/sh\nexit 0\n" }, createdBy: "COPY www /" },
        {
          files: { "app/.wh.deploy.pem": "", "etc/redis/redis.conf": "bind 0.0.0.0\nprotected-mode no\n" },
          createdBy: "RUN rm app/deploy.pem",
        },
        {
          files: { "app/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version: "4.17.4" }) },
          createdBy: `RUN |1 DB_PASSWORD=${SECRETS.variable} /bin/sh -c npm ci`,
        },
      ],
      config: { Env: [`DB_PASSWORD=${SECRETS.variable}`], User: "root" },
    });
    writeLayout(image, at("layout"), "v1");
    source = `oci:${at("layout")}:v1`;
    report = await scanJson(cache, [source]);
  });

  test("shows every kind of finding, each on the layer that brought it", () => {
    expect(new Set(report.findings.map(({ kind }) => kind))).toEqual(
      new Set(["vulnerability", "secret", "malware", "webshell", "misconfiguration"]),
    );
    expect(of("github-personal-token")).toMatchObject({ kind: "secret", path: "/app/.env", line: 1, layer: 1 });
    expect(report.findings.find(({ kind }) => kind === "webshell")).toMatchObject({
      path: "/var/www/html/up.php",
      layer: 2,
    });
    expect(of("tampered-package-file")).toMatchObject({ kind: "malware", path: "/usr/bin/passwd", layer: 2 });
    expect(report.findings.find(({ path }) => path === "/etc/redis/redis.conf")).toMatchObject({
      kind: "misconfiguration",
      layer: 3,
    });
    expect(of("image-root-user")).toMatchObject({ kind: "misconfiguration" });
    expect(report.findings.find(({ package: subject }) => subject?.name === "lodash")).toMatchObject({ layer: 4 });
  });

  test("finds a secret that a later layer deletes, and says so", () => {
    const key = report.findings.find(({ path }) => path === "/app/deploy.pem");
    expect(key).toMatchObject({ kind: "secret", layer: 1, evidence: { removedIn: 3 } });
    expect(key?.advice).toContain("Layer 3 removes the file");
  });

  test.each(["table", "json", "sarif", "cyclonedx", "spdx", "html"])(
    "tells no secret's value as %s",
    async (format) => {
      const { stdout, stderr, status } = await bulwark(cache, ["scan", "--format", format, source]);
      expect(status, stderr).toBe(1);
      for (const value of [SECRETS.github, SECRETS.variable, "MIIEowIBAAKCAQEA"]) expect(stdout).not.toContain(value);
    },
  );

  test("is refused by the default policy for the secrets and the web shell", () => {
    expect(report.verdict.violations.map(({ rule }) => rule)).toEqual(expect.arrayContaining(["malware", "secret"]));
  });

  test("finds the same from an archive, from a registry that is asked once for each layer, and from the cache", async () => {
    const essence = ({ findings }: ScanReport) =>
      findings.map(({ id, path, layer, line }) => ({ id, path, layer, line }));
    writeFileSync(at("image.tar"), ociArchive(image));
    const registry = await startRegistry(contentOf({ "team/app:1": image }));
    const sources = [at("image.tar"), `http://${registry.host}/team/app:1`];
    for (const each of sources)
      expect(essence(await scanJson(at("other-cache"), ["--no-cache", each]))).toEqual(essence(report));
    const blobs = registry.seen.filter(({ url }) => url.includes("/blobs/")).map(({ url }) => url);
    expect(blobs.length).toBe(new Set(blobs).size);
    await registry.close();
    expect(essence(await scanJson(cache, [source]))).toEqual(essence(report));
  });

  test("looks for what is asked, and the report says for what", async () => {
    const secrets = await scanJson(cache, ["--scanners", "secret", source]);
    expect(new Set(secrets.findings.map(({ kind }) => kind))).toEqual(new Set(["secret"]));
    expect(secrets).toMatchObject({ scanners: ["secret"], database: null });
  });

  test("takes rules, indicators and deny lists of the user beside those that ship", async () => {
    writeFileSync(
      at("mine.yaml"),
      "rules: [{id: mine, title: Mine, severity: low, keywords: [bind], pattern: '(bind 0[.0]+)', advice: No.}]",
    );
    writeFileSync(
      at("mine.toml"),
      "[[rules]]\nid = \"gitleaks-mine\"\nregex = '''protected-mode (no)'''\nkeywords = [\"protected\"]\n",
    );
    writeFileSync(
      at("mine.yar"),
      'rule mine { meta: title = "Mine" severity = "low" strings: $a = "protected-mode" condition: $a }',
    );
    const digest = execFileSync("sha256sum", { input: "bind 0.0.0.0\nprotected-mode no\n" }).toString().slice(0, 64);
    writeFileSync(at("mine.txt"), `${digest} My-Indicator\n`);
    writeFileSync(at("deny.yaml"), "components: [{purl: 'pkg:npm/lodash', versions: '<5', reason: old}]");
    const own = [
      "--secret-rules",
      at("mine.yaml"),
      "--secret-rules",
      at("mine.toml"),
      "--yara",
      at("mine.yar"),
      "--indicators",
      at("mine.txt"),
      "--deny",
      at("deny.yaml"),
    ];
    const found = (await scanJson(cache, [...own, source])).findings.map(({ id }) => id);
    expect(found).toEqual(
      expect.arrayContaining([
        "mine",
        "gitleaks-mine",
        "known-malicious-file",
        "denied-component",
        "github-personal-token",
      ]),
    );
  });

  test("a rule of the user that does not compile is told with its file and line, and the scan goes on", async () => {
    writeFileSync(at("broken.yar"), "rule good { condition: false }\nrule broken {\n  condition: nonsense\n}\n");
    const { problems, complete, findings } = await scanJson(cache, ["--yara", at("broken.yar"), source]);
    expect(complete).toBe(false);
    expect(problems.map(({ what }) => what)).toContainEqual(expect.stringMatching(/broken\.yar:3/));
    expect(findings.some(({ kind }) => kind === "webshell")).toBe(true);
  });
});

test("fixes are written through no link, and into no file that they would damage", async () => {
  const content = "FROM debian:12\nMAINTAINER me\nUSER 10001\nHEALTHCHECK NONE\n";
  writeFileSync(at("victim"), content);
  symlinkSync(at("victim"), at("Linkfile"));
  writeFileSync(at("Latinfile"), Buffer.from(`# \xe9\n${content}`, "latin1"));
  for (const [name, why] of [
    ["Linkfile", "symbolic link"],
    ["Latinfile", "not UTF-8"],
  ] as const) {
    const before = readFileSync(at(name));
    const { status, stderr } = await bulwark(cache, ["scan", "--dockerfile", at(name), "--fix"]);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(why) });
    expect(readFileSync(at(name)).equals(before)).toBe(true);
  }
});

test("a Dockerfile is judged with line numbers, mended where that is safe, and mended but once", async () => {
  writeFileSync(
    at("Dockerfile"),
    'FROM debian:12\nMAINTAINER me\nRUN apt-get update && apt-get install curl\nUSER 10001\nHEALTHCHECK NONE\nCMD ["curl"]\n',
  );
  const { stdout } = await bulwark(cache, ["scan", "--dockerfile", at("Dockerfile"), "--format", "json"]);
  const before: ScanReport = JSON.parse(stdout);
  expect(before.findings).toContainEqual(
    expect.objectContaining({ id: "dockerfile-maintainer", path: at("Dockerfile"), line: 2 }),
  );
  const fixed = await bulwark(cache, ["scan", "--dockerfile", at("Dockerfile"), "--fix", "--format", "json"]);
  expect(fixed.stderr).toContain("line 2: MAINTAINER became a label");
  expect(JSON.parse(fixed.stdout).findings.length).toBeLessThan(before.findings.length);
  expect((await bulwark(cache, ["scan", "--dockerfile", at("Dockerfile"), "--fix"])).stderr).not.toContain("fixed:");
});

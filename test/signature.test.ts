import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BuiltImage, buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import type { ScanReport } from "@bulwark/model";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bulwark } from "./support/cli.ts";
import { type RealRegistry, startRealRegistry } from "./support/real-registry.ts";

const directory = temporaryDirectory();
const at = (name: string) => join(directory.path, name);
const PASSPHRASE = "a long passphrase";

let registry: RealRegistry;
/** Reference with a scheme that asks for plain HTTP, and without. */
const reference = (name: string) => `http://${registry.host}/${name}`;

beforeAll(async () => {
  registry = await startRealRegistry(at("registry"));
  for (const [name, passphrase] of [
    ["release", PASSPHRASE],
    ["other", ""],
  ] as const) {
    const made = await bulwark(at("cache"), ["sign", "--generate-key", at(name)], {
      BULWARK_KEY_PASSPHRASE: passphrase,
    });
    expect(made.status, made.stderr).toBe(0);
  }
  push(imageOf("first"), "team/app:1");
});
afterAll(async () => {
  await registry.stop();
  directory.remove();
});

const imageOf = (content: string): BuiltImage => buildImage({ layers: [{ files: { "app/content": content } }] });

function push(image: BuiltImage, name: string): void {
  const layout = at(`layout-${name.replace(/\W/g, "-")}`);
  writeLayout(image, layout, "v1");
  execFileSync("skopeo", [
    "copy",
    "-q",
    "--dest-tls-verify=false",
    `oci:${layout}:v1`,
    `docker://${registry.host}/${name}`,
  ]);
}

function policyFile(name: string, rule: object): string {
  writeFileSync(at(name), JSON.stringify({ name: "signed", rules: [{ name: "release key", ...rule }] }));
  return at(name);
}

async function verdictOn(name: string, key = "release.pub"): Promise<ScanReport> {
  const policy = policyFile(`by-${key}.yaml`, { key });
  const args = ["scan", reference(name), "--require-signature", policy, "--format", "json"];
  const { status, stdout, stderr } = await bulwark(at("cache"), args);
  expect(status, stderr).toBeLessThan(2);
  const report: ScanReport = JSON.parse(stdout);
  expect(status).toBe(report.verdict.passed ? 0 : 1);
  return report;
}

const sign = (name: string, key: string, passphrase = "") =>
  bulwark(at("cache"), ["sign", reference(name), "--key", at(key)], { BULWARK_KEY_PASSPHRASE: passphrase });

test("an image that is signed passes, for the key it was signed with and no other", async () => {
  const before = await verdictOn("team/app:1");
  expect(before.verdict.violations).toMatchObject([{ policy: "signed", rule: "release key" }]);
  expect(before.verdict.violations[0]?.message).toContain("carries no signature");

  expect(await sign("team/app:1", "release.key", PASSPHRASE)).toMatchObject({ status: 0 });
  const after = await verdictOn("team/app:1");
  expect(after.verdict.passed).toBe(true);
  expect(after.signatures).toMatchObject([{ rule: "release key", identity: "" }]);
  expect((await verdictOn("team/app:1", "other.pub")).verdict.violations[0]?.message).toContain(
    "not made with the rule's key",
  );
});

test("a second signature leaves the first one standing", async () => {
  expect(await sign("team/app:1", "other.key")).toMatchObject({ status: 0 });
  expect((await verdictOn("team/app:1", "other.pub")).verdict.passed).toBe(true);
  expect((await verdictOn("team/app:1")).verdict.passed).toBe(true);
});

test("another image under the same tag has no part in the signature, nor has one that is given a copy of it", async () => {
  const signed = execFileSync("skopeo", [
    "inspect",
    "--tls-verify=false",
    "--format",
    "{{.Digest}}",
    `docker://${registry.host}/team/app:1`,
  ]);
  push(imageOf("evil"), "team/app:1");
  const moved = await verdictOn("team/app:1");
  expect(moved.verdict.violations[0]?.message).toContain("carries no signature");

  const from = String(signed).trim().replace(":", "-");
  const to = moved.image.digest.replace(":", "-");
  const tag = (name: string) => `docker://${registry.host}/team/app:${name}.sig`;
  execFileSync("skopeo", ["copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", tag(from), tag(to)]);
  expect((await verdictOn("team/app:1")).verdict.violations[0]?.message).toContain("it was made for sha256:");
});

test("a key is never overwritten, and a wrong passphrase is said", async () => {
  const before = readFileSync(at("other.key"), "utf8");
  expect(await bulwark(at("cache"), ["sign", "--generate-key", at("other")])).toMatchObject({ status: 2 });
  expect(readFileSync(at("other.key"), "utf8")).toBe(before);
  const wrong = await sign("team/app:1", "release.key", "guess");
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toContain("BULWARK_KEY_PASSPHRASE");
});

test("sources without a registry are told so before anything is scanned", async () => {
  const policy = policyFile("archive.yaml", { key: "release.pub" });
  const { status, stderr } = await bulwark(at("cache"), ["scan", "image.tar", "--require-signature", policy]);
  expect(status).toBe(2);
  expect(stderr).toContain("signatures lie in the registry");
});

test("only what lies in a registry is signed, also where its name could be that of a local image", async () => {
  for (const source of ["docker:app", "podman:app", "containerd:app", "oci:app", "dir:app", "./app", "app.tar"]) {
    const { status, stderr } = await bulwark(at("cache"), ["sign", source, "--key", at("release.key")]);
    expect({ source, status, stderr }).toEqual({ source, status: 2, stderr: expect.stringContaining("names none") });
  }
});

test("a signature counts however much lies under its tag already", async () => {
  push(imageOf("crowded"), "team/crowded:1");
  const { digest } = (await verdictOn("team/crowded:1")).image;
  const url = `http://${registry.host}/v2/team/crowded/manifests/`;
  const type = "application/vnd.oci.image.manifest.v1+json";
  const stored = await fetch(`${url}${digest}`, { headers: { accept: type } });
  const { config }: { config: object } = JSON.parse(await stored.text());
  const layers = Array(200).fill({ ...config, mediaType: "application/vnd.dev.cosign.simplesigning.v1+json" });
  const body = JSON.stringify({ schemaVersion: 2, mediaType: type, config, layers });
  const headers = { "content-type": type };
  const put = await fetch(`${url}${digest.replace(":", "-")}.sig`, { method: "PUT", headers, body });
  expect(put.status, await put.text()).toBe(201);
  expect(await sign("team/crowded:1", "release.key", PASSPHRASE)).toMatchObject({ status: 0 });
  expect((await verdictOn("team/crowded:1")).verdict.passed).toBe(true);
});

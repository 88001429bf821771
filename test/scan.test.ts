import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type BuiltImage,
  buildImage,
  type ChildServer,
  contentOf,
  dockerArchive,
  ociArchive,
  startChild,
  startRegistry,
  type TestRegistry,
  temporaryDirectory,
  writeLayout,
} from "@bulwark/image/testing";
import type { Finding, ScanReport } from "@bulwark/model";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applicationLayers } from "./support/application.ts";
import { bulwark, scanJson } from "./support/cli.ts";
import { debianRootfs } from "./support/debian-rootfs.ts";

const directory = temporaryDirectory();
const at = (name: string) => join(directory.path, name);
const cache = at("cache");
const rootfs = debianRootfs();

/** What must be the same however an image is read: everything of a finding, and the packages. */
function essence({ findings, packages, image }: ScanReport) {
  return {
    findings: findings.map(({ id, package: subject, layer, origin, path, fixedVersion }) => ({
      id,
      subject,
      layer,
      origin,
      path,
      fixedVersion,
    })),
    packages,
    os: image.os,
  };
}

function found(report: ScanReport, name: string): readonly Finding[] {
  return report.findings.filter((finding) => finding.package?.name.toLowerCase().endsWith(name));
}

describe.skipIf(rootfs === undefined)("an application on a real Debian root file system", () => {
  let image: BuiltImage;
  let registry: TestRegistry;
  let reference: string;
  let fromRegistry: ScanReport;
  const layers = [{ tar: rootfs ?? new Uint8Array(), createdBy: "ADD rootfs.tar /" }, ...applicationLayers()];

  beforeAll(async () => {
    image = buildImage({ layers });
    registry = await startRegistry(contentOf({ "team/app:1": image }));
    reference = `http://${registry.host}/team/app:1`;
    fromRegistry = await scanJson(cache, [reference]);
  });
  afterAll(async () => {
    await registry.close();
    directory.remove();
  });

  test.each([
    ["log4j-core", "CVE-2021-44228", 1, "/app/lib/log4j-core-2.14.1.jar"],
    ["lodash", "CVE-2019-10744", 2, "/app/node_modules/lodash/package.json"],
    ["django", "CVE-2019-14234", 3, "/usr/local/lib/python3.11/site-packages/Django-2.2.dist-info/METADATA"],
    ["golang.org/x/text", "CVE-2020-14040", 4, "/usr/local/bin/server"],
  ])("%s is found with %s in layer %i at its path, as the team's own", (name, id, layer, path) => {
    const finding = found(fromRegistry, name).find((candidate) => candidate.id === id);
    expect(finding).toMatchObject({ layer, path, origin: "own", status: "fixed" });
    expect(finding?.advice).toMatch(/^Upgrade .+ or later in layer/);
  });

  test("Debian's packages belong to the base", () => {
    expect(fromRegistry.image.os).toMatchObject({ id: "debian", versionId: "12" });
    const debian = fromRegistry.packages.filter(({ purl }) => purl.startsWith("pkg:deb/debian/"));
    expect(debian.length).toBeGreaterThan(80);
    expect(new Set(debian.map(({ layer }) => layer))).toEqual(new Set([0]));
    expect(fromRegistry.image.layers.map(({ origin }) => origin)).toEqual(["base", "own", "own", "own", "own"]);
    expect(fromRegistry.database).toMatchObject({ seedOnly: true });
  });

  test("the default policy refuses it with exit status 1", async () => {
    const { status, stdout } = await bulwark(cache, ["scan", reference]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/REFUSED[\s\S]*default\/critical-with-fix/);
    expect(stdout).toMatch(/Only the shipped seed/);
  });

  test("archives and layouts give the same findings as the registry", async () => {
    writeFileSync(at("oci.tar"), ociArchive(image));
    writeFileSync(at("docker.tar"), dockerArchive(image, layers));
    writeLayout(image, at("layout"), "1");
    for (const source of [at("oci.tar"), at("docker.tar"), `oci:${at("layout")}`]) {
      expect(essence(await scanJson(cache, [source]))).toEqual(essence(fromRegistry));
    }
  });

  test("the layer cache gives the same report as reading anew", async () => {
    expect(essence(await scanJson(at("other-cache"), ["--no-cache", reference]))).toEqual(essence(fromRegistry));
  });

  test.each(["cyclonedx", "spdx"])("the same image as %s, given back, has the same vulnerabilities", async (format) => {
    const file = at(`app.${format}.json`);
    await bulwark(cache, ["scan", "--format", format, "--output", file, reference]);
    const again = await scanJson(cache, [`sbom:${file}`]);
    const flaws = (report: ScanReport) =>
      report.findings
        .filter(({ kind }) => kind === "vulnerability")
        .map(({ id, package: subject, fixedVersion }) => ({ id, subject, fixedVersion }));
    expect(flaws(again)).toEqual(flaws(fromRegistry));
    expect(flaws(again).length).toBeGreaterThan(10);
  });

  describe("in containerd", () => {
    let containerd: ChildServer;
    beforeAll(async () => {
      const socket = at("containerd.sock");
      const settings = [
        "version = 2",
        `root = "${at("containerd-root")}"`,
        `state = "${at("containerd-state")}"`,
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
        `[grpc]\naddress = "${socket}"`,
        `[ttrpc]\naddress = "${socket}.ttrpc"`,
      ];
      writeFileSync(at("containerd.toml"), `${settings.join("\n")}\n`);
      containerd = await startChild("containerd", ["--config", at("containerd.toml")], /successfully booted/);
      writeFileSync(at("import.tar"), ociArchive(image));
      execFileSync("ctr", [
        "--address",
        socket,
        "images",
        "import",
        "--no-unpack",
        "--index-name",
        "app:1",
        at("import.tar"),
      ]);
    });
    afterAll(() => containerd.stop());

    test("it gives the same findings", async () => {
      const env = { CONTAINERD_ADDRESS: at("containerd.sock") };
      expect(essence(await scanJson(cache, ["containerd:app:1"], env))).toEqual(essence(fromRegistry));
    });
  });
});

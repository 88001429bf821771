import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "@bulwark/image/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bulwark } from "./support/cli.ts";
import { debianRootfs } from "./support/debian-rootfs.ts";

const rootfs = debianRootfs();
const directory = temporaryDirectory();
const at = (name: string) => join(directory.path, name);
/** buildah's own storage, away from the user's. */
const STORAGE = { CONTAINERS_STORAGE_CONF: at("storage.conf"), BUILDAH_ISOLATION: "chroot" };
const hasBuildah = (() => {
  try {
    execFileSync("buildah", ["--version"], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
})();
if (!hasBuildah) console.warn("buildah is not installed: no image is patched");
afterAll(() => directory.remove());

const ADVISORY = {
  id: "DEBIAN-CVE-2026-99001",
  modified: "2026-01-01T00:00:00Z",
  aliases: ["CVE-2026-99001"],
  summary: "leaky leaks",
  severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
  affected: [
    {
      package: { ecosystem: "Debian:12", name: "leaky" },
      ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "1.1" }] }],
    },
  ],
};

function run(program: string, ...words: readonly string[]): string {
  return execFileSync(program, words, { env: { ...process.env, ...STORAGE }, encoding: "utf8", stdio: "pipe" }).trim();
}

/** A package of Debian that holds one file. */
function makePackage(version: string): void {
  const root = at(`leaky-${version}`);
  mkdirSync(join(root, "DEBIAN"), { recursive: true });
  mkdirSync(join(root, "usr/share/leaky"), { recursive: true });
  const control = [
    "Package: leaky",
    `Version: ${version}`,
    "Architecture: all",
    "Maintainer: Nobody <n@example.org>",
    "Description: leaks",
  ];
  writeFileSync(join(root, "DEBIAN/control"), `${control.join("\n")}\n`);
  writeFileSync(join(root, "usr/share/leaky/version"), version);
  run("dpkg-deb", "--build", "--root-owner-group", root, at(`context/leaky_${version}_all.deb`));
}

describe.skipIf(rootfs === undefined || !hasBuildah)("an image with an old package of its own", () => {
  beforeAll(async () => {
    mkdirSync(at("context"), { recursive: true });
    writeFileSync(
      at("storage.conf"),
      `[storage]\ndriver = "vfs"\nrunroot = "${at("run")}"\ngraphroot = "${at("graph")}"\n`,
    );
    writeFileSync(at("context/rootfs.tar"), rootfs ?? "");
    for (const version of ["1.0", "1.1"]) makePackage(version);
    // Its only source of packages is a folder of the image: real apt, and no network.
    writeFileSync(
      at("context/Dockerfile"),
      [
        "FROM scratch",
        "ADD rootfs.tar /",
        "COPY leaky_1.1_all.deb leaky_1.0_all.deb /srv/packages/",
        'RUN rm -f /etc/apt/sources.list.d/* && echo "deb [trusted=yes] file:/srv/packages ./" > /etc/apt/sources.list && dpkg -i /srv/packages/leaky_1.0_all.deb',
        "",
      ].join("\n"),
    );
    const scanned = `cd ${at("context")} && dpkg-scanpackages --multiversion . > Packages`;
    execFileSync("sh", ["-c", `${scanned} 2>/dev/null || apt-ftparchive packages . > Packages`], { stdio: "pipe" });
    copyFileSync(at("context/Dockerfile"), at("Dockerfile"));
    execFileSync("sh", ["-c", `sed -i 's#^COPY .*#& \\nCOPY Packages /srv/packages/#' ${at("context/Dockerfile")}`]);
    run("buildah", "build", "--isolation", "chroot", "--quiet", "--tag", "old", at("context"));
    run("buildah", "push", "--quiet", "old", `docker-archive:${at("old.tar")}`);
    writeFileSync(at("advisory.json"), JSON.stringify(ADVISORY));
    const imported = await bulwark(at("cache"), ["db", "import", at("advisory.json"), "--db", at("advisories.db")]);
    expect(imported).toMatchObject({ status: 0 });
  });

  test("gets a change of its Dockerfile that upgrades it", async () => {
    const words = ["fix", at("old.tar"), "--all", "--db", at("advisories.db"), "--dockerfile", at("Dockerfile")];
    const { status, stdout } = await bulwark(at("cache"), words, STORAGE);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining("--only-upgrade leaky") });
    expect(stdout).toMatch(/^@@ -/m);
  });

  test("is patched by a layer on top, and a scan shows that the finding is gone", async () => {
    const before = await bulwark(at("cache"), ["scan", at("old.tar"), "--db", at("advisories.db")]);
    expect(before.stdout).toContain("CVE-2026-99001");
    const words = ["fix", at("old.tar"), "--all", "--db", at("advisories.db"), "--build", at("patched.tar")];
    const { status, stdout, stderr } = await bulwark(at("cache"), words, STORAGE);
    expect({ status, stdout, stderr }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("1 of 1 findings are gone"),
    });
    const after = await bulwark(at("cache"), ["scan", at("patched.tar"), "--db", at("advisories.db")]);
    expect(after.stdout).not.toContain("CVE-2026-99001");
  });

  test("is left alone where nothing can be fixed", async () => {
    const { status, stderr } = await bulwark(at("cache"), [
      "fix",
      at("patched.tar"),
      "--all",
      "--db",
      at("advisories.db"),
    ]);
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining("Nothing") });
  });
});

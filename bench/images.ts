import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { layerTar } from "@bulwark/image/testing";
import { applicationLayers } from "../test/support/application.ts";

/** A layer on disk. */
export interface DiskLayer {
  /** The compressed blob. */
  readonly blob: string;
  readonly digest: string;
  readonly diffId: string;
  readonly size: number;
}

/** A tar of real files of this machine, gzip-compressed, of about `bytes` before compression. */
export async function layerOfFiles(directory: string, name: string, bytes: number): Promise<DiskLayer> {
  const tar = join(directory, `${name}.tar`);
  const list = execFileSync(
    "find",
    ["/usr/lib", "/usr/share", "/usr/bin", "-xdev", "-type", "f", "-size", "-20M", "-printf", "%s %p\\0"],
    {
      maxBuffer: 512 * 1024 * 1024,
    },
  );
  let total = 0;
  const chosen: string[] = [];
  for (const entry of list.toString().split("\0")) {
    const space = entry.indexOf(" ");
    if (space < 0 || total >= bytes) continue;
    total += Number(entry.slice(0, space));
    chosen.push(entry.slice(space + 2));
  }
  const made = spawnSync("tar", ["-C", "/", "-cf", tar, "--null", "-T", "-"], { input: chosen.join("\0") });
  if (made.status !== 0) throw new Error(`tar: ${made.stderr}`);
  return compressed(directory, tar);
}

/** A tar of one file of `bytes` bytes, of text that gzip compresses to about a hundredth. */
export async function layerOfOneFile(directory: string, bytes: number): Promise<DiskLayer> {
  const tar = join(directory, "one.tar");
  const script = `head -c 12288 /dev/urandom | base64 -w 0 > "$1.block"; yes "$(cat "$1.block")" | head -c ${bytes} > "$1.data"; tar -C "$(dirname "$1")" -cf "$1" "$(basename "$1").data"; rm "$1.data" "$1.block"`;
  execFileSync("sh", ["-c", script, "sh", tar]);
  return compressed(directory, tar, "-1");
}

/** The application of the end-to-end tests as one layer. */
export async function applicationLayer(directory: string, mark: string): Promise<DiskLayer> {
  const tar = join(directory, `application-${mark}.tar`);
  const files = Object.assign({ "etc/mark": mark }, ...applicationLayers().map((layer) => layer.files ?? {}));
  writeFileSync(tar, layerTar({ files }));
  return compressed(directory, tar);
}

/** Compresses a tar that exists and takes its digests. */
export async function compressed(directory: string, tar: string, level = "-6"): Promise<DiskLayer> {
  const diffId = await digestOfFile(tar);
  execFileSync("gzip", ["-n", "-f", level, tar]);
  const digest = await digestOfFile(`${tar}.gz`);
  const blob = join(directory, digest.slice("sha256:".length));
  renameSync(`${tar}.gz`, blob);
  return { blob, digest, diffId, size: statSync(blob).size };
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  return `sha256:${hash.digest("hex")}`;
}

/** Writes an OCI layout of layers that lie on disk; blobs are linked, not copied. */
export function writeDiskLayout(directory: string, layers: readonly DiskLayer[]): void {
  const blobs = join(directory, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (value: object) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(blobs, hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  for (const { blob, digest } of layers) execFileSync("ln", ["-f", blob, join(blobs, digest.slice("sha256:".length))]);
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const config = put({
    architecture,
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const type = (kind: string) => `application/vnd.oci.image.${kind}`;
  const manifest = put({
    schemaVersion: 2,
    mediaType: type("manifest.v1+json"),
    config: { mediaType: type("config.v1+json"), ...config },
    layers: layers.map(({ digest, size }) => ({ mediaType: type("layer.v1.tar+gzip"), digest, size })),
  });
  writeFileSync(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const root = { mediaType: type("manifest.v1+json"), ...manifest };
  writeFileSync(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [root] }));
}

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openImage } from "./open-image.ts";
import {
  type BuiltImage,
  buildImage,
  buildIndex,
  digestOf,
  dockerArchive,
  type LayerInput,
  layoutFiles,
  ociArchive,
  writeLayout,
} from "./testing/image-builder.ts";
import { type LayerContents, readAll } from "./testing/read-all.ts";
import { makeTar } from "./testing/tar-writer.ts";
import { temporaryDirectory } from "./testing/temporary.ts";

const directory = temporaryDirectory();
const layers: readonly LayerInput[] = [
  {
    files: { "etc/os-release": "ID=debian\n", "usr/bin/": "", "usr/bin/tool": "x".repeat(300_000) },
    createdBy: "/bin/sh -c #(nop) ADD file:1 in / ",
  },
  {
    files: { "etc/.wh.os-release": "", "opt/.wh..wh..opq": "", "opt/new": "new" },
    compression: "zstd",
    createdBy: "RUN /bin/sh -c rm x # buildkit",
  },
  { entries: [{ path: "link", type: "2", linkTarget: "opt/new" }], compression: "plain" },
];
const config = {
  Labels: { team: "a" },
  User: "1000",
  Env: ["A=b"],
  Cmd: ["sh"],
  ExposedPorts: { "80/tcp": {} },
  Healthcheck: { Test: ["CMD", "true"] },
  WorkingDir: "/w",
};
const image: BuiltImage = buildImage({
  layers,
  config,
  annotations: { "org.opencontainers.image.base.name": "docker.io/library/debian:12" },
});

function put(name: string, bytes: Uint8Array): string {
  const path = join(directory.path, name);
  writeFileSync(path, bytes);
  return path;
}

const at = (name: string): string => join(directory.path, name);

beforeAll(() => {
  writeLayout(image, at("layout"), "v1");
});
afterAll(() => directory.remove());

async function contentsOf(source: string, platform?: string): Promise<LayerContents[]> {
  const opened = await openImage(source, platform === undefined ? {} : { platform });
  try {
    return await Promise.all(opened.layers.map((layer) => readAll(opened, layer.index)));
  } finally {
    await opened.close();
  }
}

describe("the same image gives the same entries from every kind of file", () => {
  const sources: Readonly<Record<string, () => string>> = {
    "OCI layout": () => `oci:${at("layout")}`,
    "OCI layout by tag": () => `oci:${at("layout")}:v1`,
    "OCI layout by digest": () => `oci:${at("layout")}@${image.manifest.digest}`,
    "OCI archive": () => put("oci.tar", ociArchive(image)),
    "OCI archive, gzip": () => put("oci.tar.gz", gzipSync(ociArchive(image))),
    "OCI archive, zstd": () => put("oci.tar.zst", zstdCompressSync(ociArchive(image))),
    "docker archive": () => put("docker.tar", dockerArchive(image, layers)),
    "docker archive by name": () => `${put("docker.tar", dockerArchive(image, layers))}:test:latest`,
    "OCI archive by skopeo": () => {
      execFileSync("skopeo", ["copy", "-q", `oci:${at("layout")}:v1`, `oci-archive:${at("skopeo-oci.tar")}:x`]);
      return at("skopeo-oci.tar");
    },
  };

  test.each(Object.entries(sources))("%s", async (_, source) => {
    expect(await contentsOf(source())).toEqual(await contentsOf(`oci:${at("layout")}`));
  });

  test("docker archive by skopeo, which knows no zstd", async () => {
    const plain = layers.map((layer) => ({ ...layer, compression: "gzip" as const }));
    writeLayout(buildImage({ layers: plain }), at("gzip"), "v1");
    execFileSync("skopeo", ["copy", "-q", `oci:${at("gzip")}:v1`, `docker-archive:${at("skopeo.tar")}:x:1`]);
    expect(await contentsOf(at("skopeo.tar"))).toEqual(await contentsOf(`oci:${at("gzip")}`));
  });

  test("and the manifest's facts", async () => {
    const opened = await openImage(`oci:${at("layout")}:v1`);
    expect(opened).toMatchObject({
      digest: image.manifest.digest,
      annotations: { "org.opencontainers.image.base.name": "docker.io/library/debian:12" },
      config: {
        created: "2024-01-02T03:04:05Z",
        user: "1000",
        env: ["A=b"],
        cmd: ["sh"],
        labels: { team: "a" },
        exposedPorts: ["80/tcp"],
        healthcheck: { test: ["CMD", "true"] },
        workingDir: "/w",
      },
    });
    expect(opened.layers.map((layer) => [layer.diffId, layer.digest, layer.createdBy])).toEqual([
      [image.diffIds[0], image.layerDigests[0], "ADD file:1 in /"],
      [image.diffIds[1], image.layerDigests[1], "RUN rm x"],
      [image.diffIds[2], image.layerDigests[2], ""],
    ]);
    await opened.close();
  });
});

test("a docker archive whose repeated layers are links gives each of them", async () => {
  const twice = [layers[0]!, layers[1]!, layers[0]!];
  const contents = await contentsOf(put("links.tar", dockerArchive(buildImage({ layers: twice }), twice)));
  expect(contents[2]).toEqual(contents[0]);
});

test("a layer may be read twice, and several at once", async () => {
  const opened = await openImage(`oci:${at("layout")}`);
  const [first, second] = await Promise.all([readAll(opened, 0), readAll(opened, 0)]);
  expect(first).toEqual(second);
  await opened.close();
});

describe("several platforms", () => {
  const others = [
    buildImage({ layers: [{ files: { arch: "arm64" } }], architecture: "arm64", variant: "v8" }),
    buildImage({ layers: [{ files: { arch: "s390x" } }], architecture: "s390x" }),
  ];
  const attestation = {
    ...image.manifest,
    platform: { os: "unknown", architecture: "unknown" },
    annotations: { "vnd.docker.reference.type": "attestation-manifest" },
  };
  const blobs = new Map(others.flatMap((other) => [...other.blobs]));

  function layoutOf(name: string, depth: number): string {
    let index = buildIndex([attestation, ...others.map((other) => other.manifest)]);
    const all = new Map(blobs);
    for (let i = 0; i < depth; i++) {
      all.set(index.descriptor.digest, index.bytes);
      index = buildIndex([{ ...index.descriptor }]);
    }
    all.set(index.descriptor.digest, index.bytes);
    return put(name, makeTar([...layoutFiles(all, [index.descriptor])].map(([path, content]) => ({ path, content }))));
  }

  test("the one asked for is opened", async () => {
    const [contents] = await contentsOf(layoutOf("index.tar", 1), "linux/arm64");
    expect(contents!.contents.arch!.toString()).toBe("arm64");
  });

  test("one that is not there ends in an error that lists those that are", async () => {
    await expect(openImage(layoutOf("index.tar", 0), { platform: "linux/riscv64" })).rejects.toMatchObject({
      code: "PLATFORM_NOT_FOUND",
      message: expect.stringContaining("linux/arm64/v8, linux/s390x"),
    });
    await expect(openImage(`oci:${at("layout")}`, { platform: "linux/riscv64" })).rejects.toMatchObject({
      code: "PLATFORM_NOT_FOUND",
    });
  });

  test("indexes within indexes are bounded", async () => {
    await expect(openImage(layoutOf("deep.tar", 5), { platform: "linux/arm64" })).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
    });
  });
});

describe("hostile files", () => {
  test.each(Array.from({ length: 15 }, (_, i) => i + 1))(
    "an archive cut at %i/16 ends in one clear error",
    async (sixteenth) => {
      for (const whole of [ociArchive(image), dockerArchive(image, layers), gzipSync(ociArchive(image))]) {
        const source = put("cut.tar", whole.subarray(0, Math.floor((whole.length * sixteenth) / 16)));
        await expect(contentsOf(source)).rejects.toMatchObject({
          name: "CodedError",
          code: expect.stringMatching(/^(LAYER_TORN|SOURCE_INVALID|MANIFEST_INVALID)$/),
        });
      }
    },
  );

  test("a layout whose blob is cut is torn", async () => {
    writeLayout(image, at("torn"));
    const blob = image.layerDigests[0]!.slice(7);
    writeFileSync(join(at("torn"), "blobs/sha256", blob), image.blobs.get(image.layerDigests[0]!)!.subarray(0, 100));
    await expect(contentsOf(`oci:${at("torn")}`)).rejects.toMatchObject({
      code: "LAYER_TORN",
      message: expect.stringContaining(blob),
    });
  });

  test.each([
    ["layer's digest", { lie: { digest: digestOf(Buffer.from("a")) } }, "DIGEST_MISMATCH"],
    ["layer's diffID", { lie: { diffId: digestOf(Buffer.from("a")) } }, "DIGEST_MISMATCH"],
    ["layer's size, too large", { lie: { size: 10_000_000 } }, "LAYER_TORN"],
    ["layer's size, too small", { lie: { size: 50 } }, "DIGEST_MISMATCH"],
    ["layer's size, absurd", { lie: { size: 2 ** 52 } }, "LAYER_LIMIT"],
    ["layer's distribution", { lie: { urls: ["http://127.0.0.1:1/"] } }, "LAYER_FOREIGN"],
  ])("a lie about a %s is refused", async (_, lie, code) => {
    const lying = buildImage({ layers: [{ files: { "etc/passwd": "root" }, ...lie }] });
    await expect(contentsOf(put("lie.tar", ociArchive(lying)))).rejects.toMatchObject({ code });
  });

  test("a changed configuration or manifest is refused", async () => {
    for (const digest of [image.configDigest, image.manifest.digest]) {
      const blobs = new Map(image.blobs);
      const changed = Buffer.from(blobs.get(digest)!);
      changed[changed.length - 3] = 0x20;
      blobs.set(digest, changed);
      await expect(
        openImage(
          put(
            "changed.tar",
            makeTar([...layoutFiles(blobs, [image.manifest])].map(([path, content]) => ({ path, content }))),
          ),
        ),
      ).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    }
    const docker = Buffer.from(dockerArchive(image, layers));
    docker[docker.indexOf('"team"') + 1] = 0x58;
    await expect(openImage(put("changed.tar", docker))).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  test("an archive that holds its manifest twice is refused", async () => {
    const twice = makeTar([
      { path: "manifest.json", content: "[]" },
      { path: "./manifest.json", content: "[]" },
    ]);
    await expect(openImage(put("twice.tar", twice))).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });

  test("links in a loop and members outside lead nowhere", async () => {
    const loop = makeTar([
      { path: "manifest.json", content: JSON.stringify([{ Config: "a", Layers: [] }]) },
      { path: "a", type: "2", linkTarget: "b" },
      { path: "b", type: "2", linkTarget: "a" },
    ]);
    await expect(openImage(put("loop.tar", loop))).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    const outside = makeTar([
      { path: "manifest.json", content: JSON.stringify([{ Config: "../../../../../../etc/passwd", Layers: [] }]) },
    ]);
    await expect(openImage(put("outside.tar", outside))).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });

  test("a layer and configuration that disagree on the number of layers are refused", async () => {
    const files = layoutFiles(image.blobs, [image.manifest]);
    const parsed = JSON.parse(Buffer.from(image.manifestBytes).toString()) as { layers: unknown[] };
    const fewer = Buffer.from(JSON.stringify({ ...parsed, layers: parsed.layers.slice(1) }));
    const root = { ...image.manifest, digest: digestOf(fewer), size: fewer.length };
    for (const [path, bytes] of layoutFiles(new Map([[root.digest, fewer]]), [root])) files.set(path, bytes);
    await expect(
      openImage(put("fewer.tar", makeTar([...files].map(([path, content]) => ({ path, content }))))),
    ).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });

  test("a compressed archive that is a bomb is stopped", async () => {
    const bomb = put(
      "bomb.tar.gz",
      gzipSync(Buffer.concat([makeTar([{ path: "a", size: 50_000_000 }]).subarray(0, 512), Buffer.alloc(50_000_000)])),
    );
    await expect(openImage(bomb, { limits: { maxBlobBytes: 1_000_000 } })).rejects.toMatchObject({
      code: "LAYER_LIMIT",
    });
  });

  test("a blob that is a FIFO does not hang the program", async () => {
    writeLayout(image, at("fifo"));
    const blob = join(at("fifo"), "blobs/sha256", image.configDigest.slice(7));
    execFileSync("rm", [blob]);
    execFileSync("mkfifo", [blob]);
    await expect(openImage(`oci:${at("fifo")}`)).rejects.toMatchObject({ code: "SOURCE_INVALID" });
  });

  test("100,000 members of an archive are too many", async () => {
    const many = makeTar(Array.from({ length: 50 }, (_, i) => ({ path: `${i}` })));
    await expect(openImage(put("many.tar", many), { limits: { maxArchiveMembers: 49 } })).rejects.toMatchObject({
      code: "LAYER_LIMIT",
    });
  });
});

describe("sources that are not there or not what they say", () => {
  test.each([
    ["/nowhere/image.tar", "SOURCE_NOT_FOUND"],
    ["missing.tar.gz", "SOURCE_NOT_FOUND"],
    ["oci:/nowhere", "SOURCE_INVALID"],
    ["dir:/nowhere", "SOURCE_NOT_FOUND"],
    ["Not A Reference", "REFERENCE_INVALID"],
  ])("%s", async (source, code) => {
    await expect(openImage(source)).rejects.toMatchObject({ code });
  });

  test("a directory without prefix says which prefixes there are", async () => {
    await expect(openImage(directory.path)).rejects.toMatchObject({
      code: "SOURCE_INVALID",
      next: expect.stringContaining("dir:"),
    });
  });

  test("a file that is no tar", async () => {
    await expect(openImage(put("text.tar", Buffer.from("hello ".repeat(1_000))))).rejects.toMatchObject({
      code: "LAYER_INVALID",
      message: expect.stringContaining("text.tar"),
    });
  });

  test("an unknown tag lists the names there are", async () => {
    await expect(openImage(`oci:${at("layout")}:v2`)).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
      message: expect.stringContaining("v1"),
    });
  });

  test("several images need a choice", async () => {
    const other = buildImage({ layers: [{ files: { other: "" } }] });
    const named = [image, other].map((built, i) => ({
      ...built.manifest,
      annotations: { "org.opencontainers.image.ref.name": `v${i}` },
    }));
    const source = put(
      "two.tar",
      makeTar(
        [...layoutFiles(new Map([...image.blobs, ...other.blobs]), named)].map(([path, content]) => ({
          path,
          content,
        })),
      ),
    );
    await expect(openImage(source)).rejects.toMatchObject({
      code: "IMAGE_AMBIGUOUS",
      message: expect.stringContaining("v0, v1"),
    });
    expect((await contentsOf(`${source}:v1`))[0]!.entries.map((entry) => entry.path)).toEqual(["other"]);
  });

  test("offline refuses registries and says so", async () => {
    await expect(openImage("debian:12", { offline: true })).rejects.toMatchObject({ code: "OFFLINE" });
  });
});

test("nothing of a compressed archive stays in the temporary directory", async () => {
  mkdirSync(at("tmp"));
  vi.stubEnv("TMPDIR", at("tmp")); // one that no other test writes to
  try {
    const opened = await openImage(put("oci.tar.gz", gzipSync(ociArchive(image))));
    expect(readdirSync(at("tmp"))).toEqual([]);
    await opened.close();
  } finally {
    vi.unstubAllEnvs();
  }
});

describe("a root file system", () => {
  test("is one layer, read without following links out of it", async () => {
    const root = at("root");
    mkdirSync(join(root, "etc"), { recursive: true });
    mkdirSync(join(root, "sub/deep"), { recursive: true });
    writeFileSync(join(root, "etc/os-release"), "ID=alpine\n");
    writeFileSync(join(root, "sub/.wh.plain"), "a file like any other");
    writeFileSync(Buffer.concat([Buffer.from(join(root, "sub/bad-")), Buffer.from([0xff])]), "bytes");
    symlinkSync("/etc", join(root, "escape"));
    symlinkSync("loop", join(root, "loop"));
    symlinkSync("..", join(root, "sub/up"));
    execFileSync("mkfifo", [join(root, "pipe")]);
    const [contents] = await contentsOf(`dir:${root}`);
    expect(contents!.entries.map((entry) => `${entry.kind} ${entry.path} ${entry.linkTarget}`.trim())).toEqual([
      "symlink escape /etc",
      "directory etc",
      "file etc/os-release",
      "symlink loop loop",
      "fifo pipe",
      "directory sub",
      "file sub/.wh.plain",
      "file sub/bad-\u{10ffff}",
      "directory sub/deep",
      "symlink sub/up ..",
    ]);
    expect(contents!.contents["etc/os-release"]!.toString()).toBe("ID=alpine\n");
    expect(contents!.summary).toEqual({ diffId: "", entries: 10, bytes: 10 + 21 + 5 });
    expect(contents!.problems).toEqual([]);
  });

  test("stays on its file system and reads a large file in pieces", async () => {
    const root = at("large");
    mkdirSync(root);
    writeFileSync(join(root, "large"), Buffer.alloc(5_000_000, 1));
    const opened = await openImage(`dir:${root}`);
    const sizes: number[] = [];
    await opened.readLayer(0, () => ({ write: (chunk) => sizes.push(chunk.length), end: () => undefined }));
    expect(sizes.reduce((sum, size) => sum + size)).toBe(5_000_000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
    const proc: string[] = [];
    const machine = await openImage("dir:/");
    const controller = new AbortController();
    const reading = machine.readLayer(
      0,
      (entry) => {
        if (/^(proc|sys)\//.test(entry.path)) proc.push(entry.path);
        if (entry.path.startsWith("usr/")) controller.abort();
        return undefined;
      },
      { signal: controller.signal },
    );
    await expect(reading).rejects.toMatchObject({ code: "CANCELLED" });
    expect(proc).toEqual([]);
  });

  test("directories deeper than the bound are told, not lost silently", async () => {
    const root = at("deep");
    mkdirSync(join(root, ...Array.from({ length: 600 }, () => "d")), { recursive: true });
    const [contents] = await contentsOf(`dir:${root}`);
    expect(contents!.problems.join()).toContain("deeper than");
  });
});

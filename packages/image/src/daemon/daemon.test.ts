import { execFileSync } from "node:child_process";
import { createReadStream, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openImage } from "../open-image.ts";
import type { OpenOptions } from "../open-options.ts";
import { type ChildServer, startChild } from "../testing/child.ts";
import { buildImage, type LayerInput, writeLayout } from "../testing/image-builder.ts";
import { type LayerContents, readAll } from "../testing/read-all.ts";
import { temporaryDirectory } from "../testing/temporary.ts";
import { listLocalImages } from "./local-images.ts";
import { bytesAt, decodeMessage, encodeMessage, numberAt, textAt } from "./protobuf.ts";

const directory = temporaryDirectory();
const at = (name: string): string => join(directory.path, name);
const layers: readonly LayerInput[] = [
  { files: { "etc/os-release": "ID=debian\n", large: Buffer.alloc(3_000_000, "0123456789") } },
  { files: { "etc/.wh.os-release": "" } },
];
const image = buildImage({ layers });

beforeAll(() => writeLayout(image, at("layout"), "1"));
afterAll(() => directory.remove());

async function contentsOf(source: string, options: OpenOptions = {}): Promise<LayerContents[]> {
  const opened = await openImage(source, options);
  try {
    return await Promise.all(opened.layers.map((layer) => readAll(opened, layer.index)));
  } finally {
    await opened.close();
  }
}

describe("containerd", () => {
  let containerd: ChildServer;
  const socket = at("containerd.sock");
  const ctr = (...args: string[]): void => {
    execFileSync("ctr", ["--address", socket, ...args], { stdio: "ignore" });
  };

  beforeAll(async () => {
    const config = at("containerd.toml");
    writeFileSync(
      config,
      `version = 2
root = "${at("containerd-root")}"
state = "${at("containerd-state")}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${socket}.ttrpc"
`,
    );
    containerd = await startChild("containerd", ["--config", config], /containerd successfully booted/);
    execFileSync("skopeo", ["copy", "-q", `oci:${at("layout")}:1`, `oci-archive:${at("image.tar")}:1`]);
    ctr(
      "--namespace",
      "default",
      "images",
      "import",
      "--no-unpack",
      "--base-name",
      "docker.io/library/app",
      at("image.tar"),
    );
    ctr(
      "--namespace",
      "k8s.io",
      "images",
      "import",
      "--no-unpack",
      "--base-name",
      "docker.io/library/kube",
      at("image.tar"),
    );
  });
  afterAll(() => containerd?.stop());

  test("gives the image by its full and its short name, from both usual namespaces", async () => {
    const expected = await contentsOf(`oci:${at("layout")}`);
    for (const name of ["docker.io/library/app:1", "app:1", "kube:1"]) {
      expect(await contentsOf(`containerd:${name}`, { containerdSocket: socket })).toEqual(expected);
    }
    const opened = await openImage("containerd:app:1", { containerdSocket: socket });
    expect(opened).toMatchObject({ digest: image.manifest.digest, reference: "containerd:app:1" });
    await opened.close();
  });

  test("tells what is not there", async () => {
    await expect(openImage("containerd:none:1", { containerdSocket: socket })).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
    });
    await expect(
      openImage("containerd:kube:1", { containerdSocket: socket, containerdNamespace: "default" }),
    ).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
    await expect(openImage("containerd:app:1", { containerdSocket: at("no.sock") })).rejects.toMatchObject({
      code: "DAEMON_UNREACHABLE",
    });
    await expect(
      openImage("containerd:app:1", { containerdSocket: socket, containerdNamespace: "a\r\nb" }),
    ).rejects.toMatchObject({ code: "REFERENCE_INVALID" });
  });

  test("lists its images, of all namespaces or of one", async () => {
    const only = { containerdSocket: socket, dockerSocket: at("none.sock"), podmanSocket: at("none.sock") };
    const { images, daemons, problems } = await listLocalImages(only);
    expect([daemons, problems]).toEqual([["containerd"], []]);
    expect(images).toEqual([
      { source: "containerd", namespace: "default", name: "docker.io/library/app:1", digest: image.manifest.digest },
      { source: "containerd", namespace: "k8s.io", name: "docker.io/library/kube:1", digest: image.manifest.digest },
    ]);
    expect((await listLocalImages({ ...only, containerdNamespace: "k8s.io" })).images).toHaveLength(1);
    expect((await listLocalImages({ ...only, containerdNamespace: "nobody" })).images).toEqual([]);
  });

  test("a layer whose content was thrown away says so", async () => {
    ctr("--namespace", "default", "content", "rm", image.layerDigests[1]!);
    const opened = await openImage("containerd:app:1", { containerdSocket: socket });
    await expect(readAll(opened, 1)).rejects.toMatchObject({
      code: "SOURCE_INVALID",
      next: expect.stringContaining("discard_unpacked_layers"),
    });
    expect((await readAll(opened, 0)).summary.diffId).toBe(image.diffIds[0]);
    await opened.close();
  });
});

test("a socket that does not speak gRPC ends in a clear error", async () => {
  const server = createServer((_, response) => void response.end("hello"));
  await new Promise<void>((resolve) => server.listen(at("http.sock"), resolve));
  await expect(openImage("containerd:app:1", { containerdSocket: at("http.sock") })).rejects.toMatchObject({
    code: "DAEMON_UNREACHABLE",
  });
  server.close();
});

describe("docker and podman, by the Engine API", () => {
  let server: Server;
  const seen: string[] = [];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  const socket = at("engine.sock");
  const options = { dockerSocket: socket, podmanSocket: socket };

  beforeAll(async () => {
    execFileSync("skopeo", ["copy", "-q", `oci:${at("layout")}:1`, `docker-archive:${at("saved.tar")}:app:1`]);
    server = createServer((request, response) => {
      seen.push(request.url ?? "");
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const engine = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url === "/images/app%3A1/json") response.end(JSON.stringify({ Id: image.configDigest }));
    else if (request.url === "/images/app%3A1/get") createReadStream(at("saved.tar")).pipe(response);
    else response.writeHead(404).end(JSON.stringify({ message: "no such image" }));
  };

  test.each(["docker", "podman"])("%s gives the image that it saves", async (name) => {
    answer = engine;
    const contents = await contentsOf(`${name}:app:1`, options);
    expect(contents).toEqual(await contentsOf(`oci:${at("layout")}`));
  });

  test("tells what is not there", async () => {
    answer = engine;
    await expect(openImage("docker:none:1", options)).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
    await expect(openImage("podman:app:1", { podmanSocket: at("none.sock") })).rejects.toMatchObject({
      code: "DAEMON_UNREACHABLE",
    });
  });

  test("lists its images by name, and tells of an answer that is no list", async () => {
    const named = { Id: image.configDigest, RepoTags: ["app:1", "app:2"] };
    answer = (_, response) =>
      void response.end(JSON.stringify([named, { Id: "sha256:x", RepoTags: ["b"] }, { Id: 1 }, 7]));
    const none = { containerdSocket: at("none.sock"), podmanSocket: at("none.sock"), dockerSocket: socket };
    const { images, daemons } = await listLocalImages(none);
    expect(daemons).toEqual(["docker"]);
    expect(images.map(({ source, name }) => `${source}:${name}`)).toEqual(["docker:app:1", "docker:app:2"]);
    answer = (_, response) => void response.end("hello");
    expect((await listLocalImages(none)).problems).toEqual([expect.stringContaining("does not answer with JSON")]);
    answer = (_, response) => void response.writeHead(500).end();
    expect((await listLocalImages(none)).problems).toEqual([expect.stringContaining("status 500")]);
  });

  test("a name is never more than a name in the request", async () => {
    seen.length = 0;
    for (const name of ["../../containers/json", "a?b", "a b", "a\r\nX: y", "x/../../info", ""]) {
      await expect(openImage(`docker:${name}`, options)).rejects.toMatchObject({ code: "REFERENCE_INVALID" });
    }
    expect(seen).toEqual([]);
  });

  test("a stream that ends early is torn, an error is passed on, and an endless stream is cut", async () => {
    answer = (request, response) => {
      if (request.url?.endsWith("/json")) response.end("{}");
      else response.write(Buffer.alloc(100_000), () => response.destroy());
    };
    await expect(openImage("docker:app:1", options)).rejects.toMatchObject({ code: "LAYER_TORN" });
    answer = (_, response) => void response.writeHead(500).end(JSON.stringify({ message: "disk full" }));
    await expect(openImage("docker:app:1", options)).rejects.toMatchObject({
      code: "DAEMON_REFUSED",
      message: expect.stringContaining("disk full"),
    });
    answer = (request, response) => {
      if (request.url?.endsWith("/json")) return void response.end("{}");
      const send = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once("drain", send);
      };
      send();
    };
    await expect(openImage("docker:app:1", { ...options, limits: { maxBlobBytes: 5_000_000 } })).rejects.toMatchObject({
      code: "LAYER_LIMIT",
    });
  });
});

describe("protobuf", () => {
  test("what was written is read back", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1 }),
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        (text, number) => {
          const fields = decodeMessage(
            encodeMessage([
              [1, text],
              [3, number],
            ]),
          );
          expect(textAt(fields, 1)).toBe(text.toWellFormed());
          expect(numberAt(fields, 3)).toBe(number);
          expect(bytesAt(fields, 2)).toHaveLength(0);
        },
      ),
    );
  });

  test("bytes that are no message end in a RangeError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodeMessage(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

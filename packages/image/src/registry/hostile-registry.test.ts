import { afterAll, afterEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { openImage } from "../open-image.ts";
import { buildImage, buildIndex, digestOf } from "../testing/image-builder.ts";
import { type Intercept, startRegistry } from "../testing/registry.ts";
import { isInternalHost, publicLookup } from "./addresses.ts";
import { createHttpClient } from "./http.ts";
import {
  closeServers,
  content,
  directory,
  image,
  isLargeBlob,
  noLogin,
  pull,
  quick,
  serve,
  status,
} from "./testing/pull.ts";

afterEach(closeServers);
afterAll(() => directory.remove());

describe("connections that fail", () => {
  test("a cut download goes on where it ended, whatever the number of cuts", async () => {
    const bytes = image.blobs.get(image.layerDigests[0]!)!;
    let cuts = 0;
    const registry = await serve((request, response) => {
      if (!isLargeBlob(request) || cuts >= 6) return false;
      cuts++;
      const from = Number(/\d+/.exec(request.range)?.[0] ?? 0);
      response.writeHead(from === 0 ? 200 : 206, {
        "content-length": bytes.length - from,
        "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
      });
      response.write(bytes.subarray(from, from + 50_000), () => response.destroy());
      return true;
    });
    const [large] = await pull(registry);
    expect(large!.summary.diffId).toBe(image.diffIds[0]);
    const ranges = registry.seen.filter(isLargeBlob).map((request) => request.range);
    expect(ranges.slice(0, 3)).toEqual(["", "bytes=50000-", "bytes=100000-"]);
  });

  test("a registry that knows no ranges sends the start again, which is dropped", async () => {
    const bytes = image.blobs.get(image.layerDigests[0]!)!;
    let cuts = 0;
    const registry = await serve((request, response) => {
      if (!isLargeBlob(request)) return false;
      response.writeHead(200, { "content-length": bytes.length });
      if (++cuts <= 2) response.write(bytes.subarray(0, 70_000 * cuts), () => response.destroy());
      else response.end(bytes);
      return true;
    });
    expect((await pull(registry))[0]!.summary.diffId).toBe(image.diffIds[0]);
  });

  test("a registry that sends another part than was asked for is not believed", async () => {
    const bytes = image.blobs.get(image.layerDigests[0]!)!;
    const registry = await serve((request, response) => {
      if (!isLargeBlob(request)) return false;
      response.writeHead(request.range === "" ? 200 : 206, {
        "content-length": bytes.length,
        "content-range": `bytes 0-${bytes.length - 1}/${bytes.length}`,
      });
      response.write(bytes.subarray(0, 70_000), () => response.destroy());
      return true;
    });
    await expect(pull(registry)).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
  });

  test("cuts without progress end after the stated number of tries", async () => {
    const registry = await serve((request, response) => {
      if (!isLargeBlob(request)) return false;
      response.writeHead(200, { "content-length": 400_000 });
      response.flushHeaders();
      response.destroy();
      return true;
    });
    await expect(pull(registry)).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
  });

  test.each([500, 502, 503, 429])("status %i is tried again, as Retry-After says", async (code) => {
    const failed = new Map<string, number>();
    const registry = await serve((request, response) => {
      const times = (failed.get(request.url) ?? 0) + 1;
      failed.set(request.url, times);
      return times <= 2 ? status(response, code, { "retry-after": "0" }) : false;
    });
    expect(await pull(registry)).toHaveLength(2);
  });

  test("a failure that stays is told with the status", async () => {
    const registry = await serve((_, response) => status(response, 503));
    await expect(pull(registry)).rejects.toMatchObject({
      code: "REGISTRY_REFUSED",
      message: expect.stringContaining("503"),
    });
    expect(registry.seen).toHaveLength(5);
  });

  test("nobody there", async () => {
    const registry = await startRegistry(content);
    await registry.close();
    await expect(pull(registry)).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE", next: expect.any(String) });
  });

  test("silence counts as the end", async () => {
    const registry = await serve(() => true);
    await expect(pull(registry, { limits: { ...quick, idleTimeoutMs: 50, retryAttempts: 2 } })).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
    });
  });

  test("an aborted signal ends a download at once", async () => {
    const controller = new AbortController();
    const registry = await serve((request, response) => {
      if (!isLargeBlob(request)) return false;
      response.writeHead(200, { "content-length": 400_000 });
      response.write("start", () => controller.abort());
      return true;
    });
    const opened = await openImage(`http://${registry.host}/team/app:1`, { dockerConfig: noLogin(), limits: quick });
    await expect(opened.readLayer(0, () => undefined, { signal: controller.signal })).rejects.toMatchObject({
      code: "CANCELLED",
    });
    await opened.close();
  });
});

describe("a hostile registry", () => {
  const manifestOf =
    (name: string, headers: Record<string, string>, body: Uint8Array | string): Intercept =>
    (request, response) => {
      if (!request.url.endsWith(`/manifests/${name}`)) return false;
      response.writeHead(200, headers).end(body);
      return true;
    };

  test("gives another manifest than the digest that was asked for", async () => {
    const registry = await serve(
      manifestOf(image.manifest.digest, { "content-type": image.manifest.mediaType }, Buffer.from("{}")),
    );
    await expect(pull(registry, {}, `team/app:1@${image.manifest.digest}`)).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
    });
  });

  test("announces another digest than the manifest has", async () => {
    const registry = await serve(
      manifestOf(
        "1",
        { "content-type": image.manifest.mediaType, "docker-content-digest": digestOf(Buffer.from("x")) },
        image.manifestBytes,
      ),
    );
    await expect(pull(registry)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  test("serves a manifest as an index", async () => {
    const registry = await serve(
      manifestOf("1", { "content-type": "application/vnd.oci.image.index.v1+json" }, image.manifestBytes),
    );
    await expect(pull(registry)).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });

  test("sends an endless manifest", async () => {
    const registry = await serve((_, response) => {
      const send = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
        if (!response.destroyed) response.once("drain", send);
      };
      send();
      return true;
    });
    await expect(pull(registry)).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
      message: expect.stringContaining("4194304"),
    });
  });

  test("sends a layer that never ends", async () => {
    let sent = 0;
    const registry = await serve((request, response) => {
      if (!isLargeBlob(request)) return false;
      response.writeHead(200);
      const send = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
        if (!response.destroyed) response.once("drain", send);
      };
      send();
      return true;
    });
    await expect(pull(registry)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(sent).toBeLessThan(50_000_000);
  });

  test("redirects in a circle", async () => {
    const registry = await serve((request, response) => status(response, 302, { location: request.url }));
    await expect(pull(registry)).rejects.toMatchObject({
      code: "REGISTRY_REFUSED",
      message: expect.stringContaining("redirects"),
    });
  });

  test.each(["file:///etc/passwd", "ftp://example.com/x", "http://[broken", "javascript:0"])(
    "redirects to %s",
    async (location) => {
      const registry = await serve((_, response) => status(response, 302, { location }));
      await expect(pull(registry)).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
    },
  );

  test("repeats what it likes in its error, which is not repeated", async () => {
    const registry = await serve((_, response) => {
      response
        .writeHead(404)
        .end(JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "\u001b[31mpassword: hunter2" }] }));
      return true;
    });
    const error = (await pull(registry).catch((thrown: Error) => thrown)) as Error;
    expect(error.message).toContain("MANIFEST_UNKNOWN");
    expect(error.message).not.toContain("hunter2");
  });

  test("lists platforms, of which the wanted one is taken by its digest", async () => {
    const arm = buildImage({ layers: [{ files: { arch: "arm" } }], architecture: "arm", variant: "v7" });
    const index = buildIndex([image.manifest, arm.manifest]);
    const blobs = new Map([...content.blobs, ...arm.blobs, [index.descriptor.digest, index.bytes] as const]);
    const registry = await serve(undefined, { blobs, tags: { "team/app:1": index.descriptor } });
    expect((await pull(registry, { platform: "linux/arm/v7" }))[0]!.contents.arch!.toString()).toBe("arm");
    await expect(pull(registry, { platform: "linux/arm/v6" })).rejects.toMatchObject({ code: "PLATFORM_NOT_FOUND" });
  });
});

describe("addresses that a registry may not send us to", () => {
  test.each([
    "localhost",
    "a.localhost",
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "169.254.169.254",
    "100.100.100.200",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[fd00:ec2::254]",
  ])("%s", (host) => {
    expect(isInternalHost(new URL(`http://${host}/`).hostname)).toBe(true);
  });

  test.each(["example.com", "10.0.0.1", "192.168.1.1", "8.8.8.8", "[2001:db8::1]", "localhost.example"])(
    "but %s",
    (host) => {
      expect(isInternalHost(new URL(`http://${host}/`).hostname)).toBe(false);
    },
  );

  test("nor names that lead to them", async () => {
    const error = await new Promise((resolve) => publicLookup("localhost", {}, (thrown) => resolve(thrown)));
    expect(error).toMatchObject({ code: "REGISTRY_REFUSED" });
  });

  test("a registry elsewhere is refused when it redirects here", async () => {
    const registry = await serve();
    const { limits } = { limits: { ...DEFAULT_LIMITS, ...quick } };
    const client = createHttpClient({ limits, home: "registry.example", plainHttp: true, ca: undefined });
    await expect(
      client.send({ method: "GET", url: new URL(`http://${registry.host}/`), headers: {} }),
    ).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
    await expect(
      client.send({ method: "GET", url: new URL(`http://localhost:${registry.host.split(":")[1]}/`), headers: {} }),
    ).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
    expect(registry.seen).toEqual([]);
    client.close();
  });
});

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { openImage } from "../open-image.ts";
import type { OpenOptions } from "../open-options.ts";
import { type ChildServer, startChild } from "../testing/child.ts";
import { buildImage, buildIndex, digestOf, type LayerInput, writeLayout } from "../testing/image-builder.ts";
import { type LayerContents, readAll } from "../testing/read-all.ts";
import {
  contentOf,
  type Intercept,
  type RegistryContent,
  type SeenRequest,
  startRegistry,
  type TestRegistry,
} from "../testing/registry.ts";
import { temporaryDirectory } from "../testing/temporary.ts";
import { isInternalHost, publicLookup } from "./addresses.ts";
import { parseChallenge } from "./challenge.ts";
import { createHttpClient } from "./http.ts";

const directory = temporaryDirectory();
const layers: readonly LayerInput[] = [
  {
    files: { "etc/os-release": "ID=debian\n", large: Buffer.alloc(400_000, "0123456789abcdef") },
    compression: "plain",
  },
  { files: { small: "small" } },
];
const image = buildImage({ layers });
const content = contentOf({ "team/app:1": image });
const quick = { retryDelayMs: 1, retryMaxDelayMs: 5 };
const servers: TestRegistry[] = [];

async function serve(intercept?: Intercept, what: RegistryContent = content): Promise<TestRegistry> {
  const registry = await startRegistry(what, intercept);
  servers.push(registry);
  return registry;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
afterAll(() => directory.remove());

async function pull(registry: TestRegistry, options: OpenOptions = {}, name = "team/app:1"): Promise<LayerContents[]> {
  const opened = await openImage(`http://${registry.host}/${name}`, {
    limits: quick,
    dockerConfig: noLogin(),
    ...options,
  });
  try {
    return await Promise.all(opened.layers.map((layer) => readAll(opened, layer.index)));
  } finally {
    await opened.close();
  }
}

function writeConfig(value: unknown): string {
  const path = join(directory.path, `config-${Math.random()}.json`);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

const noLogin = (): string => writeConfig({});
const login = (host: string, user = "user", password = "pass-word"): string =>
  writeConfig({ auths: { [host]: { auth: Buffer.from(`${user}:${password}`).toString("base64") } } });
const SECRET = Buffer.from("user:pass-word").toString("base64");

const isBlob = (request: SeenRequest): boolean => request.url.includes("/blobs/");
const isLargeBlob = (request: SeenRequest): boolean => request.url.endsWith(image.layerDigests[0]!);

function status(response: ServerResponse, code: number, headers: Record<string, string> = {}): true {
  response.writeHead(code, headers).end();
  return true;
}

describe("a real registry", () => {
  let child: ChildServer | undefined;
  afterAll(() => child?.stop());

  test("with basic authentication gives the image to who logged in, and a clear error to who did not", async () => {
    const root = join(directory.path, "registry");
    mkdirSync(root);
    const users = join(root, "htpasswd");
    writeFileSync(users, execFileSync("htpasswd", ["-Bbn", "user", "pass-word"]));
    const configuration = join(root, "config.yml");
    writeFileSync(
      configuration,
      `version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: ${root}/data}}
auth: {htpasswd: {realm: test, path: ${users}}}
http: {addr: "127.0.0.1:0"}
`,
    );
    child = await startChild("docker-registry", ["serve", configuration], /listening on (127\.0\.0\.1:\d+)/);
    const host = child.ready[1]!;
    writeLayout(image, join(directory.path, "layout"), "v1");
    execFileSync("skopeo", [
      "copy",
      "-q",
      "--dest-tls-verify=false",
      "--dest-creds",
      "user:pass-word",
      `oci:${directory.path}/layout:v1`,
      `docker://${host}/team/app:1`,
    ]);
    execFileSync("skopeo", [
      "copy",
      "-q",
      "--format",
      "v2s2",
      "--dest-tls-verify=false",
      "--dest-creds",
      "user:pass-word",
      `oci:${directory.path}/layout:v1`,
      `docker://${host}/team/app:docker`,
    ]);
    const registry = { host } as TestRegistry;
    const pulled = await pull(registry, { dockerConfig: login(host) });
    expect(pulled.map((layer) => layer.summary.diffId)).toEqual(image.diffIds);
    const docker = await pull(registry, { dockerConfig: login(host) }, "team/app:docker");
    expect(docker.map((layer) => layer.contents)).toEqual(pulled.map((layer) => layer.contents));
    const opened = await openImage(`http://${host}/team/app:1`, { dockerConfig: login(host) });
    await opened.close();
    const byDigest = await pull(registry, { dockerConfig: login(host) }, `team/app@${opened.digest}`);
    expect(byDigest).toEqual(pulled);
    await expect(pull(registry)).rejects.toMatchObject({ code: "REGISTRY_AUTH" });
    const wrong = await pull(registry, { dockerConfig: login(host, "user", "wrong-secret") }).catch(
      (error: Error) => error,
    );
    expect(wrong).toMatchObject({ code: "REGISTRY_AUTH" });
    expect(JSON.stringify([wrong, (wrong as Error).message, String((wrong as Error).cause)])).not.toContain(
      "wrong-secret",
    );
    await expect(pull(registry, { dockerConfig: login(host) }, "team/app:none")).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
    });
  });
});

describe("bearer tokens", () => {
  const guarded =
    (realm: (request: SeenRequest) => string, tokens: () => string[]): Intercept =>
    (request, response) => {
      if (request.url.startsWith("/token") || tokens().some((token) => request.authorization === `Bearer ${token}`))
        return false;
      return status(response, 401, {
        "www-authenticate": `Bearer realm="${realm(request)}",service="test",scope="repository:team/app:pull"`,
      });
    };

  test("are fetched once, with the registry's credentials, and renewed when they end", async () => {
    let valid = "one";
    let issued = 0;
    let blobs = 0;
    const auth = await serve((request, response) => {
      issued++;
      expect(request.url).toBe("/token?service=test&scope=repository%3Ateam%2Fapp%3Apull");
      response.end(JSON.stringify({ token: valid }));
      return true;
    });
    const registry = await serve((request, response) => {
      if (isBlob(request) && ++blobs === 2) valid = "two";
      return guarded(
        () => `http://${auth.host}/token`,
        () => [valid],
      )(request, response);
    });
    expect(await pull(registry, { dockerConfig: login(registry.host) })).toHaveLength(2);
    expect(issued).toBe(2);
    expect(auth.seen.every((request) => request.authorization === `Basic ${SECRET}`)).toBe(true);
    expect(registry.seen.some((request) => request.authorization.startsWith("Basic"))).toBe(false);
  });

  test("are fetched without credentials where there are none", async () => {
    const auth = await serve((_, response) => {
      response.end(JSON.stringify({ access_token: "t" }));
      return true;
    });
    const registry = await serve(
      guarded(
        () => `http://${auth.host}/token`,
        () => ["t"],
      ),
    );
    expect(await pull(registry)).toHaveLength(2);
    expect(auth.seen.map((request) => request.authorization)).toEqual([""]);
  });

  test("a refresh token is posted, and not sent on when the token server redirects", async () => {
    const other = await serve();
    const auth = await serve((request, response) => {
      if (request.url === "/redirect") return status(response, 307, { location: `http://${other.host}/token` });
      expect(request.method).toBe("POST");
      expect(new URLSearchParams(request.body).get("refresh_token")).toBe("refresh-me");
      response.end(JSON.stringify({ access_token: "t" }));
      return true;
    });
    let realm = `http://${auth.host}/token`;
    const registry = await serve(
      guarded(
        () => realm,
        () => ["t"],
      ),
    );
    const dockerConfig = writeConfig({ auths: { [registry.host]: { identitytoken: "refresh-me" } } });
    expect(await pull(registry, { dockerConfig })).toHaveLength(2);
    realm = `http://${auth.host}/redirect`;
    await expect(pull(registry, { dockerConfig })).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
    expect(other.seen).toEqual([]);
  });

  test.each(["garbage", '{"token":5}', '{"token":"a\\r\\nx: y"}', "{}"])(
    "an answer of %j is no token",
    async (answer) => {
      const auth = await serve((_, response) => {
        response.end(answer);
        return true;
      });
      const registry = await serve(
        guarded(
          () => `http://${auth.host}/token`,
          () => ["t"],
        ),
      );
      await expect(pull(registry)).rejects.toMatchObject({ code: "REGISTRY_AUTH" });
    },
  );

  test("challenges are read as RFC 9110 writes them", () => {
    expect(parseChallenge('Bearer realm="https://a/t",service="s, t",scope="x"')).toEqual({
      scheme: "bearer",
      realm: "https://a/t",
      service: "s, t",
      scope: "x",
    });
    expect(parseChallenge('Basic realm="x"')).toEqual({ scheme: "basic" });
    expect(parseChallenge("Negotiate")).toBeUndefined();
    expect(parseChallenge(`Bearer ${'a="'.repeat(10_000)}`)).toBeUndefined();
  });
});

describe("credentials go only where they belong", () => {
  test("not to the host a blob redirects to", async () => {
    const store = await serve();
    const registry = await serve((request, response) => {
      if (request.authorization !== `Basic ${SECRET}`)
        return status(response, 401, { "www-authenticate": 'Basic realm="r"' });
      return isBlob(request) ? status(response, 307, { location: `http://${store.host}${request.url}` }) : false;
    });
    expect(await pull(registry, { dockerConfig: login(registry.host) })).toHaveLength(2);
    expect(store.seen.length).toBeGreaterThan(0);
    expect(store.seen.map((request) => request.authorization).join("")).toBe("");
  });

  test("not to the host a manifest redirects to, and its demand for some is not met with the first one's", async () => {
    const store = await serve((request, response) =>
      request.authorization === "" ? status(response, 401, { "www-authenticate": 'Basic realm="r"' }) : false,
    );
    const registry = await serve((_, response) =>
      status(response, 302, { location: `http://${store.host}/v2/team/app/manifests/1` }),
    );
    await expect(pull(registry, { dockerConfig: login(registry.host) })).rejects.toMatchObject({
      code: "REGISTRY_AUTH",
    });
    expect(store.seen.map((request) => request.authorization).join("")).toBe("");
  });

  test("not to another registry than the one that config.json names", async () => {
    const registry = await serve((request, response) =>
      request.authorization === "" ? status(response, 401, { "www-authenticate": 'Basic realm="r"' }) : false,
    );
    await expect(pull(registry, { dockerConfig: login("other.example:5000") })).rejects.toMatchObject({
      code: "REGISTRY_AUTH",
    });
  });

  test("foreign layers are named and their address is never asked", async () => {
    const elsewhere = await serve();
    const foreign = buildImage({
      layers: [{ files: { a: "" }, lie: { urls: [`http://${elsewhere.host}/layer`] } }, { files: { b: "b" } }],
    });
    const registry = await serve(undefined, contentOf({ "team/app:1": foreign }));
    const opened = await openImage(`http://${registry.host}/team/app:1`, { dockerConfig: noLogin() });
    expect(opened.layers.map((layer) => layer.foreign)).toEqual([true, false]);
    await expect(readAll(opened, 0)).rejects.toMatchObject({ code: "LAYER_FOREIGN" });
    expect((await readAll(opened, 1)).contents.b!.toString()).toBe("b");
    await opened.close();
    expect(elsewhere.seen).toEqual([]);
  });

  test("a helper is asked on its standard input, without a shell", async () => {
    const bin = join(directory.path, "bin");
    mkdirSync(bin, { recursive: true });
    const helper = join(bin, "docker-credential-test");
    writeFileSync(
      helper,
      `#!/bin/sh\nread host\n[ "$1" = get ] && echo "{\\"ServerURL\\":\\"$host\\",\\"Username\\":\\"user\\",\\"Secret\\":\\"pass-word\\"}"\n`,
    );
    chmodSync(helper, 0o755);
    const registry = await serve((request, response) =>
      request.authorization === `Basic ${SECRET}`
        ? false
        : status(response, 401, { "www-authenticate": 'Basic realm="r"' }),
    );
    const before = process.env.PATH;
    process.env.PATH = `${bin}:${before}`;
    try {
      expect(
        await pull(registry, { dockerConfig: writeConfig({ credHelpers: { [registry.host]: "test" } }) }),
      ).toHaveLength(2);
      expect(await pull(registry, { dockerConfig: writeConfig({ credsStore: "test" }) })).toHaveLength(2);
    } finally {
      process.env.PATH = before;
    }
    await expect(
      pull(registry, { dockerConfig: writeConfig({ credsStore: "../../bin/sh -c id;" }) }),
    ).rejects.toMatchObject({ code: "CREDENTIALS_INVALID" });
    await expect(
      pull(registry, { dockerConfig: writeConfig({ credsStore: "not-installed-anywhere" }) }),
    ).rejects.toMatchObject({ code: "CREDENTIALS_INVALID" });
  });

  test("a broken config.json is not quoted in the error", async () => {
    const registry = await serve((_, response) => status(response, 401, { "www-authenticate": 'Basic realm="r"' }));
    const dockerConfig = join(directory.path, "broken.json");
    writeFileSync(dockerConfig, '{"auths": {"x": {"auth": "c2VjcmV0"');
    const error = await pull(registry, { dockerConfig }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "CREDENTIALS_INVALID" });
    expect(String((error as Error).message) + String((error as Error).cause)).not.toContain("c2VjcmV0");
  });
});

describe("a layer that is kept", () => {
  test("is fetched once, verified each time it is read, and fetched again once it is forgotten", async () => {
    const registry = await serve();
    const opened = await openImage(`http://${registry.host}/team/app:1`, { dockerConfig: noLogin() });
    const fetches = () => registry.seen.filter(isLargeBlob).length;
    const first = await readAll(opened, 0, true);
    const second = await readAll(opened, 0);
    expect(fetches()).toBe(1);
    expect(second).toEqual(first);
    await opened.forgetLayer(0);
    expect(await readAll(opened, 0)).toEqual(first);
    expect(fetches()).toBe(2);
    await opened.close();
  });

  test("and whose first reading was cut short is fetched again", async () => {
    const bytes = image.blobs.get(image.layerDigests[0]!)!;
    let fetches = 0;
    const registry = await serve((request, response) => {
      if (!isLargeBlob(request) || fetches++ > 0) return false;
      response.writeHead(200, { "content-length": 1000 }).end(bytes.subarray(0, 1000));
      return true;
    });
    const opened = await openImage(`http://${registry.host}/team/app:1`, { dockerConfig: noLogin(), limits: quick });
    await expect(readAll(opened, 0, true)).rejects.toMatchObject({ code: "LAYER_TORN" });
    expect((await readAll(opened, 0)).summary.diffId).toBe(image.diffIds[0]);
    await opened.close();
  });
});

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
    const registry = await serve();
    await registry.close();
    servers.pop();
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

test("TLS with a private authority works with its file, fails clearly without, and is not left for a token", async () => {
  const { createServer } = await import("node:https");
  const key = join(directory.path, "key.pem");
  const certificate = join(directory.path, "certificate.pem");
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      key,
      "-out",
      certificate,
      "-days",
      "2",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost,IP:127.0.0.1",
    ],
    { stdio: "ignore" },
  );
  const { readFileSync } = await import("node:fs");
  const plain = await serve();
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    if (request.url!.includes("/guarded/")) {
      response.writeHead(401, { "www-authenticate": `Bearer realm="http://${plain.host}/token"` }).end();
      return;
    }
    const bytes = content.blobs.get(decodeURIComponent(request.url!.split("/").at(-1)!)) ?? image.manifestBytes;
    response
      .writeHead(200, {
        "content-type": request.url!.includes("/manifests/") ? image.manifest.mediaType : "application/octet-stream",
      })
      .end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const source = `127.0.0.1:${(server.address() as { port: number }).port}/team/app:1`;
  try {
    const opened = await openImage(source, { caFile: certificate, dockerConfig: noLogin() });
    expect((await readAll(opened, 1)).contents.small!.toString()).toBe("small");
    await opened.close();
    await expect(openImage(source, { dockerConfig: noLogin(), limits: quick })).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      next: expect.stringContaining("--ca-file"),
    });
    const host = source.split("/")[0]!;
    const guarded = openImage(`${host}/guarded/app:1`, { caFile: certificate, dockerConfig: login(host) });
    await expect(guarded).rejects.toMatchObject({
      code: "REGISTRY_AUTH",
      message: expect.stringContaining("not encrypted"),
    });
    expect(plain.seen).toEqual([]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
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

test("a slow answer on a kept connection is waited for as long as one on a new connection", async () => {
  const registry = await serve((request, response) => {
    // Node takes a second off what the server grants to idle connections.
    response.setHeader("keep-alive", "timeout=2");
    if (!isBlob(request)) return false;
    return new Promise((resolve) => setTimeout(resolve, 1_300, false));
  });
  await pull(registry);
  const asked = registry.seen.filter(isBlob).map(({ url }) => url);
  expect(asked).toEqual([...new Set(asked)]);
});

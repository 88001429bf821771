import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { openImage } from "../open-image.ts";
import { type ChildServer, startChild } from "../testing/child.ts";
import { writeLayout } from "../testing/image-builder.ts";
import { readAll } from "../testing/read-all.ts";
import type { TestRegistry } from "../testing/registry.ts";
import {
  closeServers,
  content,
  directory,
  image,
  isBlob,
  isLargeBlob,
  login,
  noLogin,
  pull,
  quick,
  serve,
} from "./testing/pull.ts";

afterEach(closeServers);
afterAll(() => directory.remove());

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

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { openImage } from "../open-image.ts";
import { buildImage } from "../testing/image-builder.ts";
import { readAll } from "../testing/read-all.ts";
import { contentOf, type Intercept, type SeenRequest } from "../testing/registry.ts";
import { parseChallenge } from "./challenge.ts";
import {
  closeServers,
  directory,
  isBlob,
  login,
  noLogin,
  pull,
  SECRET,
  serve,
  status,
  writeConfig,
} from "./testing/pull.ts";

afterEach(closeServers);
afterAll(() => directory.remove());

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

import { execFileSync } from "node:child_process";
import { createPublicKey, verify, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTestStore, type TestStore } from "@bulwark/store/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSecretBox, type SecretBox } from "../security/secret-box.ts";
import { openAuthority } from "./authority.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
const DAY_MS = 86_400_000;
let opened: TestStore;
let secrets: SecretBox;
const directory = mkdtempSync(join(tmpdir(), "bulwark-authority-"));
beforeAll(async () => {
  opened = await openTestStore();
  secrets = await openSecretBox({ file: join(directory, "keys.json") });
});
afterAll(async () => {
  await opened.close();
  rmSync(directory, { recursive: true });
});

/** A request as OpenSSL makes it. */
function request(name: string): string {
  const key = join(directory, `${name}.key`);
  execFileSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]);
  return execFileSync("openssl", ["req", "-new", "-key", key, "-subj", `/CN=${name}`]).toString();
}

const der = (pem: string) => new X509Certificate(pem).raw;

test("servers that start at once make one authority, and open it again", async () => {
  const [a, b] = await Promise.all([
    openAuthority(opened.store, secrets, NOW),
    openAuthority(opened.store, secrets, NOW),
  ]);
  expect(a.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(b.fingerprint).toBe(a.fingerprint);
  expect(b.orderKey).toEqual(a.orderKey);
});

test("a node's certificate names the node and not what its request asked for, and OpenSSL agrees with the chain", async () => {
  const authority = await openAuthority(opened.store, secrets, NOW);
  const { pem, serial } = await authority.certifyNode(request("admin"), { uid: "node-7", tenantId: 3 }, NOW);
  expect(authority.readNode(der(pem), NOW)).toEqual({ uid: "node-7", tenantId: 3, serial });
  writeFileSync(join(directory, "ca.pem"), authority.certificate);
  writeFileSync(join(directory, "node.pem"), pem);
  const at = String(NOW.getTime() / 1_000);
  const said = execFileSync(
    "openssl",
    ["verify", "-attime", at, "-purpose", "sslclient", "-CAfile", "ca.pem", "node.pem"],
    {
      cwd: directory,
    },
  );
  expect(said.toString()).toContain("node.pem: OK");
});

test("a certificate counts neither before nor after its time, nor when somebody else made it", async () => {
  const authority = await openAuthority(opened.store, secrets, NOW);
  const { pem } = await authority.certifyNode(request("n"), { uid: "n", tenantId: 1 }, NOW);
  expect(authority.readNode(der(pem), new Date(NOW.getTime() + 31 * DAY_MS))).toBeUndefined();
  expect(authority.readNode(der(pem), new Date(NOW.getTime() - 2 * DAY_MS))).toBeUndefined();
  const forged = execFileSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"],
    ...["-keyout", join(directory, "x.key"), "-subj", "/CN=n/OU=1/O=Bulwark"],
  ]).toString();
  expect(authority.readNode(der(forged), NOW)).toBeUndefined();
  // An attacker who copies the authority's name and certifies a node with a key of their own.
  writeFileSync(join(directory, "n.csr"), request("n"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "f.key",
    "-subj",
    "/CN=Bulwark sensors/O=Bulwark",
    "-out",
    "f.pem",
  );
  openssl("x509", "-req", "-in", "n.csr", "-CA", "f.pem", "-CAkey", "f.key", "-days", "9999", "-out", "fake-node.pem");
  expect(authority.readNode(der(readFileSync(join(directory, "fake-node.pem"), "utf8")), NOW)).toBeUndefined();
});

test("what is no request is refused", async () => {
  const authority = await openAuthority(opened.store, secrets, NOW);
  await expect(authority.certifyNode("hello", { uid: "n", tenantId: 1 }, NOW)).rejects.toMatchObject({
    code: "BAD_REQUEST",
  });
});

test("an order's signature opens with the key that nodes are given, and for nothing but an order", async () => {
  const authority = await openAuthority(opened.store, secrets, NOW);
  const order = Buffer.from("kill it");
  const signature = authority.signOrder(order);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: authority.orderKey.toString("base64url") },
    format: "jwk",
  });
  expect(verify(null, Buffer.concat([Buffer.from("bulwark order v1\0"), order]), key, signature)).toBe(true);
  expect(verify(null, order, key, signature)).toBe(false);
});

test("keys lie in the database only sealed", async () => {
  const text = await opened.store.tenant(1, async (db) =>
    JSON.stringify(await db.selectFrom("setting").select("value").where("name", "=", "sensor-authority").execute()),
  );
  expect(text).toContain("BEGIN CERTIFICATE");
  expect(text).not.toContain("PRIVATE KEY");
});

import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addChannel,
  addRegistry,
  addSession,
  beginTotp,
  changeChannel,
  changeRegistry,
  findAccountBy,
  openStore,
  type Store,
  sealedSecrets,
} from "@bulwark/store";
import { startPostgres } from "@bulwark/store/embedded";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ensureAdmin } from "../accounts/ensure-admin.ts";
import { verifyAllAudits } from "../audit/verify-all.ts";
import { channelPurpose } from "../notifications/send.ts";
import { secretPurpose } from "../registries/access.ts";
import { verifyPassword } from "../security/passwords.ts";
import { openSecretBox } from "../security/secret-box.ts";
import { totpPurpose } from "../session/login.ts";
import { findProvider, keepProvider } from "../session/oidc/provider.ts";
import { auditCommand } from "./audit.ts";
import { backupCommand, restoreCommand } from "./backup.ts";
import { keysCommand } from "./keys.ts";
import { passwordCommand } from "./password.ts";

const NOW = new Date("2026-06-01T08:00:00Z");
const directory = mkdtempSync(join(tmpdir(), "bulwark-commands-"));
const keyFile = join(directory, "master-keys.json");
let told = "";

beforeAll(() => chmodSync(directory, 0o755));
beforeEach(() => {
  vi.stubEnv("DATABASE_URL", "");
  told = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    told += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Works on the database that commands find in the directory, which belongs to one process at a time. */
async function onStore<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
  const postgres = await startPostgres(directory);
  const store = await openStore(postgres.url);
  try {
    return await work(store);
  } finally {
    await store.close();
    await postgres.stop();
  }
}

const adminOf = (store: Store) => store.tenant(1, async (db) => (await findAccountBy(db, "login", "admin"))!);

test("a lost password is replaced: the new one is printed once, sessions and the second factor are gone, the log tells of it", async () => {
  await onStore(async (store) => {
    await ensureAdmin(store, NOW, "the first password");
    const { id } = await adminOf(store);
    await store.tenant(1, async (db) => {
      await beginTotp(db, id, Buffer.from("sealed"));
      const session = { id: "a".repeat(64), tenantId: 1, accountId: id, address: "", now: NOW };
      await addSession(db, { ...session, expiresAt: new Date(Date.now() + 60_000) }, 10);
    });
  });
  expect(await passwordCommand(["Admin", "--data", directory])).toBe(0);
  const [, password = ""] = /password {2}(\S+)/.exec(told) ?? [];
  await onStore(async (store) => {
    const account = await adminOf(store);
    expect(await verifyPassword(password, account.passwordHash)).toBe(true);
    expect(await verifyPassword("the first password", account.passwordHash)).toBe(false);
    expect(account).toMatchObject({ totpSecret: null, totpConfirmed: false, enabled: true });
    const sessions = await store.tenant(1, (db) => db.selectFrom("session").selectAll().execute());
    expect(sessions).toEqual([]);
    const entries = await store.tenant(1, (db) => db.selectFrom("audit").select("action").execute());
    expect(entries.map(({ action }) => action)).toContain("account.reset");
    for await (const { intact } of verifyAllAudits(store)) expect(intact).toBe(true);
  });
});

test("a login that nobody has, and none at all, are refused", async () => {
  await expect(passwordCommand(["nobody", "--data", directory])).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(passwordCommand(["--data", directory])).rejects.toMatchObject({ code: "USAGE" });
  expect(told).toBe("");
});

test("a rotation of the master key seals every stored secret again; the older key opens nothing any more that is in use", async () => {
  const source = { file: keyFile };
  const before = await openSecretBox(source);
  const account = await onStore(async (store) => {
    const { id } = await adminOf(store);
    await store.tenant(1, async (db) => {
      const registry = (await addRegistry(db, { name: "r", kind: "oci", address: "r.invalid", settings: {} })) ?? 0;
      await changeRegistry(db, registry, { secret: before.seal(1, secretPurpose(registry), "hunter2") });
      const channel =
        (await addChannel(db, { name: "c", kind: "webhook", address: "https://c.invalid", settings: {} })) ?? 0;
      await changeChannel(db, channel, { secret: before.seal(1, channelPurpose(channel), "{}") });
      await beginTotp(db, id, before.seal(1, totpPurpose(id), "TOTP"));
      const provider = {
        name: "P",
        issuer: "https://p.invalid",
        clientId: "c",
        clientSecret: "s",
        defaultRole: "auditor" as const,
      };
      await keepProvider(db, before, 1, "p", provider);
    });
    return id;
  });
  expect(await keysCommand(["rotate", "--data", directory])).toBe(0);
  expect(told).toMatch(/^the new master key [0-9a-f]{16} seals 4 stored secrets now\n$/);
  // Taken out of the file, the older key is not missed.
  const file = JSON.parse(readFileSync(keyFile, "utf8"));
  expect(file.keys).toHaveLength(2);
  writeFileSync(keyFile, JSON.stringify({ ...file, keys: file.keys.slice(1) }), { mode: 0o600 });
  const after = await openSecretBox(source);
  await onStore((store) =>
    store.tenant(1, async (db) => {
      const sealed = await sealedSecrets(db);
      expect(sealed.map(({ of }) => of)).toEqual(["account", "channel", "registry"]);
      expect(sealed.every((each) => after.isCurrent(each.sealed))).toBe(true);
      expect(await after.open(1, totpPurpose(account), sealed[0]!.sealed)).toBe("TOTP");
      const provider = await findProvider(db, "p");
      expect(after.isCurrent(Buffer.from(provider?.secret ?? "", "base64"))).toBe(true);
    }),
  );
  told = "";
  expect(await keysCommand(["rotate", "--data", directory])).toBe(0);
  expect(told).toContain("seals 4 stored secrets now");
});

test("a data directory with a mistake in its name is told, and does not become a new installation", async () => {
  const absent = join(directory, "absent");
  const commands: readonly (() => Promise<number>)[] = [
    () => passwordCommand(["admin", "--data", absent]),
    () => keysCommand(["rotate", "--data", absent]),
    () => auditCommand(["verify", "--data", absent]),
    () => backupCommand([join(directory, "b.zst"), "--data", absent]),
  ];
  for (const command of commands)
    await expect(command()).rejects.toThrow(`there is no database of Bulwark in ${absent}`);
  await expect(restoreCommand([join(directory, "none.zst"), "--data", absent])).rejects.toThrow("cannot be read");
  await expect(restoreCommand([directory, "--data", absent])).rejects.toThrow("it is no file");
  expect(existsSync(absent)).toBe(false);
});

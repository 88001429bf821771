import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { openSecretBox, rotateMasterKey } from "./secret-box.ts";

const root = mkdtempSync(join(tmpdir(), "bulwark-box-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const freshFile = () => join(root, String(count++), "master-keys.json");

test("what is sealed opens again for the same tenant and purpose, and never looks the same twice", async () => {
  const box = await openSecretBox({ file: freshFile() });
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.string(), fc.string({ unit: "grapheme" }), async (tenant, purpose, text) => {
      const sealed = box.seal(tenant, purpose, text);
      expect(await box.open(tenant, purpose, sealed)).toBe(text);
      expect(box.seal(tenant, purpose, text).equals(sealed)).toBe(false);
    }),
  );
});

test("a sealed secret opens for no other tenant, purpose or row", async () => {
  const box = await openSecretBox({ file: freshFile() });
  const sealed = box.seal(1, "registry/7", "hunter2");
  await expect(box.open(2, "registry/7", sealed)).rejects.toThrow(expect.objectContaining({ code: "SECRET_BROKEN" }));
  await expect(box.open(1, "registry/8", sealed)).rejects.toThrow(expect.objectContaining({ code: "SECRET_BROKEN" }));
});

test("a secret with any bit changed or any end cut is refused", async () => {
  const box = await openSecretBox({ file: freshFile() });
  const sealed = box.seal(1, "p", "secret");
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    await expect(box.open(1, "p", changed)).rejects.toThrow(/master key|changed/);
  }
  for (let length = 0; length < sealed.length; length++) {
    await expect(box.open(1, "p", sealed.subarray(0, length))).rejects.toThrow(/changed/);
  }
});

test("the key file is made for its owner alone, and servers that start at once agree on one key", async () => {
  const file = freshFile();
  const boxes = await Promise.all(Array.from({ length: 8 }, () => openSecretBox({ file })));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const sealed = boxes[0]!.seal(1, "p", "x");
  expect(await Promise.all(boxes.map((box) => box.open(1, "p", sealed)))).toEqual(Array(8).fill("x"));
});

test("a key file that others may read, or that is torn, is refused without showing what it holds", async () => {
  const file = freshFile();
  await openSecretBox({ file });
  const secret = JSON.parse(readFileSync(file, "utf8")).keys[0].key;
  chmodSync(file, 0o644);
  await expect(openSecretBox({ file })).rejects.toMatchObject({ code: "KEY_FILE_UNSAFE" });
  chmodSync(file, 0o600);
  writeFileSync(file, readFileSync(file, "utf8").slice(0, -5));
  const error = await openSecretBox({ file }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "KEY_FILE_BROKEN" });
  expect(JSON.stringify([String(error), (error as Error).cause])).not.toContain(secret);
});

test("after a rotation new secrets take the new key, old ones still open and are known as old", async () => {
  const file = freshFile();
  const before = await openSecretBox({ file });
  const old = before.seal(1, "p", "x");
  await rotateMasterKey({ file });
  const after = await openSecretBox({ file });
  expect(await after.open(1, "p", old)).toBe("x");
  expect([after.isCurrent(old), after.isCurrent(after.seal(1, "p", "y"))]).toEqual([false, true]);
  const sealedWithNew = after.seal(1, "p", "y");
  // A server that was not started again since finds the new key in the file.
  expect(await before.open(1, "p", sealedWithNew)).toBe("y");
  expect(before.isCurrent(before.seal(1, "p", "z")) && after.isCurrent(before.seal(1, "p", "z"))).toBe(true);
  const others = await openSecretBox({ file: freshFile() });
  await expect(others.open(1, "p", sealedWithNew)).rejects.toThrow(expect.objectContaining({ code: "KEY_UNKNOWN" }));
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("with a KMS command the file holds wrapped keys only", async () => {
  const file = freshFile();
  const program = join(root, "kms.mjs");
  // Stands for a key service: wrapping reverses the text.
  writeFileSync(
    program,
    `import { readFileSync } from "node:fs";
     const text = readFileSync(0, "utf8").trim();
     const reversed = [...text].reverse().join("");
     console.log(process.argv[3] === "wrap" ? "v1:" + reversed : [...text.slice(3)].reverse().join(""));
     if (process.argv[2] !== "$(touch x); a b") process.exit(9);`,
  );
  const kmsCommand = [process.execPath, program, "$(touch x); a b"];
  const box = await openSecretBox({ file, kmsCommand });
  const sealed = box.seal(1, "p", "x");
  expect(readFileSync(file, "utf8")).toContain('"wrapped": "v1:');
  expect(JSON.parse(readFileSync(file, "utf8")).keys[0].key).toBeUndefined();
  expect(await (await openSecretBox({ file, kmsCommand })).open(1, "p", sealed)).toBe("x");
  await expect(openSecretBox({ file })).rejects.toMatchObject({ code: "KMS_FAILED" });
});

test.each([
  ["prints nothing", ["/bin/true"]],
  ["fails", ["/bin/false"]],
  ["is not there", ["/nonexistent/kms"]],
  ["prints without end", ["/usr/bin/yes"]],
  ["is none", []],
])("a KMS command that %s is told", async (_what, kmsCommand) => {
  await expect(openSecretBox({ file: freshFile(), kmsCommand })).rejects.toMatchObject({ code: "KMS_FAILED" });
});

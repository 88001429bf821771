import { expect, test } from "vitest";
import { passwordProblem } from "./password-rules.ts";
import { hashPassword, isOutdated, verifyPassword } from "./passwords.ts";

test("a password verifies against its hash only, however its letters were composed", async () => {
  const stored = await hashPassword("r\u00e9sum\u00e9 of a \u{1f98a}");
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await verifyPassword("re\u0301sume\u0301 of a \u{1f98a}", stored)).toBe(true);
  expect(await verifyPassword("resume of a \u{1f98a}", stored)).toBe(false);
  expect(await hashPassword("r\u00e9sum\u00e9 of a \u{1f98a}")).not.toBe(stored);
});

test("a hash that another implementation made is read", async () => {
  // Made by argon2-cffi, the Python binding of the reference implementation.
  const stored = "$argon2id$v=19$m=32768,t=3,p=2$OdzqzIEDYxrGZ4hBNawkrQ$DtazXD0+nY4i3TGT9C/1hnZ3Qmw6kXwZZaGtC7Nu2B8";
  expect(await verifyPassword("a lantern in the harbour", stored)).toBe(true);
  expect(await verifyPassword("a lantern in the harbor", stored)).toBe(false);
  expect(isOutdated(stored)).toBe(false);
  expect(isOutdated(stored.replace("m=32768", "m=4096"))).toBe(true);
});

test("an unknown account takes as long as a wrong password", async () => {
  const stored = await hashPassword("a long enough one");
  const took = async (hash: string | undefined) => {
    const times: number[] = [];
    for (let i = 0; i < 9; i++) {
      const begun = performance.now();
      expect(await verifyPassword("wrong", hash)).toBe(false);
      times.push(performance.now() - begun);
    }
    return times.sort((a, b) => a - b)[4]!;
  };
  const [known, unknown] = [await took(stored), await took(undefined)];
  expect(unknown / known).toBeGreaterThan(0.5);
  expect(unknown / known).toBeLessThan(2);
});

test("a flood of logins is turned away instead of filling the memory", async () => {
  const flood = Array.from({ length: 100 }, () =>
    verifyPassword("x", undefined).catch((error: { code: string }) => error.code),
  );
  const answers = await Promise.all(flood);
  expect(answers.filter((answer) => answer === "TOO_MANY_REQUESTS")).toHaveLength(34);
  expect(answers.filter((answer) => answer === false)).toHaveLength(66);
});

test.each([
  ["short", "fourteen chars", /at least 15/],
  ["endless", "abcdef".repeat(50), /at most 256/],
  ["all the same", "aaaaaaaaaaaaaaaaaaaaaaa", /different/],
  ["common", "Password-Password-2024", /tried first/],
  ["the login", "grace.hopper!!!", /name of its account/],
  ["login and name", "gracehopper-gracehopper-1", /name of its account/],
])("a password that is %s is refused", (_what, password, problem) => {
  expect(passwordProblem(password, ["grace.hopper", "Grace Hopper"])).toMatch(problem);
});

test.each(["four words of prose", "长长的密码也可以用只要够长就行了", "🦊🐙🦉🐝🦔🐢🦑🐬🦩🐿️🦚🐌🦋🐡🦜"])(
  "%s is a password",
  (password) => {
    expect(passwordProblem(password, ["ada"])).toBeUndefined();
  },
);

import { expect, test } from "vitest";
import { newTotpSecret, toBase32, totpCode, totpStep, totpUri } from "./totp.ts";

/** RFC 6238, appendix B: the ASCII text 12345678901234567890 is the key. */
const KEY = toBase32(Buffer.from("12345678901234567890"));
const at = (seconds: number) => new Date(seconds * 1000);

test.each([
  [59, "94287082"],
  [1111111109, "07081804"],
  [1111111111, "14050471"],
  [1234567890, "89005924"],
  [2000000000, "69279037"],
  [20000000000, "65353130"],
])("the code of second %i is the one of RFC 6238", (seconds, code) => {
  expect(totpCode(KEY, at(seconds), 8)).toBe(code);
});

test.each([
  ["", ""],
  ["f", "MY"],
  ["fo", "MZXQ"],
  ["foo", "MZXW6"],
  ["foob", "MZXW6YQ"],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI"],
])("%j in base32 is that of RFC 4648", (text, base32) => {
  expect(toBase32(Buffer.from(text))).toBe(base32);
});

test("a code counts half a minute before and after its time and no longer", () => {
  const secret = newTotpSecret();
  const code = totpCode(secret, at(3000));
  expect([2970, 3000, 3030, 3059].map((now) => totpStep(secret, code, at(now)))).toEqual([100, 100, 100, 100]);
  expect([2939, 3060, 9000].map((now) => totpStep(secret, code, at(now)))).toEqual([undefined, undefined, undefined]);
});

test.each(["", "0", "abcdef", "1234567", "000000\u0000", "½½½½½½"])("%j is no code", (code) => {
  expect(totpStep(KEY, code, at(59))).toBeUndefined();
});

test("the address for authenticator apps survives a hostile login", () => {
  expect(totpUri("ABC", "a&secret=x@b/c")).toBe(
    "otpauth://totp/Bulwark:a%26secret%3Dx%40b%2Fc?secret=ABC&issuer=Bulwark&algorithm=SHA1&digits=6&period=30",
  );
});

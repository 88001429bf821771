import { createHmac, randomBytes } from "node:crypto";
import { equalTexts } from "./random-secret.ts";

/** RFC 6238, section 4: 30 s and HMAC-SHA-1, the only parameters that every authenticator app knows. */
const STEP_S = 30;
const DIGITS = 6;
/** RFC 4226, section 4, requirement 6: 160 bits. */
const SECRET_BYTES = 20;
/** RFC 6238, section 5.2: one step of delay, and as much for a clock that is ahead. */
const DRIFT_STEPS = 1;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A new secret, base32. */
export function newTotpSecret(): string {
  return toBase32(randomBytes(SECRET_BYTES));
}

/** What an authenticator app reads from a QR code. */
export function totpUri(secret: string, login: string): string {
  const query = new URLSearchParams({ secret, issuer: "Bulwark", algorithm: "SHA1", digits: "6", period: "30" });
  return `otpauth://totp/Bulwark:${encodeURIComponent(login)}?${query}`;
}

/** Time step whose code this is; undefined for a wrong code. Refuse a step that was taken before: codes are for one use. */
export function totpStep(secret: string, code: string, now: Date): number | undefined {
  const current = Math.floor(now.getTime() / 1000 / STEP_S);
  const key = fromBase32(secret);
  const steps = [current - DRIFT_STEPS, current, current + DRIFT_STEPS];
  return steps.filter((step) => equalTexts(hotp(key, step, DIGITS), code)).at(-1);
}

/** The code of a moment, as an authenticator app shows it. */
export function totpCode(secret: string, now: Date, digits = DIGITS): string {
  return hotp(fromBase32(secret), Math.floor(now.getTime() / 1000 / STEP_S), digits);
}

/** RFC 4226, section 5.3. */
function hotp(key: Buffer, counter: number, digits: number): string {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac("sha1", key).update(message).digest();
  const offset = mac.at(-1)! & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

/** RFC 4648, section 6, without padding. */
export function toBase32(bytes: Buffer): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += BASE32[(held >> (bits - 5)) & 31];
  }
  return bits > 0 ? text + BASE32[(held << (5 - bits)) & 31] : text;
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const letter of text) {
    held = ((held << 5) | BASE32.indexOf(letter)) & 0xffff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return Buffer.from(bytes);
}

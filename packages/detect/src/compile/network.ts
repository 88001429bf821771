/** An IP address as eight 16-bit words; IPv4 as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2). */
export type Address = readonly number[];

export interface Network {
  readonly words: Address;
  /** Of 128. */
  readonly bits: number;
}

const MAPPED_BITS = 96;
const ADDRESS_BITS = 128;
const WORD_BITS = 16;

/**
 * Reads an IPv4 or IPv6 address.
 *
 * @returns undefined when the text is none
 * @example parseAddress("10.0.0.1"); // [0, 0, 0, 0, 0, 65535, 2560, 1]
 */
export function parseAddress(text: string): Address | undefined {
  return text.includes(":") ? parseSix(text) : parseFour(text);
}

function parseFour(text: string): Address | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const [a = 256, b = 256, c = 256, d = 256] = match.slice(1).map(Number);
  if (a > 255 || b > 255 || c > 255 || d > 255) return undefined;
  return [0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d];
}

function parseSix(text: string): Address | undefined {
  const plain = text.replace(/%.*$/, "");
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const head = wordsOf(halves[0] ?? "");
  const tail = wordsOf(halves[1] ?? "");
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function wordsOf(text: string): readonly number[] | undefined {
  if (text === "") return [];
  const words: number[] = [];
  const groups = text.split(":");
  for (const [at, group] of groups.entries()) {
    const four = at === groups.length - 1 && group.includes(".") ? parseFour(group) : undefined;
    if (four !== undefined) words.push(...four.slice(6));
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) words.push(Number.parseInt(group, 16));
    else return undefined;
  }
  return words;
}

/**
 * Reads an address or a network in CIDR notation (RFC 4632); an address is a network of one.
 *
 * @returns undefined when the text is neither
 */
export function parseNetwork(text: string): Network | undefined {
  const [base = "", length, ...rest] = text.split("/");
  const words = parseAddress(base);
  if (words === undefined || rest.length > 0) return undefined;
  if (length === undefined) return { words, bits: ADDRESS_BITS };
  const limit = base.includes(":") ? ADDRESS_BITS : ADDRESS_BITS - MAPPED_BITS;
  if (!/^\d{1,3}$/.test(length) || Number(length) > limit) return undefined;
  return { words, bits: Number(length) + (base.includes(":") ? 0 : MAPPED_BITS) };
}

/** Whether a network holds an address. */
export function contains({ words, bits }: Network, address: Address): boolean {
  let left = bits;
  for (let at = 0; left > 0; at++, left -= WORD_BITS) {
    const shift = left >= WORD_BITS ? 0 : WORD_BITS - left;
    if ((words[at] as number) >> shift !== (address[at] as number) >> shift) return false;
  }
  return true;
}

const SLOT = /\{([^{}\s"':]{1,40}):(\d{1,4})\}/g;
const NAMED: Readonly<Record<string, string>> = {
  hex: "0-9a-f",
  HEX: "0-9A-F",
  digit: "0-9",
  lower: "a-z",
  upper: "A-Z",
  alnum: "A-Za-z0-9",
  b64: "A-Za-z0-9+/",
  b64u: "A-Za-z0-9_-",
};

/**
 * Fills the slots of a sample, so that no file of ours holds anything that looks like a live secret. `{A-Z2-7:16}` stands
 * for 16 characters out of a class, `{hex:32}` for 32 of a named one (hex, HEX, digit, lower, upper, alnum, b64, b64u).
 * The same seed gives the same text.
 *
 * @example expandSample("AKIA{A-Z2-7:16}", "aws-access-key-id"); // AKIA and 16 characters
 */
export function expandSample(template: string, seed: string): string {
  const next = randomFrom(seed);
  return template.replace(SLOT, (_slot, name: string, count: string) => {
    const letters = members(NAMED[name] ?? name);
    return Array.from({ length: Number(count) }, () => letters[next() % letters.length]).join("");
  });
}

function members(body: string): string {
  let letters = "";
  for (let at = 0; at < body.length; at++) {
    const last = body[at + 1] === "-" ? body.charCodeAt(at + 2) : Number.NaN;
    if (Number.isNaN(last)) letters += body[at];
    else {
      for (let code = body.charCodeAt(at); code <= last; code++) letters += String.fromCharCode(code);
      at += 2;
    }
  }
  return letters;
}

/** A small linear congruential generator (Numerical Recipes' constants) over a hash of the seed. */
function randomFrom(seed: string): () => number {
  let state = 2_166_136_261;
  for (const letter of seed) state = Math.imul(state ^ letter.charCodeAt(0), 16_777_619) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}

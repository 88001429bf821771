/** Short forms of flags, by program: one letter each (dockerd and containerd, `--help`). */
const SHORT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  dockerd: {
    "--host": "H",
    "--log-level": "l",
    "--storage-driver": "s",
    "--debug": "D",
    "--bridge": "b",
    "--group": "G",
  },
  containerd: { "--config": "c", "--log-level": "l", "--address": "a" },
};
/** Letters that take no value and may stand before others, as in `-DH tcp://…`. */
const SWITCHES: Readonly<Record<string, string>> = { dockerd: "Dv", containerd: "vh" };
/** Programs whose flags may begin with one dash (Go's package flag). */
const ONE_DASH = new Set(["etcd"]);

/**
 * All values that a program's arguments give a flag, in their order; a flag without one is `true`. Kubernetes' programs take `_` for `-`.
 *
 * @param given the arguments, the program's own name first
 * @example flagValues("dockerd", ["dockerd", "-H", "fd://", "--host=tcp://a"], "--host"); // ["fd://", "tcp://a"]
 */
export function flagValues(program: string, given: readonly string[], name: string): readonly string[] {
  const letter = SHORT[program]?.[name];
  const values: string[] = [];
  given.forEach((word, at) => {
    const next = given[at + 1];
    const nextValue = next === undefined || next.startsWith("-") ? "true" : next;
    const value = longValue(program, word, name, nextValue) ?? shortValue(program, word, letter, nextValue);
    if (value !== undefined && at > 0) values.push(value);
  });
  return values;
}

function longValue(program: string, word: string, name: string, next: string): string | undefined {
  const end = word.indexOf("=");
  const written = (end < 0 ? word : word.slice(0, end)).replaceAll("_", "-");
  const isIt = written === name || (ONE_DASH.has(program) && `-${written}` === name);
  if (!isIt) return undefined;
  return end < 0 ? next : word.slice(end + 1);
}

function shortValue(program: string, word: string, letter: string | undefined, next: string): string | undefined {
  if (letter === undefined || !/^-[A-Za-z]/.test(word)) return undefined;
  const at = word.indexOf(letter, 1);
  const switches = SWITCHES[program] ?? "";
  if (at < 0 || [...word.slice(1, at)].some((each) => !switches.includes(each))) return undefined;
  if (switches.includes(letter)) return "true";
  const rest = word.slice(at + 1).replace(/^=/, "");
  return rest === "" && !word.endsWith("=") ? next : rest;
}

import { type CommandFacts, commandFacts } from "../shell/command-facts.ts";
import { scanShell } from "../shell/scan.ts";

/** An entry of the history, read. */
export interface HistoryStep {
  /** `RUN`, `COPY`, …; empty where the builder wrote something else. */
  readonly keyword: string;
  /** What follows the keyword; for RUN the script. */
  readonly text: string;
  /** `NAME=value` of build arguments, as the classic builder and BuildKit write them in front of a script. */
  readonly arguments: readonly string[];
  readonly commands: readonly CommandFacts[];
}

const NOP = /^\/bin\/sh -c #\(nop\)\s+([A-Z]+)\s*([\s\S]*)$/;
const KEYWORD = /^([A-Z]{3,11})\s+([\s\S]*)$/;
const ARGUMENTS = /^\|(\d{1,4})\s+([\s\S]*)$/;
const SHELL = /^(?:\/bin\/|\/usr\/bin\/)?(?:sh|bash|ash|dash)(?:\s+-[a-z]+(?:\s+pipefail)?)*\s+-[a-z]*c\s+([\s\S]*)$/;
const MAX_LENGTH = 64 * 1024;

/**
 * Reads what a builder wrote into `created_by`: the classic builder (`/bin/sh -c #(nop) CMD …`), BuildKit
 * (`RUN /bin/sh -c … # buildkit`), buildah and kaniko.
 *
 * @example readHistoryStep("/bin/sh -c apt-get update").keyword; // "RUN"
 */
export function readHistoryStep(createdBy: string): HistoryStep {
  const whole = createdBy
    .slice(0, MAX_LENGTH)
    .replace(/\s*# buildkit\s*$/, "")
    .trim();
  const nop = NOP.exec(whole);
  if (nop !== null) return step(nop[1] ?? "", nop[2] ?? "", []);
  const keyword = KEYWORD.exec(whole);
  if (keyword !== null && keyword[1] !== "RUN") return step(keyword[1] ?? "", keyword[2] ?? "", []);
  const body = keyword?.[2] ?? whole;
  const withArguments = ARGUMENTS.exec(body);
  const { found, rest } =
    withArguments === null
      ? { found: [], rest: body }
      : takeArguments(Number(withArguments[1]), withArguments[2] ?? "");
  const shell = SHELL.exec(rest);
  if (shell === null && keyword === null && withArguments === null) return step("", whole, []);
  return step("RUN", shell?.[1] ?? rest, found);
}

function step(keyword: string, text: string, found: readonly string[]): HistoryStep {
  return { keyword, text, arguments: found, commands: keyword === "RUN" ? commandFacts(scanShell(text)) : [] };
}

/** Arguments stand unquoted, so that a value with blanks reaches to the next `NAME=` or the shell. */
function takeArguments(count: number, text: string): { readonly found: readonly string[]; readonly rest: string } {
  const start = text.search(/(^|\s)(\/bin\/|\/usr\/bin\/)?(sh|bash|ash|dash)\s+-/);
  const head = start < 0 ? text : text.slice(0, start);
  const rest = start < 0 ? "" : text.slice(start).trim();
  const found = head.split(/\s+(?=[A-Za-z_]\w*=)/).filter((part) => /^[A-Za-z_]\w*=/.test(part));
  return { found: found.slice(0, count), rest };
}

import { packagesOf, subcommandOf, unpinnedOf } from "./packages.ts";
import { baseName, type ShellCommand, type ShellScript } from "./scan.ts";

/** A command as expressions see it. */
export interface CommandFacts {
  /** Base name of the program, after `sudo`, `env`, `exec` and their like. */
  readonly name: string;
  readonly args: readonly string[];
  /** First argument that is no option. */
  readonly sub: string;
  /** What it installs, and which of that names no version. */
  readonly packages: readonly string[];
  readonly unpinned: readonly string[];
  /** `sudo`, `env`, … in front of the program. */
  readonly wrappers: readonly string[];
  /** `NAME=value` in front of the program. */
  readonly assignments: readonly string[];
  /** Files that its output goes to. */
  readonly writes: readonly string[];
  /** Program that reads its output, through a pipe or as `sh -c "$(…)"`; empty: none. */
  readonly pipesTo: string;
  readonly depth: number;
  /** Index of the program's own word among the command's words. */
  readonly wordAt: number;
}

const WRAPPERS = new Set(["sudo", "env", "exec", "command", "nohup", "time", "nice", "doas", "gosu", "su-exec"]);
const SUDO_VALUED = new Set(["-u", "-g", "-h", "-p", "-C", "-r", "-t", "--user", "--group"]);

/**
 * What checks may ask of each command of a script, in its order.
 *
 * @example commandFacts(scanShell("sudo apt-get -y install curl"))[0]?.packages; // ["curl"]
 */
export function commandFacts(script: ShellScript): readonly CommandFacts[] {
  const names = script.commands.map(programAt);
  return script.commands.map((command, index) => {
    const { at, wrappers } = names[index] as Program;
    const name = baseName(command.words[at]?.text ?? "");
    const args = argsOf(
      name,
      command.words.slice(at + 1).map((word) => word.text),
    );
    const target = command.pipesTo < 0 ? undefined : script.commands[command.pipesTo];
    const targetAt = names[command.pipesTo]?.at ?? 0;
    return {
      name: pythonPip(command, at) ? "pip" : name,
      args,
      sub: subcommandOf(pythonPip(command, at) ? "pip" : name, args),
      packages: packagesOf(pythonPip(command, at) ? "pip" : name, args),
      unpinned: unpinnedOf(pythonPip(command, at) ? "pip" : name, args),
      wrappers,
      assignments: command.assignments,
      writes: command.writes,
      pipesTo: baseName(target?.words[targetAt]?.text ?? ""),
      depth: command.depth,
      wordAt: at,
    };
  });
}

/** `python3 -m pip install x`: the arguments are pip's. */
function argsOf(name: string, args: readonly string[]): readonly string[] {
  return /^python[\d.]*$/.test(name) && args[0] === "-m" && args[1] === "pip" ? args.slice(2) : args;
}

function pythonPip(command: ShellCommand, at: number): boolean {
  const [name = "", option = "", module = ""] = command.words.slice(at, at + 3).map((word) => word.text);
  return /^python[\d.]*$/.test(baseName(name)) && option === "-m" && module === "pip";
}

interface Program {
  readonly at: number;
  readonly wrappers: readonly string[];
}

function programAt(command: ShellCommand): Program {
  const wrappers: string[] = [];
  let at = 0;
  while (at < command.words.length) {
    const word = baseName(command.words[at]?.text ?? "");
    if (!WRAPPERS.has(word)) break;
    wrappers.push(word);
    at++;
    if (word === "gosu" || word === "su-exec") at++;
    while (at < command.words.length) {
      const next = command.words[at]?.text ?? "";
      if (word === "sudo" && SUDO_VALUED.has(next)) at += 2;
      else if (next.startsWith("-") || (word !== "command" && /^[A-Za-z_]\w*=/.test(next))) at++;
      else break;
    }
  }
  // A wrapper alone (`sudo -s`, `exec "$@"` is not) is the program itself.
  return at < command.words.length ? { at, wrappers } : { at: 0, wrappers: [] };
}

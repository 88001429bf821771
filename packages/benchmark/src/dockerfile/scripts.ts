import { type CommandFacts, commandFacts } from "../shell/command-facts.ts";
import { type ShellScript, scanShell } from "../shell/scan.ts";
import type { ParsedDockerfile, ParsedInstruction } from "./parse.ts";

/** What a RUN (or a shell-form CMD) executes, with the way back from the script to the file. */
export interface Script {
  readonly instruction: ParsedInstruction;
  readonly shell: ShellScript;
  readonly facts: readonly CommandFacts[];
  /** Position in the file of a position in the script; undefined: the script does not stand there as it is. */
  readonly position: ((at: number) => number) | undefined;
  readonly text: string;
}

const NOTHING: ShellScript = { commands: [], hasPipe: false, endsPlain: false, complete: true };
const OTHER_INTERPRETER = /^#!.*\b(python|perl|ruby|node|php|awk)/;
const SHELL_WORD = /^(\S*\/)?(sh|bash|dash|ash|zsh|ksh)$/;

/**
 * The script of an instruction.
 *
 * @param posix false where SHELL names another shell, or on Windows: nothing is read then
 */
export function scriptOf(instruction: ParsedInstruction, posix: boolean): Script {
  if (instruction.json !== undefined) return jsonScript(instruction, instruction.json);
  if (!posix) return { instruction, shell: NOTHING, facts: [], position: undefined, text: "" };
  const [heredoc] = instruction.heredocs;
  if (heredoc !== undefined) {
    const before = instruction.body.text.replace(/<<-?\s*["']?\w+["']?/g, "").trim();
    const isShell = (before === "" || SHELL_WORD.test(before)) && !OTHER_INTERPRETER.test(heredoc.content);
    if (isShell) return plainScript(instruction, heredoc.content, (at) => heredoc.start + at);
  }
  const { text, offsets } = instruction.body;
  return plainScript(instruction, text, (at) => offsets[Math.min(at, offsets.length - 1)] as number);
}

function plainScript(instruction: ParsedInstruction, text: string, position: (at: number) => number): Script {
  const shell = scanShell(text);
  return { instruction, shell, facts: commandFacts(shell), position, text };
}

function jsonScript(instruction: ParsedInstruction, json: readonly string[]): Script {
  const [program = "", option = "", text = ""] = json;
  const isShell = SHELL_WORD.test(program) && /^-[a-z]*c$/.test(option);
  const words = json.map((word) => ({ text: word, start: 0, end: 0, plain: false }));
  const single: ShellScript = {
    ...NOTHING,
    commands: [{ words, assignments: [], writes: [], pipesTo: -1, depth: 0 }],
  };
  const shell = isShell ? scanShell(text) : single;
  return { instruction, shell, facts: commandFacts(shell), position: undefined, text };
}

/** The line of a position in the file, 1 for the first. */
export function lineAt(dockerfile: ParsedDockerfile, position: number): number {
  let low = 0;
  let high = dockerfile.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((dockerfile.starts[middle] as number) <= position) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}

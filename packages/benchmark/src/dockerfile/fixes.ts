import type { CommandFacts } from "../shell/command-facts.ts";
import { wordsOf } from "./copies.ts";
import type { ParsedInstruction } from "./parse.ts";
import { lineAt, type Script } from "./scripts.ts";
import type { Stage } from "./stages.ts";
import type { DockerfileModel } from "./subject.ts";

/** A replacement of the characters from `start` to before `end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** What it does, for people. */
  readonly what: string;
}

/** A safe fix: the edits for facts on one line; none where it is not certain that nothing else changes. */
type Fix = (model: DockerfileModel, line: number) => readonly Edit[];

/** Subcommands that mean the same to apt and apt-get. */
const SHARED_APT = new Set([
  "update",
  "install",
  "remove",
  "purge",
  "autoremove",
  "upgrade",
  "clean",
  "autoclean",
  "build-dep",
]);
/** ADD unpacks by content, so only what cannot be an archive is taken: directories, and files of these kinds. */
const NO_ARCHIVE =
  /\.(txt|md|json|ya?ml|toml|ini|cfg|conf|cnf|xml|html?|css|js|mjs|cjs|ts|tsx|jsx|py|rb|php|pl|go|rs|c|h|cc|cpp|java|kt|sh|bash|env|lock|mod|sum|sql|properties|service|template|tpl|tmpl|csv|pem|crt|pub|jar|war|png|svg|ico)$/i;
const COPY_FLAGS = new Set(["chown", "chmod", "link", "exclude", "parents"]);
const PLAIN_VALUE = /^[\w ./:@%+,=${}-]+$/;
const PLAIN_WORD = /^[A-Za-z0-9_./:=@%+,-]+$/;
/** Words that only a shell knows: without one there is nothing to run. */
const BUILTINS = new Set(
  "alias bg break cd command continue eval exec exit export fg hash jobs read readonly return set shift source times trap type ulimit umask unalias unset wait test . :".split(
    " ",
  ),
);

/** All fixes by the id that checks name. */
export const FIXES: Readonly<Record<string, Fix>> = {
  "add-to-copy": addToCopy,
  "maintainer-to-label": maintainerToLabel,
  "env-equals": envEquals,
  "cmd-exec-form": cmdExecForm,
  "apt-to-apt-get": aptToAptGet,
  "apt-assume-yes": (model, line) =>
    insertAfterSub(
      model,
      line,
      isApt,
      ["install", "upgrade", "dist-upgrade", "remove", "purge", "autoremove", "build-dep"],
      "-y",
      "apt answers its questions itself",
    ),
  "apt-no-recommends": (model, line) =>
    insertAfterSub(model, line, isApt, ["install"], "--no-install-recommends", "only what is needed is installed"),
  "apt-clean-lists": (model, line) => appendCleanup(model, line, "rm -rf /var/lib/apt/lists/*", listsNeededLater),
  "yum-assume-yes": (model, line) =>
    insertAfterSub(
      model,
      line,
      isYum,
      ["install", "update", "upgrade", "remove", "reinstall", "localinstall"],
      "-y",
      "the package manager answers its questions itself",
    ),
  "yum-clean": (model, line) => appendCleanup(model, line, undefined, () => false),
  "pip-no-cache": (model, line) =>
    insertAfterSub(
      model,
      line,
      ({ name }) => /^pip[\d.]*$/.test(name),
      ["install"],
      "--no-cache-dir",
      "pip keeps no cache",
    ),
  "apk-no-cache": (model, line) =>
    insertAfterSub(model, line, ({ name }) => name === "apk", ["add"], "--no-cache", "apk keeps no index"),
};

function isApt({ name }: CommandFacts): boolean {
  return name === "apt-get" || name === "apt";
}

function isYum({ name }: CommandFacts): boolean {
  return ["yum", "dnf", "microdnf", "tdnf"].includes(name);
}

function instructionsAt(
  model: DockerfileModel,
  line: number,
  keywords: readonly string[],
): readonly ParsedInstruction[] {
  return model.parsed.instructions.filter((entry) => entry.line === line && keywords.includes(entry.keyword));
}

function addToCopy(model: DockerfileModel, line: number): readonly Edit[] {
  return instructionsAt(model, line, ["ADD"]).flatMap((instruction) => {
    const sources = wordsOf(instruction).slice(0, -1);
    const local = sources.every((source) => /^\.\/?$|\/$/.test(source) || NO_ARCHIVE.test(source));
    const plain = sources.every((source) => !/[$*?[:]/.test(source));
    const known = instruction.flags.every(({ name }) => COPY_FLAGS.has(name));
    if (sources.length === 0 || !local || !plain || !known || instruction.heredocs.length > 0) return [];
    return [{ start: instruction.start, end: instruction.start + "ADD".length, text: "COPY", what: "ADD became COPY" }];
  });
}

function maintainerToLabel(model: DockerfileModel, line: number): readonly Edit[] {
  return instructionsAt(model, line, ["MAINTAINER"]).flatMap((instruction) => {
    const text = instruction.body.text.trim().replace(/^"(.*)"$|^'(.*)'$/, "$1$2");
    if (text === "" || /["'\\$`\n]/.test(text)) return [];
    const label = `LABEL org.opencontainers.image.authors="${text}"`;
    return [{ start: instruction.start, end: contentEnd(instruction), text: label, what: "MAINTAINER became a label" }];
  });
}

function envEquals(model: DockerfileModel, line: number): readonly Edit[] {
  return instructionsAt(model, line, ["ENV", "LABEL"]).flatMap((instruction) => {
    const match = /^(\S+)\s+(\S.*)$/.exec(instruction.body.text.trim());
    const [, name = "", value = ""] = match ?? [];
    if (instruction.properties.length !== 1 || !/^[\w.-]+$/.test(name) || !PLAIN_VALUE.test(value)) return [];
    const written = value.includes(" ") ? `"${value}"` : value;
    const text = `${name}=${written}`;
    return [
      {
        start: contentStart(instruction),
        end: contentEnd(instruction),
        text,
        what: `${instruction.keyword} got its = sign`,
      },
    ];
  });
}

function cmdExecForm(model: DockerfileModel, line: number): readonly Edit[] {
  const stage = model.stages.find(({ instructions }) =>
    instructions.some((entry) => entry.line === line && entry.keyword === "CMD"),
  );
  if (stage === undefined || stage.facts.entrypoint || namesShell(model, stage)) return [];
  return instructionsAt(model, line, ["CMD"]).flatMap((instruction) => {
    const words = instruction.body.text.trim().split(/\s+/);
    const [program = ""] = words;
    const plain = words.every((word) => PLAIN_WORD.test(word));
    if (instruction.json !== undefined || !plain || program.includes("=") || BUILTINS.has(program)) return [];
    const text = `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;
    return [
      {
        start: contentStart(instruction),
        end: contentEnd(instruction),
        text,
        what: "CMD runs its program without a shell",
      },
    ];
  });
}

/** Whether SHELL is set in the stage or one that it builds upon: what CMD means then depends on it. */
function namesShell(model: DockerfileModel, stage: Stage): boolean {
  let here: Stage | undefined = stage;
  while (here !== undefined) {
    if (here.instructions.some(({ keyword }) => keyword === "SHELL")) return true;
    here = model.stages[here.parent];
  }
  return false;
}

function aptToAptGet(model: DockerfileModel, line: number): readonly Edit[] {
  return commandsAt(model, line).flatMap(({ script, index, facts }) => {
    if (facts.name !== "apt" || !SHARED_APT.has(facts.sub)) return [];
    const word = script.shell.commands[index]?.words[facts.wordAt];
    if (word?.text !== "apt" || !word.plain) return [];
    const start = (script.position as (at: number) => number)(word.start);
    return [{ start, end: start + "apt".length, text: "apt-get", what: "apt became apt-get" }];
  });
}

interface CommandAt {
  readonly script: Script;
  readonly index: number;
  readonly facts: CommandFacts;
}

/** The commands that stand in the file as they are and start on the line. */
function commandsAt(model: DockerfileModel, line: number): readonly CommandAt[] {
  return model.scripts.flatMap((script) => {
    const { position } = script;
    if (position === undefined) return [];
    return script.facts.flatMap((facts, index) => {
      const first = script.shell.commands[index]?.words[0];
      if (first === undefined || facts.depth > 0 || lineAt(model.parsed, position(first.start)) !== line) return [];
      return [{ script, index, facts }];
    });
  });
}

function insertAfterSub(
  model: DockerfileModel,
  line: number,
  wanted: (facts: CommandFacts) => boolean,
  subs: readonly string[],
  option: string,
  what: string,
): readonly Edit[] {
  return commandsAt(model, line).flatMap(({ script, index, facts }) => {
    if (!wanted(facts) || !subs.includes(facts.sub) || given(facts.args, option)) return [];
    const words = script.shell.commands[index]?.words ?? [];
    const word = words.find((entry, at) => at > facts.wordAt && entry.text === facts.sub);
    if (word === undefined || !word.plain) return [];
    // One past the word's own last character: the position of what follows may lie on another line.
    const at = (script.position as (at: number) => number)(word.end - 1) + 1;
    return [{ start: at, end: at, text: ` ${option}`, what }];
  });
}

function given(args: readonly string[], option: string): boolean {
  if (option !== "-y") return args.includes(option);
  return args.some(
    (arg) =>
      /^(-y|--yes|--assume-yes|--assumeyes|--force-yes|-q=\d)$/.test(arg) ||
      /^-[A-Za-z]*y[A-Za-z]*$/.test(arg) ||
      arg === "-qq",
  );
}

function appendCleanup(
  model: DockerfileModel,
  line: number,
  cleanup: string | undefined,
  neededLater: (model: DockerfileModel, script: Script) => boolean,
): readonly Edit[] {
  return model.scripts.flatMap((script) => {
    const { instruction, shell, facts, position } = script;
    if (instruction.line !== line || position === undefined || instruction.heredocs.length > 0) return [];
    const plain =
      shell.endsPlain &&
      facts.every(({ wrappers }) => wrappers.length === 0) &&
      !facts.some(({ name }) => name === "exit" || name === "exec");
    if (!plain || neededLater(model, script)) return [];
    const manager = facts.find((command) => isYum(command))?.name;
    const command = cleanup ?? (manager === undefined ? undefined : `${manager} clean all`);
    if (command === undefined) return [];
    const at = contentEnd(instruction);
    const manyLines =
      model.parsed.text.slice(instruction.start, at).includes("\n") && !model.parsed.text.includes("\r");
    const joint = manyLines ? ` ${model.parsed.escape}\n    && ` : " && ";
    return [{ start: at, end: at, text: `${joint}${command}`, what: `${command} runs at the end of the RUN` }];
  });
}

/** A later RUN of the same image installs without an update of its own, and so needs the lists to stay. */
function listsNeededLater(model: DockerfileModel, script: Script): boolean {
  const at = model.scripts.indexOf(script);
  return model.scripts.slice(at + 1).some(({ facts }) => {
    const update = facts.findIndex((command) => isApt(command) && command.sub === "update");
    const install = facts.findIndex(
      (command) =>
        /^(apt|apt-get|apt-cache|aptitude)$/.test(command.name) && command.sub !== "update" && command.sub !== "clean",
    );
    return install >= 0 && (update < 0 || install < update);
  });
}

/** Position of the first character of the arguments. */
function contentStart({ body }: ParsedInstruction): number {
  return body.offsets[body.text.length - body.text.trimStart().length] as number;
}

/** Position after the last character of the arguments. */
function contentEnd({ body }: ParsedInstruction): number {
  const length = body.text.trimEnd().length;
  return length === 0 ? (body.offsets[0] as number) : (body.offsets[length - 1] as number) + 1;
}

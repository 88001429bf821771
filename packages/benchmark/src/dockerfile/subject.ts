import type { Fields } from "@bulwark/model";
import { isSecretName, secretShape } from "../secret-shape.ts";
import { copyFacts, wordsOf } from "./copies.ts";
import { expandVariables } from "./expand.ts";
import type { ParsedDockerfile, ParsedInstruction } from "./parse.ts";
import { lineAt, type Script, scriptOf } from "./scripts.ts";
import { type Stage, stagesOf } from "./stages.ts";

/** What the checks on Dockerfiles may speak of; docs/configuration-checks.md lists every field. */
interface DockerfileSubject {
  readonly stages: readonly Fields[];
  readonly instructions: readonly Fields[];
  readonly runs: readonly Fields[];
  readonly commands: readonly Fields[];
  readonly env: readonly Fields[];
  readonly copies: readonly Fields[];
  readonly ports: readonly Fields[];
  readonly options: Fields;
}

/** A Dockerfile's subject, with the scripts that its fixes rewrite. */
export interface DockerfileModel {
  readonly parsed: ParsedDockerfile;
  readonly stages: readonly Stage[];
  readonly subject: DockerfileSubject;
  /** The scripts of RUN, in order, beside `subject.runs`. */
  readonly scripts: readonly Script[];
  /** What was left out, as sentences. */
  readonly problems: readonly string[];
}

export interface LintOptions {
  /** Registries that images may come from, as hosts or `host/path` beginnings; empty: any. */
  readonly registries?: readonly string[];
}

const MAX_TEXT = 500;
/** Commands of all RUN together; `problems` says when there are more. */
const MAX_COMMANDS = 20_000;
const KEYWORDS = new Set(
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(
    " ",
  ),
);
/** Instructions of which only the last one in a stage counts. */
const LAST_COUNTS = new Set(["CMD", "ENTRYPOINT", "HEALTHCHECK"]);
const POSIX_SHELL = /^(\S*\/)?(sh|bash|dash|ash|zsh|ksh|busybox)$/;

/** Turns a parsed Dockerfile into what checks are judged on. */
export function dockerfileModel(parsed: ParsedDockerfile, options: LintOptions = {}): DockerfileModel {
  const { global, stages } = stagesOf(parsed);
  const scripts: Script[] = [];
  const runs: Fields[] = [];
  const instructions = global.map((entry) => instructionFacts(entry, undefined, [], true));
  const env: Fields[] = [];
  const copies: Fields[] = [];
  const ports: Fields[] = [];
  for (const entry of global) env.push(...variableFacts(entry, undefined, new Map()));
  // SHELL holds on in stages that build upon this one.
  const shells: (readonly string[])[] = [];
  for (const stage of stages) {
    const variables = new Map<string, string>();
    let shell = shells[stage.parent] ?? (stage.facts.windows ? ["cmd"] : ["/bin/sh", "-c"]);
    for (const instruction of stage.instructions) {
      if (instruction.keyword === "SHELL" && instruction.json !== undefined) shell = instruction.json;
      const posix = POSIX_SHELL.test(shell[0] ?? "");
      instructions.push(instructionFacts(instruction, stage, stage.instructions, posix));
      env.push(...variableFacts(instruction, stage, variables));
      if (instruction.keyword === "RUN") {
        const script = scriptOf(instruction, posix);
        scripts.push(script);
        runs.push(runFacts(parsed, script, stage, shell));
      } else if (instruction.keyword === "COPY" || instruction.keyword === "ADD") {
        copies.push(copyFacts(instruction, stage, stages));
      } else if (instruction.keyword === "EXPOSE") ports.push(...portFacts(instruction, stage, variables));
    }
    shells.push(shell);
  }
  const commands = runs.flatMap((run) => run.commands as readonly Fields[]);
  const short = commands.length > MAX_COMMANDS || scripts.some(({ shell }) => !shell.complete);
  return {
    parsed,
    stages,
    scripts,
    problems: short ? ["there are too many commands; not all were looked at"] : [],
    subject: {
      stages: stages.map(({ facts }) => ({ ...facts, allowed: isAllowed(facts, options.registries ?? []) })),
      instructions,
      runs,
      commands: commands.slice(0, MAX_COMMANDS),
      env,
      copies,
      ports,
      options: { registries: options.registries ?? [] },
    },
  };
}

function isAllowed(stage: Stage["facts"], registries: readonly string[]): boolean {
  if (!stage.external || registries.length === 0) return true;
  const name = `${stage.registry}/${stage.repository}`;
  return registries.some(
    (allowed) => name === allowed || name.startsWith(allowed.endsWith("/") ? allowed : `${allowed}/`),
  );
}

function instructionFacts(
  instruction: ParsedInstruction,
  stage: Stage | undefined,
  siblings: readonly ParsedInstruction[],
  posix: boolean,
): Fields {
  const { keyword, json, body } = instruction;
  const text = body.text.trim();
  const variables = keyword === "ENV" || keyword === "ARG";
  const script = keyword === "CMD" || keyword === "ENTRYPOINT" ? scriptOf(instruction, posix) : undefined;
  const [only] = script?.shell.commands ?? [];
  const at = siblings.indexOf(instruction);
  const later = siblings
    .slice(at + 1)
    .some((other) => other.keyword === keyword && other.onbuild === instruction.onbuild);
  return {
    name: keyword,
    known: KEYWORDS.has(keyword),
    // Values of variables may be secrets: only their names are told here.
    text: variables ? "" : text.slice(0, MAX_TEXT),
    args: variables
      ? instruction.properties.map(({ name }) => name)
      : (json ?? wordsOf(instruction).slice(0, MAX_TEXT)),
    json: json !== undefined,
    brokenJson: json === undefined && text.startsWith("[") && text.endsWith("]") && !/^\[\s/.test(text),
    /** Shell form that needs no shell: one command of plain words. */
    simple:
      json === undefined &&
      script?.shell.commands.length === 1 &&
      only?.assignments.length === 0 &&
      only.words.every((word) => word.plain) &&
      script.shell.endsPlain,
    superseded: LAST_COUNTS.has(keyword) && later,
    legacy:
      (keyword === "ENV" || keyword === "LABEL") &&
      instruction.properties.length === 1 &&
      /^\S+\s+/.test(text) &&
      !/^("[^"]*"|[^\s=]+)=/.test(text),
    stage: stage?.facts.index ?? -1,
    entrypointInStage: siblings.some((other) => other.keyword === "ENTRYPOINT"),
    shipped: stage?.facts.shipped ?? false,
    last: stage?.facts.last ?? false,
    beforeFrom: stage === undefined,
    onbuild: instruction.onbuild,
    posix,
    line: instruction.line,
  };
}

function variableFacts(
  instruction: ParsedInstruction,
  stage: Stage | undefined,
  variables: Map<string, string>,
): readonly Fields[] {
  if (instruction.keyword !== "ENV" && instruction.keyword !== "ARG") return [];
  return instruction.properties.map(({ name, value, hasValue }) => {
    const secret = hasValue ? secretShape(name, value) : "";
    variables.set(name, expandVariables(value, variables));
    return {
      name: instruction.keyword,
      key: name,
      /** Never a secret's value. */
      value: secret === "" ? value.slice(0, MAX_TEXT) : "",
      hasValue,
      secret,
      secretName: isSecretName(name),
      stage: stage?.facts.index ?? -1,
      shipped: stage?.facts.shipped ?? false,
      line: instruction.line,
    };
  });
}

function portFacts(
  instruction: ParsedInstruction,
  stage: Stage,
  variables: ReadonlyMap<string, string>,
): readonly Fields[] {
  return wordsOf(instruction).map((word) => {
    const text = expandVariables(word, variables);
    const match = /^(\d{1,6})(?:-(\d{1,6}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
    const first = match === null ? -1 : Number(match[1]);
    const end = match?.[2] === undefined ? first : Number(match[2]);
    return {
      name: "EXPOSE",
      text: word.slice(0, MAX_TEXT),
      first,
      end,
      valid: text.includes("$") || (first >= 1 && end <= 65_535 && end >= first),
      protocol: (match?.[3] ?? "tcp").toLowerCase(),
      stage: stage.facts.index,
      shipped: stage.facts.shipped,
      line: instruction.line,
    };
  });
}

function runFacts(parsed: ParsedDockerfile, script: Script, stage: Stage, shell: readonly string[]): Fields {
  const { instruction } = script;
  const mounts = instruction.flags.filter(({ name }) => name === "mount").map(({ value }) => mountOf(value));
  const commands = script.facts.map((facts, index) => {
    const at = script.shell.commands[index]?.words[0]?.start ?? 0;
    const line = script.position === undefined ? instruction.line : lineAt(parsed, script.position(at));
    return { ...facts, stage: stage.facts.index, shipped: stage.facts.shipped, line };
  });
  return {
    name: "RUN",
    json: instruction.json !== undefined,
    heredoc: instruction.heredocs.length > 0,
    commands,
    names: [...new Set(script.facts.map(({ name }) => name))],
    /** Targets of cache and tmpfs mounts: what is written there does not stay. */
    caches: mounts.filter(({ type }) => type === "cache" || type === "tmpfs").map(({ target }) => target),
    secrets: mounts.filter(({ type }) => type === "secret" || type === "ssh").length,
    hasPipe: script.shell.hasPipe,
    pipefail:
      shell.some((word) => word.includes("pipefail")) ||
      script.facts.some(({ name, args }) => name === "set" && args.includes("pipefail")),
    flags: instruction.flags.map(({ name, value }) => `${name}=${value}`),
    empty:
      instruction.json === undefined &&
      script.text.trim() === "" &&
      script.shell.complete &&
      instruction.body.text.trim() === "",
    stage: stage.facts.index,
    shipped: stage.facts.shipped,
    onbuild: instruction.onbuild,
    line: instruction.line,
  };
}

function mountOf(value: string): { readonly type: string; readonly target: string } {
  const fields = new Map(
    value.split(",").map((part): [string, string] => {
      const [key = "", text = ""] = part.split("=", 2);
      return [key, text];
    }),
  );
  return {
    type: fields.get("type") ?? "bind",
    target: fields.get("target") ?? fields.get("dst") ?? fields.get("destination") ?? "",
  };
}

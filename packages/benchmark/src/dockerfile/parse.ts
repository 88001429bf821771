import {
  DockerfileParser,
  type Heredoc,
  type Instruction,
  JSONInstruction,
  ModifiableInstruction,
  Onbuild,
  PropertyInstruction,
} from "dockerfile-ast";
import { type LogicalText, logicalText } from "./logical-text.ts";

/** Beyond this no Dockerfile is read: the largest known ones have some thousand lines. */
const MAX_LENGTH = 1024 * 1024;
const MAX_INSTRUCTIONS = 2_000;
const MAX_LINE_LENGTH = 200_000;

interface InstructionFlag {
  readonly name: string;
  readonly value: string;
}

interface Property {
  readonly name: string;
  /** Empty where `ARG NAME` gives none. */
  readonly value: string;
  readonly hasValue: boolean;
}

interface HeredocText {
  readonly name: string;
  readonly content: string;
  /** Position of the content in the file. */
  readonly start: number;
}

/** One instruction, with what its kind has; the triggers of ONBUILD stand as instructions of their own. */
export interface ParsedInstruction {
  /** Upper case. */
  readonly keyword: string;
  /** 1 for the first line. */
  readonly line: number;
  /** Positions of the whole instruction in the file. */
  readonly start: number;
  readonly end: number;
  /** Arguments after the flags, on one line; for here-documents only the line that opens them. */
  readonly body: LogicalText;
  readonly flags: readonly InstructionFlag[];
  /** Elements of the JSON form; undefined: shell form. */
  readonly json: readonly string[] | undefined;
  readonly properties: readonly Property[];
  readonly heredocs: readonly HeredocText[];
  readonly onbuild: boolean;
}

interface DockerfileComment {
  readonly line: number;
  readonly text: string;
}

export interface ParsedDockerfile {
  readonly text: string;
  readonly escape: string;
  /** Position of the first character of each line. */
  readonly starts: readonly number[];
  readonly instructions: readonly ParsedInstruction[];
  readonly comments: readonly DockerfileComment[];
  /** What could not be read, as sentences. */
  readonly problems: readonly string[];
}

/**
 * Reads a Dockerfile. Never throws: what cannot be read is a problem.
 *
 * @example parseDockerfile("FROM alpine:3.20\nUSER 1000\n").instructions[1]?.keyword; // "USER"
 */
export function parseDockerfile(text: string): ParsedDockerfile {
  const nothing = { text, escape: "\\", starts: [0], instructions: [], comments: [] };
  if (text.length > MAX_LENGTH) {
    return { ...nothing, problems: [`the Dockerfile is longer than ${MAX_LENGTH} characters and was not read`] };
  }
  if (text.split("\n").some((line) => line.length > MAX_LINE_LENGTH)) {
    return {
      ...nothing,
      problems: [`a line is longer than ${MAX_LINE_LENGTH} characters; the Dockerfile was not read`],
    };
  }
  try {
    return parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    return { ...nothing, problems: [`the Dockerfile could not be read: ${why}`] };
  }
}

function parse(text: string): ParsedDockerfile {
  const dockerfile = DockerfileParser.parse(text);
  const escapeChar = dockerfile.getEscapeCharacter();
  const starts = lineStarts(text);
  const all = dockerfile.getInstructions();
  const problems: string[] = [];
  if (all.length > MAX_INSTRUCTIONS) {
    problems.push(`only the first ${MAX_INSTRUCTIONS} of ${all.length} instructions were looked at`);
  }
  const source: Source = { text, escape: escapeChar, starts };
  const instructions = all.slice(0, MAX_INSTRUCTIONS).flatMap((instruction) => readInstruction(source, instruction));
  const comments = dockerfile.getComments().map((comment) => ({
    line: comment.getRange().start.line + 1,
    text: comment.getContent() ?? "",
  }));
  if (!instructions.some(({ keyword }) => keyword === "FROM")) problems.push("the Dockerfile has no FROM instruction");
  return { text, escape: escapeChar, starts, instructions, comments, problems };
}

interface Source {
  readonly text: string;
  readonly escape: string;
  readonly starts: readonly number[];
}

function readInstruction(source: Source, instruction: Instruction): readonly ParsedInstruction[] {
  const own = describe(source, instruction, false);
  if (!(instruction instanceof Onbuild)) return [own];
  const trigger = instruction.getTriggerInstruction();
  return trigger === null ? [own] : [own, describe(source, trigger, true)];
}

function describe(source: Source, instruction: Instruction, onbuild: boolean): ParsedInstruction {
  const range = instruction.getRange();
  const start = positionOf(source, range.start);
  const end = positionOf(source, range.end);
  const heredocs = heredocsOf(instruction);
  const keywordEnd = positionOf(source, instruction.getInstructionRange().end);
  const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags() : [];
  const lastFlag = flags.at(-1);
  const bodyStart = lastFlag === undefined ? keywordEnd : positionOf(source, lastFlag.getRange().end);
  const lineEnd = source.text.indexOf("\n", keywordEnd);
  const bodyEnd = heredocs.length > 0 && lineEnd >= 0 ? Math.min(lineEnd, end) : end;
  return {
    keyword: instruction.getKeyword(),
    line: range.start.line + 1,
    start,
    end,
    body: logicalText(source.text, Math.min(bodyStart, bodyEnd), bodyEnd, source.escape),
    flags: flags.map((flag) => ({ name: flag.getName(), value: flag.getValue() ?? "" })),
    json: jsonOf(instruction),
    properties: propertiesOf(instruction),
    heredocs: heredocs.map((heredoc) => contentOf(source, heredoc)),
    onbuild,
  };
}

/** The JSON form counts only where it is a whole list of strings; anything else is run by the shell. */
function jsonOf(instruction: Instruction): readonly string[] | undefined {
  if (!(instruction instanceof JSONInstruction)) return undefined;
  if (instruction.getOpeningBracket() === null || instruction.getClosingBracket() === null) return undefined;
  return instruction.getJSONStrings().map((argument) => argument.getJSONValue());
}

function propertiesOf(instruction: Instruction): readonly Property[] {
  if (!(instruction instanceof PropertyInstruction)) return [];
  return instruction.getProperties().map((property) => ({
    name: property.getName(),
    value: property.getValue() ?? "",
    hasValue: property.getValue() !== null,
  }));
}

function heredocsOf(instruction: Instruction): readonly Heredoc[] {
  if (!("getHeredocs" in instruction) || !["RUN", "COPY", "ADD"].includes(instruction.getKeyword())) return [];
  return (instruction as Instruction & { getHeredocs(): Heredoc[] }).getHeredocs();
}

function contentOf(source: Source, heredoc: Heredoc): HeredocText {
  const range = heredoc.getContentRange();
  if (range === null) return { name: heredoc.getName(), content: "", start: 0 };
  const start = positionOf(source, range.start);
  return { name: heredoc.getName(), content: source.text.slice(start, positionOf(source, range.end)), start };
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function positionOf(source: Source, position: { readonly line: number; readonly character: number }): number {
  return Math.min((source.starts[position.line] ?? source.text.length) + position.character, source.text.length);
}

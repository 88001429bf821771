import { type ParsedInstruction, parseDockerfile } from "@bulwark/benchmark";

/** What a change of a Dockerfile did. */
export interface DockerfileChange {
  readonly text: string;
  /** Lines of a unified diff. */
  readonly diff: readonly string[];
}

const CONTEXT = 3;

/**
 * Adds an upgrade to the last stage of a Dockerfile, where it still runs as root: after the last instruction that installs
 * packages, else right after FROM. It stays one instruction, so that the layer holds the upgrade alone.
 *
 * @returns undefined where the file has no stage
 */
export function addUpgrade(text: string, command: string): DockerfileChange | undefined {
  const { instructions, starts } = parseDockerfile(text);
  const from = instructions.findLastIndex(({ keyword }) => keyword === "FROM");
  const stage = instructions.slice(Math.max(0, from)).filter(({ onbuild }) => !onbuild);
  const [first] = stage;
  if (from < 0 || first === undefined) return undefined;
  const isInstalling = ({ keyword, body }: ParsedInstruction) => keyword === "RUN" && INSTALLS.test(body.text);
  const after = stage.findLast(isInstalling) ?? first;
  const user = stage.findLast(({ keyword, start }) => keyword === "USER" && start < after.start)?.body.text.trim();
  const isRoot = user === undefined || /^(root|0)(:|$)/.test(user);
  const run = `RUN ${command.split(" && ").join(" \\\n    && ")}`;
  const added = (isRoot ? [run] : ["USER root", run, `USER ${user}`]).flatMap((each) => each.split("\n"));
  const lines = text.split("\n");
  const at = starts.findLastIndex((start) => start < after.end) + 1;
  const changed = [...lines.slice(0, at), ...added, ...lines.slice(at)];
  return { text: changed.join("\n"), diff: diffOf(lines, at, added) };
}

const INSTALLS = /\b(apt-get|apt|apk|dnf|microdnf|yum)\b[^|;&]*\b(install|add|upgrade)\b/;

function diffOf(lines: readonly string[], at: number, added: readonly string[]): readonly string[] {
  // What follows the last line break is no line.
  const isEnded = lines.at(-1) === "";
  const whole = isEnded ? lines.slice(0, -1) : lines;
  const start = Math.max(0, at - CONTEXT);
  const before = whole.slice(start, at);
  const after = whole.slice(at, at + CONTEXT);
  const length = before.length + after.length;
  const last = isEnded || at + CONTEXT < whole.length ? [] : ["\\ No newline at end of file"];
  return [
    `@@ -${start + 1},${length} +${start + 1},${length + added.length} @@`,
    ...before.map((line) => ` ${line}`),
    ...added.map((line) => `+${line}`),
    ...after.map((line) => ` ${line}`),
    ...(after.length > 0 ? last : []),
  ];
}

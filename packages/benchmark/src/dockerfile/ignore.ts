import type { ParsedDockerfile } from "./parse.ts";

/** A wish to leave a check out, with the reason that makes it count. */
export interface Ignore {
  readonly ids: readonly string[];
  readonly reason: string;
  /** Line of the comment. */
  readonly line: number;
  /** Lines it holds for, both included. */
  readonly first: number;
  readonly last: number;
}

const COMMENT = /^#?\s*bulwark:(ignore|ignore-file)\s+(\S+)\s*(.*)$/;

/**
 * The `# bulwark:ignore check-id[,check-id] reason` comments: each holds for the instruction below it, or the one it
 * stands in; `ignore-file` for the whole file. Without a reason it does not count and is a problem.
 */
export function ignoresOf(parsed: ParsedDockerfile): {
  readonly ignores: readonly Ignore[];
  readonly problems: readonly string[];
} {
  const ignores: Ignore[] = [];
  const problems: string[] = [];
  const spans = parsed.instructions.map(({ line, start, end }) => ({
    first: line,
    last: line + (parsed.text.slice(start, end).match(/\n/g)?.length ?? 0),
  }));
  for (const { line, text } of parsed.comments) {
    const match = COMMENT.exec(text.trim());
    if (match === null) continue;
    const [, kind, ids = "", reason = ""] = match;
    if (reason.trim() === "") {
      problems.push(`line ${line}: bulwark:${kind} ${ids} gives no reason and is not followed`);
      continue;
    }
    const span =
      kind === "ignore-file" ? { first: 0, last: Number.MAX_SAFE_INTEGER } : spans.find(({ last }) => last >= line);
    if (span === undefined) problems.push(`line ${line}: bulwark:ignore ${ids} stands above no instruction`);
    else
      ignores.push({
        ids: ids.split(",").filter((id) => id !== ""),
        reason: reason.trim(),
        line,
        first: span.first,
        last: span.last,
      });
  }
  return { ignores, problems };
}

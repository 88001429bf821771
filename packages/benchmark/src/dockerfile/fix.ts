import { type Edit, FIXES } from "./fixes.ts";
import type { DockerfileFact } from "./lint.ts";
import { parseDockerfile } from "./parse.ts";
import { dockerfileModel } from "./subject.ts";

export interface FixResult {
  readonly text: string;
  /** What was done, one sentence each, in the order of the lines. */
  readonly applied: readonly string[];
}

/**
 * Applies the safe fixes that facts name. A fix is left out where it is not certain that the image stays the same in
 * what it is for; the fact then simply remains. All other bytes of the file stay as they are.
 *
 * @param facts what `lintDockerfile` gave for this very text
 * @example fixDockerfile("FROM debian:12\nRUN apt-get update && apt-get install curl\n", facts).text;
 */
export function fixDockerfile(text: string, facts: readonly DockerfileFact[]): FixResult {
  const model = dockerfileModel(parseDockerfile(text));
  const edits = new Map<string, Edit & { readonly label: string; readonly line: number }>();
  for (const { fix, line, id } of facts) {
    if (fix === undefined || line === undefined || !Object.hasOwn(FIXES, fix)) continue;
    for (const edit of (FIXES[fix] as (typeof FIXES)[string])(model, line)) {
      edits.set(`${edit.start} ${edit.end} ${edit.text}`, {
        ...edit,
        line,
        label: `line ${line}: ${edit.what} (${id})`,
      });
    }
  }
  const ordered = [...edits.values()].sort((a, b) => a.start - b.start || a.end - b.end);
  const pieces: string[] = [];
  const applied: { readonly line: number; readonly label: string }[] = [];
  let at = 0;
  for (const edit of ordered) {
    if (edit.start < at) continue;
    pieces.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
    applied.push(edit);
  }
  pieces.push(text.slice(at));
  const labels = applied.sort((a, b) => a.line - b.line).map(({ label }) => label);
  return { text: pieces.join(""), applied: [...new Set(labels)] };
}

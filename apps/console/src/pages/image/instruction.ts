/** A layer's history entry as the Dockerfile had it. */
export interface Instruction {
  /** RUN, COPY …; empty when the entry does not tell. */
  readonly verb: string;
  readonly rest: string;
}

const VERBS =
  "ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR";
const WRITTEN = new RegExp(`^(${VERBS})\\s+([\\s\\S]*)$`);

/**
 * Reads `created_by` of an image's history (OCI image specification, "history"): Docker's builder writes `/bin/sh -c #(nop)`
 * before instructions that run nothing, and BuildKit adds `# buildkit`.
 *
 * @example instructionOf("/bin/sh -c #(nop) ADD file:1 in / ") // { verb: "ADD", rest: "file:1 in /" }
 */
export function instructionOf(createdBy: string): Instruction {
  const plain = createdBy.replace(/\s*# buildkit\s*$/, "").trim();
  const silent = /^\/bin\/sh -c #\(nop\)\s*([\s\S]*)$/.exec(plain)?.[1];
  const written = WRITTEN.exec(silent ?? plain);
  if (written !== null) return { verb: written[1]!, rest: withoutShell(written[2]!.trim()) };
  const run = /^\/bin\/(?:ba|a)?sh (?:-\S+ )*-c ([\s\S]+)$/.exec(plain)?.[1];
  return run === undefined ? { verb: "", rest: plain } : { verb: "RUN", rest: run.trim() };
}

function withoutShell(rest: string): string {
  return rest.replace(/^\/bin\/sh -c /, "");
}

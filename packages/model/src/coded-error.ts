/**
 * An error that a person can act on: a stable code for programs, a message that names the thing concerned, and the next
 * step. Each package narrows `Code` to its own union in `errors.ts`.
 *
 * @example throw new CodedError("IMAGE_NOT_FOUND", "no such image: alpine:9", "check the tag's spelling");
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  /** What the reader can do about it, as an imperative sentence without a full stop; empty when nothing helps. */
  readonly next: string;

  constructor(code: Code, message: string, next = "", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CodedError";
    this.code = code;
    this.next = next;
  }
}

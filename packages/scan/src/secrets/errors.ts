import { CodedError } from "@bulwark/model";

/** `SECRET_RULES_INVALID`: a rule, or the whole file, cannot be used. */
export type SecretRuleErrorCode = "SECRET_RULES_INVALID";

/** A rule that was left out, or a file of which nothing could be read. The message names file, line and rule. */
export class SecretRuleError extends CodedError<SecretRuleErrorCode> {
  readonly file: string;
  /** 1 for the first line; 0 where it is not known. */
  readonly line: number;

  constructor(file: string, line: number, what: string, next: string, cause?: unknown) {
    super("SECRET_RULES_INVALID", `${file}${line > 0 ? `:${line}` : ""}: ${what}`, next, cause);
    this.name = "SecretRuleError";
    this.file = file;
    this.line = line;
  }
}

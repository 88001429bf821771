import { CodedError } from "@bulwark/model";

/** Exit status of a command that could not do its work. */
export const ERROR_EXIT = 2;

/** `GOLDEN_INVALID`: a list of golden images cannot be used. `USAGE`: the words of the call are wrong. `FILE_*`, `OUTPUT_*`: a file it names. `INTERRUPTED`: by the user.
 * `NOT_LOGGED_IN`, `SERVER_*`: the platform was to be asked. */
export type CliErrorCode =
  | "SENSOR_FAILED"
  | "NOT_FOUND"
  | "GOLDEN_INVALID"
  | "USAGE"
  | "IMAGE_UNKNOWN"
  | "FILE_UNREADABLE"
  | "OUTPUT_UNWRITABLE"
  | "INTERRUPTED"
  | "NOT_LOGGED_IN"
  | "SERVER_UNREACHABLE"
  | "SERVER_REFUSED";

export class CliError extends CodedError<CliErrorCode> {}

/**
 * Tells a person on stderr why the command could not do its work and what to do next.
 *
 * @returns the exit status
 */
export function reportFailure(error: unknown): number {
  if (error instanceof CodedError) {
    process.stderr.write(`bulwark: ${plain(error.message)}\n`);
    const next = error.next.trim();
    if (next !== "") process.stderr.write(`  → ${plain(next)}\n`);
    if (process.env.BULWARK_DEBUG !== undefined)
      process.stderr.write(`${error.stack}\n  cause: ${String(error.cause)}\n`);
    return ERROR_EXIT;
  }
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`bulwark: this is a defect of Bulwark, please report it:\n${plain(what)}\n`);
  return ERROR_EXIT;
}

/** Names from images, registries and feeds may hold terminal escapes; only line breaks and tabs are let through. */
export function plain(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}

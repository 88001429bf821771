import { ServerError } from "../errors.ts";
import { passwordProblem } from "../security/password-rules.ts";
import { readableSecret } from "../security/random-secret.ts";

/** About 98 bits. */
const GROUPS = 4;

/** A random password that can be read out on the telephone. */
export function randomPassword(): string {
  return readableSecret(GROUPS);
}

/** @throws ServerError `INVALID_REQUEST` when it breaks a rule */
export function checkPassword(password: string, names: readonly string[]): void {
  const problem = passwordProblem(password, names);
  if (problem !== undefined) throw new ServerError("INVALID_REQUEST", problem, "choose another one");
}

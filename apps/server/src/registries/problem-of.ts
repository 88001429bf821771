import { CodedError } from "@bulwark/model";

/** What is to be done in the settings of a registry, where the error's own advice is for a command line. */
const ADVICE: Readonly<Record<string, string>> = {
  REGISTRY_AUTH: "check the user and the password of the registry, and that the account may list and pull",
  ADDRESS_REFUSED: "allow private addresses for this registry, if that is meant",
};

/** Why a registry could not be read and what to do, for people. */
export function registryProblem(error: unknown): string {
  if (!(error instanceof CodedError)) return error instanceof Error ? error.message : String(error);
  const isUntrusted = /certificate|self-signed|issuer/i.test(error.message);
  const advice = isUntrusted
    ? "add the certificate of the authority that signed the registry's to its settings"
    : (ADVICE[error.code] ?? error.next);
  return advice === "" ? error.message : `${error.message}; ${advice}`;
}

import { beginTotp, confirmTotp, findAccountBy, removeTotp } from "@bulwark/store";
import type { FastifyRequest } from "fastify";
import { sessionOf } from "../access.ts";
import type { AppDeps } from "../app.ts";
import { audit } from "../audit/audit.ts";
import { ServerError } from "../errors.ts";
import { readableSecret, sha256 } from "../security/random-secret.ts";
import { newTotpSecret, totpUri } from "../security/totp.ts";
import { beginAttempt } from "./attempts.ts";
import { proveAgain, takeCode, totpPurpose } from "./login.ts";

const RECOVERY_CODES = 10;
/** About 98 bits: too many to guess, so that a plain hash of them is enough. */
const RECOVERY_GROUPS = 4;

/** Makes the secret of a second factor; it counts only after a code of it was shown. */
export async function beginSecondFactor(deps: AppDeps, request: FastifyRequest, password: string) {
  const principal = sessionOf(request);
  const account = await proveAgain(deps, request, principal, password);
  if (account.totpConfirmed) throw alreadyOn();
  const secret = newTotpSecret();
  await deps.store.tenant(account.tenantId, async (db) => {
    await beginTotp(db, account.id, deps.secrets.seal(account.tenantId, totpPurpose(account.id), secret));
    await audit(db, request, "account.totp-begin", `account/${account.id}`);
  });
  return { secret, uri: totpUri(secret, account.login) };
}

/** @throws ServerError `CONFLICT`, `FORBIDDEN` for a wrong code, `TOO_MANY_REQUESTS` */
export async function confirmSecondFactor(deps: AppDeps, request: FastifyRequest, code: string) {
  const { tenantId, accountId } = sessionOf(request);
  const account = await deps.store.tenant(tenantId, (db) => findAccountBy(db, "id", accountId));
  if (account?.totpConfirmed) throw alreadyOn();
  if (account == null || account.totpSecret === null) {
    throw new ServerError("CONFLICT", "no second factor was begun", "begin one first");
  }
  const attempt = await beginAttempt(deps.store, account.login, request.ip, deps.clock());
  if (!(await takeCode(deps, account, code))) {
    throw new ServerError("FORBIDDEN", "the code is wrong", "check that the clocks of phone and server are right");
  }
  await attempt.end("passed");
  const recoveryCodes = Array.from({ length: RECOVERY_CODES }, () => readableSecret(RECOVERY_GROUPS));
  await deps.store.tenant(tenantId, async (db) => {
    await confirmTotp(db, tenantId, accountId, recoveryCodes.map(sha256));
    await audit(db, request, "account.totp-on", `account/${accountId}`);
  });
  return { recoveryCodes };
}

export async function removeSecondFactor(deps: AppDeps, request: FastifyRequest, password: string): Promise<void> {
  const principal = sessionOf(request);
  const account = await proveAgain(deps, request, principal, password);
  await deps.store.tenant(account.tenantId, async (db) => {
    await removeTotp(db, account.id);
    await audit(db, request, "account.totp-off", `account/${account.id}`);
  });
}

function alreadyOn(): ServerError {
  return new ServerError("CONFLICT", "the account has a second factor", "remove it first");
}

import { randomBytes } from "node:crypto";
import { type Store, setClusterToken, type TenantQueries } from "@bulwark/store";
import { notFound } from "../errors.ts";
import { openAuthority } from "../gateway/authority.ts";
import { sha256 } from "../security/random-secret.ts";
import type { SecretBox } from "../security/secret-box.ts";

const TOKEN_BYTES = 24;
const HOUR_MS = 3_600_000;

export interface JoinToken {
  /** The secret, a dot, and the SHA-256 of the authority that agents may trust. */
  readonly token: string;
  readonly expiresAt: string;
}

/**
 * Gives a cluster a token with which it may join; the one before counts no more.
 *
 * @throws ServerError `NOT_FOUND` for a cluster that there is not
 */
export async function newJoinToken(
  { store, secrets, clock }: { readonly store: Store; readonly secrets: SecretBox; readonly clock: () => Date },
  db: TenantQueries,
  { tenantId, id, hours }: { readonly tenantId: number; readonly id: number; readonly hours: number },
): Promise<JoinToken> {
  const now = clock();
  const { fingerprint } = await openAuthority(store, secrets, now);
  const secret = randomBytes(TOKEN_BYTES).toString("base64url");
  const expiresAt = new Date(now.getTime() + hours * HOUR_MS);
  if (!(await setClusterToken(db, tenantId, id, { hash: sha256(secret), expiresAt }))) throw notFound("cluster", id);
  return { token: `${secret}.${fingerprint}`, expiresAt: expiresAt.toISOString() };
}

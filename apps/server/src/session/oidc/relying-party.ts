import * as oidc from "openid-client";
import { ServerError } from "../../errors.ts";
import { createOutbound, type Outbound } from "../../security/outbound.ts";
import type { SecretBox } from "../../security/secret-box.ts";
import { clientSecretOf, type Provider } from "./provider.ts";

/** What goes with the browser to the provider and is asked for when it comes back. */
export interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** What the provider says about somebody. */
export interface Identity {
  /** Names one person at one provider, for ever. */
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Our side of OpenID Connect (Core 1.0): authorization code with PKCE (RFC 7636), state and nonce; ID tokens are verified
 * against the provider's keys. All requests pass the guard of outbound addresses.
 */
export interface RelyingParty {
  /** Where to send the browser. */
  begin(redirectUri: string): Promise<{ readonly url: URL; readonly pending: Pending }>;
  /**
   * @param answer address that the browser came back to, as a whole
   * @throws ServerError `UNAUTHENTICATED`, `UPSTREAM_FAILED`, `ADDRESS_REFUSED`
   */
  finish(answer: URL, pending: Pending): Promise<Identity>;
}

/** @throws (its functions) ServerError `UPSTREAM_FAILED`, `ADDRESS_REFUSED` */
export function createRelyingParty(secrets: SecretBox, tenantId: number, provider: Provider): RelyingParty {
  const withConfig = async <Result>(work: (config: oidc.Configuration) => Promise<Result>): Promise<Result> => {
    const outbound = createOutbound({ allowPrivate: provider.allowPrivate === true });
    try {
      return await work(await discover(provider, await clientSecretOf(secrets, tenantId, provider), outbound));
    } catch (cause) {
      throw failure(provider, cause);
    } finally {
      outbound.close();
    }
  };
  return {
    begin: (redirectUri) =>
      withConfig(async (config) => {
        const verifier = oidc.randomPKCECodeVerifier();
        const pending = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier };
        const url = oidc.buildAuthorizationUrl(config, {
          redirect_uri: redirectUri,
          scope: provider.scopes ?? "openid profile email",
          state: pending.state,
          nonce: pending.nonce,
          code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
          code_challenge_method: "S256",
        });
        return { url, pending };
      }),
    finish: (answer, pending) => withConfig((config) => identityOf(config, answer, pending, provider.roleClaim)),
  };
}

async function identityOf(
  config: oidc.Configuration,
  answer: URL,
  pending: Pending,
  roleClaim: string | undefined,
): Promise<Identity> {
  const tokens = await oidc.authorizationCodeGrant(config, answer, {
    expectedState: pending.state,
    expectedNonce: pending.nonce,
    pkceCodeVerifier: pending.verifier,
    idTokenExpected: true,
  });
  const claims = tokens.claims()!;
  const isWhole = [roleClaim ?? "sub", "preferred_username"].every((name) => name in claims);
  if (isWhole || config.serverMetadata().userinfo_endpoint === undefined) return { subject: claims.sub, claims };
  const more = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  return { subject: claims.sub, claims: { ...more, ...claims } };
}

async function discover(
  provider: Provider,
  secret: string | undefined,
  outbound: Outbound,
): Promise<oidc.Configuration> {
  const issuer = new URL(provider.issuer);
  const isPlain = issuer.protocol === "http:" && provider.allowPrivate === true;
  const fetchGuarded: oidc.CustomFetch = async (url, { method, headers, body, signal }) => {
    const text = body instanceof URLSearchParams ? body.toString() : body;
    if (text !== undefined && text !== null && typeof text !== "string") throw new TypeError("a body that is no text");
    return outbound.fetch(url, { method, headers, body: text ?? undefined, signal });
  };
  return oidc.discovery(issuer, provider.clientId, secret, secret === undefined ? oidc.None() : undefined, {
    [oidc.customFetch]: fetchGuarded,
    execute: [oidc.enableNonRepudiationChecks, ...(isPlain ? [oidc.allowInsecureRequests] : [])],
  });
}

/** The provider, or somebody in its name, told something that does not hold; the browser's user learns no more. */
function failure(provider: Provider, cause: unknown): ServerError {
  if (cause instanceof ServerError) return cause;
  if (cause instanceof Error && cause.cause instanceof ServerError) return cause.cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof oidc.ClientError || cause instanceof oidc.AuthorizationResponseError) {
    return new ServerError("UNAUTHENTICATED", `the login through ${provider.name} failed: ${why}`, "try again", cause);
  }
  const next = "check the provider's issuer, client and redirect address";
  return new ServerError("UPSTREAM_FAILED", `${provider.name} does not answer as it should: ${why}`, next, cause);
}

import * as oidc from "openid-client";
import { ServerError } from "../../errors.ts";
import { createOutbound, type Outbound } from "../../security/outbound.ts";
import type { SecretBox } from "../../security/secret-box.ts";
import { clientSecretOf, type Provider } from "./provider.ts";

/** How long what a provider told of itself is taken for granted. */
const KEPT_MS = 5 * 60_000;

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

/** What providers told of themselves (OpenID Connect Discovery 1.0), for some minutes. */
export interface KnownProviders {
  /** @param now in milliseconds */
  get(key: string, now: number): oidc.ServerMetadata | undefined;
  put(key: string, metadata: oidc.ServerMetadata, now: number): void;
  forget(key: string): void;
}

export function keepProviders(): KnownProviders {
  const kept = new Map<string, { readonly metadata: oidc.ServerMetadata; readonly until: number }>();
  return {
    get(key, now) {
      const known = kept.get(key);
      return known !== undefined && now < known.until ? known.metadata : undefined;
    },
    put(key, metadata, now) {
      for (const [each, { until }] of kept) if (until <= now) kept.delete(each);
      kept.set(key, { metadata, until: now + KEPT_MS });
    },
    forget: (key) => void kept.delete(key),
  };
}

export interface RelyingPartyDeps {
  readonly secrets: SecretBox;
  readonly clock: () => Date;
  readonly known: KnownProviders;
}

/** @throws (its functions) ServerError `UPSTREAM_FAILED`, `ADDRESS_REFUSED` */
export function createRelyingParty(deps: RelyingPartyDeps, tenantId: number, provider: Provider): RelyingParty {
  const withConfig = async <Result>(work: (config: oidc.Configuration) => Promise<Result>): Promise<Result> => {
    const outbound = createOutbound({ allowPrivate: provider.allowPrivate === true });
    try {
      return await work(
        await configure(deps, provider, await clientSecretOf(deps.secrets, tenantId, provider), outbound),
      );
    } catch (cause) {
      // It may have changed what it told of itself.
      deps.known.forget(keyOf(provider));
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

function keyOf({ id, issuer, allowPrivate = false }: Provider): string {
  return JSON.stringify([id, issuer, allowPrivate]);
}

async function configure(
  { clock, known }: RelyingPartyDeps,
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
  const settings = [oidc.enableNonRepudiationChecks, ...(isPlain ? [oidc.allowInsecureRequests] : [])];
  const authentication = secret === undefined ? oidc.None() : undefined;
  const key = keyOf(provider);
  const now = clock().getTime();
  const metadata = known.get(key, now);
  if (metadata === undefined) {
    const options = { [oidc.customFetch]: fetchGuarded, execute: settings };
    const found = await oidc.discovery(issuer, provider.clientId, secret, authentication, options);
    known.put(key, found.serverMetadata(), now);
    return found;
  }
  const config = new oidc.Configuration(metadata, provider.clientId, secret, authentication);
  config[oidc.customFetch] = fetchGuarded;
  for (const set of settings) set(config);
  return config;
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

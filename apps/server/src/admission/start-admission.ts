import { createDecider } from "./decide.ts";
import { createDecisionBuffer } from "./decision-buffer.ts";
import { createFactsCache, type FactsCache } from "./facts-cache.ts";
import { type CertificatePlace, type KeptCertificate, keepCertificate } from "./keep-certificate.ts";
import type { KubeApi } from "./kube-api.ts";
import type { AdmissionSource } from "./source.ts";
import { type Certificate, type Handlers, listenForReviews, type WebhookCounts } from "./webhook.ts";

/** How long new requests still come after `/readyz` says no: endpoints are taken out of a service within seconds. */
const DRAIN_MS = 4_000;

export interface AdmissionOptions {
  readonly source: AdmissionSource;
  readonly listen: { readonly host: string; readonly port: number };
  /** Where the certificate is kept; or a certificate that somebody else keeps fresh. */
  readonly certificate: { readonly kube: KubeApi; readonly place: CertificatePlace } | { readonly given: Certificate };
  readonly clock: () => Date;
  readonly log: { error(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Further paths of the same listener, such as `/audit`. */
  readonly handlers?: Handlers;
  readonly drainMs?: number;
}

/** A replica of the admission role. */
export interface AdmissionRole {
  readonly port: number;
  readonly counts: AdmissionCounts;
  /** The certificate that is kept, where it is kept here. */
  readonly certificate: KeptCertificate | undefined;
  close(): Promise<void>;
}

interface AdmissionCounts extends WebhookCounts {
  readonly facts: FactsCache["counts"];
  readonly decisionsDropped: number;
  readonly decisionsWaiting: number;
  readonly revision: number;
}

/**
 * Starts a replica of the webhook.
 *
 * @example await startAdmission({ source, listen: { host: "0.0.0.0", port: 8443 }, certificate: { kube, place }, clock, log });
 */
export async function startAdmission(options: AdmissionOptions): Promise<AdmissionRole> {
  const { source, listen, clock, log, handlers = {}, drainMs = DRAIN_MS } = options;
  const cache = createFactsCache(source, () => performance.now());
  const decisions = createDecisionBuffer(source);
  const onProblem = (problem: string) => log.error({ problem }, "a policy that the server sent cannot be read");
  const decider = createDecider({ source, cache, decisions, clock: () => clock().getTime(), onProblem });
  let renew: (certificate: Certificate) => void = () => {};
  const kept =
    "given" in options.certificate
      ? undefined
      : await keepCertificate(
          options.certificate.kube,
          options.certificate.place,
          clock,
          (next) => renew(next),
          (err) => log.warn({ err }, "the webhook's certificate could not be looked after; it is tried again"),
        );
  const certificate = "given" in options.certificate ? options.certificate.given : kept?.current;
  if (certificate === undefined) throw new TypeError("there is no certificate");
  const onError = (err: unknown) => log.error({ err }, "a review could not be judged");
  const webhook = await listenForReviews(decider, certificate, listen, onError, handlers);
  renew = webhook.certify;
  return {
    port: webhook.port,
    certificate: kept,
    get counts() {
      return {
        ...webhook.counts,
        facts: cache.counts,
        ...{ decisionsDropped: decisions.dropped, decisionsWaiting: decisions.waiting, revision: decider.revision },
      };
    },
    async close() {
      webhook.drain();
      await new Promise((resolve) => setTimeout(resolve, drainMs));
      await webhook.close();
      kept?.close();
      decider.close();
      decisions.close();
    },
  };
}

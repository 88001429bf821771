import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import { ServerError } from "../errors.ts";
import { bundleOf, firstState, nextState, type ServingState, trusted } from "./authorities.ts";
import type { KubeApi } from "./kube-api.ts";
import type { Certificate } from "./webhook.ts";

const EVERY_MS = 30_000;
const MAX_TRIES = 5;
const STATE_KEY = "state.json";

/** Where the certificate is kept and who is to trust it. */
export interface CertificatePlace {
  /** The webhook's own namespace. */
  readonly namespace: string;
  readonly secret: string;
  /** Service by which the API server reaches the webhook. */
  readonly service: string;
  /** Further names that it holds for, such as of a webhook outside its cluster. */
  readonly names?: readonly string[];
  /** Names of the webhook configurations. */
  readonly validating: string;
  readonly mutating: string;
}

export const USUAL_PLACE = {
  ...{ secret: "bulwark-admission", service: "bulwark-admission" },
  ...{ validating: "bulwark-admission", mutating: "bulwark-admission" },
} as const;

/** A certificate that is kept fresh. */
export interface KeptCertificate {
  readonly current: Certificate;
  /** PEM of the authorities that API servers are told to trust. */
  readonly authorities: string;
  /** Looks at once whether something is to be done. */
  check(): Promise<void>;
  close(): void;
}

/**
 * Keeps the webhook's certificate in a Secret that all replicas share, renews it and its authority in time, and tells the webhook
 * configurations whom to trust. Whoever of the replicas is first does a step; the others see it in the Secret.
 *
 * @param onChange another certificate is to be served
 * @param onError a step failed; it is tried again
 */
export async function keepCertificate(
  kube: KubeApi,
  place: CertificatePlace,
  clock: () => Date,
  onChange: (certificate: Certificate) => void,
  onError: (error: unknown) => void,
): Promise<KeptCertificate> {
  const { namespace, service } = place;
  const names = [
    `${service}.${namespace}.svc`,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc.cluster.local`,
    ...(place.names ?? []),
  ];
  let kept = await step(kube, place, names, clock());
  const check = async () => {
    try {
      const next = await step(kube, place, names, clock());
      const isOther = next.serving.cert !== kept.serving.cert;
      kept = next;
      if (isOther) onChange(next.serving);
    } catch (error) {
      onError(error);
    }
  };
  const timer = setInterval(() => void check(), EVERY_MS);
  timer.unref();
  return {
    get current() {
      return kept.serving;
    },
    get authorities() {
      return bundleOf(kept);
    },
    check,
    close: () => clearInterval(timer),
  };
}

/** Takes the state one step further, if one is due, and makes the configurations agree with it. */
async function step(
  kube: KubeApi,
  place: CertificatePlace,
  names: readonly string[],
  now: Date,
): Promise<ServingState> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const secret = await readSecret(kube, place);
    const state = secret.state === undefined ? await firstState(names, now) : await nextState(secret.state, names, now);
    // Whom to trust is told before anybody may serve by it: the Secret comes after the configurations.
    const isTold = await tellConfigurations(kube, place, bundleOf(state));
    const next = isTold ? trusted(state, now) : state;
    if (next === secret.state || (await writeSecret(kube, place, secret, next))) return next;
  }
  const next = "it is tried again within a minute";
  throw new ServerError("CONFLICT", `the Secret ${place.secret} changed under every try`, next);
}

interface KeptSecret {
  readonly state: ServingState | undefined;
  readonly object: Fields | undefined;
}

function secretPath({ namespace, secret }: CertificatePlace): string {
  return `/api/v1/namespaces/${namespace}/secrets/${secret}`;
}

async function readSecret(kube: KubeApi, place: CertificatePlace): Promise<KeptSecret> {
  const { status, body } = await kube.call("GET", secretPath(place));
  if (status === 404) return { state: undefined, object: undefined };
  if (status !== 200) throw refused("GET", secretPath(place), status);
  const object = fieldsOf(body);
  const text = Buffer.from(textOf(fieldsOf(object.data)[STATE_KEY]), "base64").toString("utf8");
  return { state: text === "" ? undefined : stateOf(text), object };
}

/** A Secret that somebody damaged is replaced: the webhook must come up again by itself. */
function stateOf(text: string): ServingState | undefined {
  try {
    const parsed = fieldsOf(JSON.parse(text));
    const isWhole = (value: unknown) => textOf(fieldsOf(value).cert) !== "" && textOf(fieldsOf(value).key) !== "";
    const { authorities, serving } = parsed;
    if (!isWhole(serving) || listOf(authorities).length === 0 || !listOf(authorities).every(isWhole)) return undefined;
    return parsed as unknown as ServingState;
  } catch {
    return undefined;
  }
}

/** @returns false when another replica was first */
async function writeSecret(
  kube: KubeApi,
  place: CertificatePlace,
  { object }: KeptSecret,
  state: ServingState,
): Promise<boolean> {
  const data = { [STATE_KEY]: Buffer.from(JSON.stringify(state), "utf8").toString("base64") };
  const made = {
    ...{ apiVersion: "v1", kind: "Secret", type: "Opaque" },
    metadata: { name: place.secret, namespace: place.namespace, labels: { "app.kubernetes.io/part-of": "bulwark" } },
  };
  const collection = `/api/v1/namespaces/${place.namespace}/secrets`;
  // The resourceVersion that was read goes with it: the API server refuses what somebody changed in between.
  const { status } =
    object === undefined
      ? await kube.call("POST", collection, { ...made, data })
      : await kube.call("PUT", secretPath(place), { ...object, data });
  if (status === 409) return false;
  if (status !== 200 && status !== 201) throw refused("write", secretPath(place), status);
  return true;
}

/** @returns whether every configuration that there is names the authorities */
async function tellConfigurations(kube: KubeApi, place: CertificatePlace, bundle: string): Promise<boolean> {
  const base = "/apis/admissionregistration.k8s.io/v1";
  const validating = `${base}/validatingwebhookconfigurations/${place.validating}`;
  const mutating = `${base}/mutatingwebhookconfigurations/${place.mutating}`;
  const told = await Promise.all([tell(kube, validating, bundle), tell(kube, mutating, bundle)]);
  return told.every((each) => each);
}

async function tell(kube: KubeApi, path: string, bundle: string): Promise<boolean> {
  const { status, body } = await kube.call("GET", path);
  // Installed later, or not wanted: there is nobody to tell.
  if (status === 404) return true;
  if (status !== 200) throw refused("GET", path, status);
  const wanted = Buffer.from(bundle, "utf8").toString("base64");
  const patch = listOf(fieldsOf(body).webhooks).flatMap((webhook, at) => {
    const { name, clientConfig } = fieldsOf(webhook);
    if (fieldsOf(clientConfig).caBundle === wanted) return [];
    return [
      { op: "test", path: `/webhooks/${at}/name`, value: name },
      { op: "add", path: `/webhooks/${at}/clientConfig/caBundle`, value: wanted },
    ];
  });
  if (patch.length === 0) return true;
  const patched = await kube.call("PATCH", path, patch, "application/json-patch+json");
  return patched.status === 200;
}

function refused(verb: string, path: string, status: number): ServerError {
  const next = "check the webhook's Role and ClusterRole; deploy/ has them";
  return new ServerError("UPSTREAM_FAILED", `Kubernetes answered ${status} to ${verb} ${path}`, next);
}

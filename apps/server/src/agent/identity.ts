import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { type Json, mapAt, textAt } from "@bulwark/kubernetes";
import * as x509 from "@peculiar/x509";
import { privateKeyText } from "../security/key-text.ts";
import { CERTIFICATE_KEYS } from "../security/make-authority.ts";
import { ApiStatus, type KubeApi } from "./kube-api.ts";

const NAME = "bulwark-agent-identity";
const JOINED_WITH = "joined-with";

const NOT_FOUND = 404;
const CONFLICT = 409;

/** By which a cluster is known to its server; all replicas share it. All PEM. */
export interface Identity {
  readonly key: string;
  readonly certificate: string;
  /** Of gateways. */
  readonly authority: string;
  /** SHA-256 of the token with which the cluster joined, hexadecimal; empty if that was not kept. */
  readonly joinedWith: string;
}

/** What a cluster says of itself when it joins. */
export interface DescribedCluster {
  /** Uid of the namespace kube-system. */
  readonly kubernetesUid: string;
  readonly version: string;
}

/** The identity in a Secret of the agent's own namespace; undefined before the cluster joined. */
export async function readIdentity(api: KubeApi): Promise<Identity | undefined> {
  const secret = await read(api);
  if (secret === undefined) return undefined;
  const part = (name: string) => Buffer.from(textAt(secret, "data", name), "base64").toString("utf8");
  const [key, certificate, authority] = [part("tls.key"), part("tls.crt"), part("ca.crt")];
  if (key === "" || certificate === "" || authority === "") return undefined;
  return { key, certificate, authority, joinedWith: part(JOINED_WITH) };
}

/** Keeps the identity, for all replicas. */
export async function writeIdentity(api: KubeApi, identity: Identity): Promise<void> {
  const { namespace } = api.access;
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  const encoded = (text: string) => Buffer.from(text).toString("base64");
  const { key, certificate, authority, joinedWith } = identity;
  const body = {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { name: NAME, namespace, labels: { "app.kubernetes.io/part-of": "bulwark" } },
    data: {
      ...{ "tls.key": encoded(key), "tls.crt": encoded(certificate), "ca.crt": encoded(authority) },
      [JOINED_WITH]: encoded(joinedWith),
    },
  };
  try {
    await api.json("POST", path, { body });
  } catch (error) {
    if (!(error instanceof ApiStatus) || error.status !== CONFLICT) throw error;
    await api.json("PATCH", `${path}/${NAME}`, { body: { data: body.data }, patch: true });
  }
}

/** When a new certificate should be asked for: when a third of its time is left. */
export function renewalAt({ certificate }: Identity): Date {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return new Date(to - (to - from) / 3);
}

/** Whether its time is up. */
export function isOver({ certificate }: Identity): boolean {
  return new X509Certificate(certificate).validToDate.getTime() <= Date.now();
}

/** A new key, and the request for its certificate (PKCS #10, RFC 2986). */
export async function newRequest(): Promise<{ readonly key: string; readonly request: string }> {
  const keys = await webcrypto.subtle.generateKey(CERTIFICATE_KEYS, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    { name: [{ O: ["Bulwark"] }], keys, signingAlgorithm: CERTIFICATE_KEYS },
    webcrypto,
  );
  return { key: await privateKeyText(keys.privateKey), request: request.toString("pem") };
}

/** The uid of the namespace kube-system, by which clusters are told apart, and the version of the API server. */
export async function describeCluster(api: KubeApi): Promise<DescribedCluster> {
  const [namespace, version] = await Promise.all([
    api.json("GET", "/api/v1/namespaces/kube-system"),
    api.json("GET", "/version"),
  ]);
  return { kubernetesUid: textAt(mapAt(namespace, "metadata"), "uid"), version: textAt(version, "gitVersion") };
}

async function read(api: KubeApi): Promise<Json | undefined> {
  try {
    return await api.json("GET", `/api/v1/namespaces/${api.access.namespace}/secrets/${NAME}`);
  } catch (error) {
    if (error instanceof ApiStatus && error.status === NOT_FOUND) return undefined;
    throw error;
  }
}

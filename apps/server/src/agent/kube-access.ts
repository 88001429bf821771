import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Json, mapAt, mapsAt, textAt } from "@bulwark/kubernetes";
import { parse } from "yaml";
import { AgentError } from "./errors.ts";

/** Where pods find who they are (Kubernetes documentation, "Accessing the Kubernetes API from a Pod"). */
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Tokens of pods are replaced before they run out; a file is looked at again this often. */
const TOKEN_MS = 10_000;

/** How an API server is reached, and as whom. */
export interface KubeAccess {
  /** `https://10.0.0.1:443` */
  readonly server: string;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The bearer token; undefined without one. */
  token(): string | undefined;
  /** The namespace that the pod, or the context, is in. */
  readonly namespace: string;
}

/** @throws AgentError `NOT_IN_CLUSTER` outside a pod */
export function inClusterAccess(environment: NodeJS.ProcessEnv = process.env): KubeAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = environment;
  if (host === undefined || host === "")
    throw new AgentError(
      "NOT_IN_CLUSTER",
      "this is no pod of a cluster",
      "deploy the agent to the cluster, or give --kubeconfig FILE",
    );
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ca: readFileSync(`${ACCOUNT}/ca.crt`, "utf8"),
    cert: undefined,
    key: undefined,
    token: tokenFile(`${ACCOUNT}/token`),
    namespace: readFileSync(`${ACCOUNT}/namespace`, "utf8").trim(),
  };
}

/**
 * The current context of a kubeconfig (Kubernetes documentation, "Organizing Cluster Access Using kubeconfig Files"), with certificates
 * or tokens; programs that fetch credentials are not run.
 *
 * @throws AgentError `KUBECONFIG_INVALID`
 */
export function kubeconfigAccess(file: string): KubeAccess {
  let config: Json;
  try {
    config = mapAt({ config: parse(readFileSync(file, "utf8")) }, "config");
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    const next = "check its path, and that kubectl --kubeconfig takes it";
    throw new AgentError("KUBECONFIG_INVALID", `${file} cannot be read as a kubeconfig: ${why}`, next, cause);
  }
  const named = (list: string, name: string, member: string) =>
    mapAt(
      mapsAt(config, list).find((each) => each.name === name),
      member,
    );
  const context = named("contexts", textAt(config, "current-context"), "context");
  const cluster = named("clusters", textAt(context, "cluster"), "cluster");
  const user = named("users", textAt(context, "user"), "user");
  const server = textAt(cluster, "server");
  if (!/^https?:\/\//.test(server))
    throw new AgentError("KUBECONFIG_INVALID", `the current context of ${file} names no server`, "choose a context");
  if ("exec" in user || "auth-provider" in user)
    throw new AgentError(
      "KUBECONFIG_INVALID",
      `${file} gets its credentials from a program, which is not run`,
      "give a kubeconfig with a token or a certificate",
    );
  const part = (from: Json, name: string) => partOf(from, name, dirname(file));
  const path = textAt(user, "tokenFile");
  const token = textAt(user, "token");
  return {
    server: server.replace(/\/+$/, ""),
    ca: part(cluster, "certificate-authority"),
    cert: part(user, "client-certificate"),
    key: part(user, "client-key"),
    token: path === "" ? () => (token === "" ? undefined : token) : tokenFile(resolve(dirname(file), path)),
    namespace: textAt(context, "namespace") || "default",
  };
}

/** A member that is given as data in base 64 or as the path of a file. */
function partOf(from: Json, name: string, directory: string): string | undefined {
  const data = textAt(from, `${name}-data`);
  if (data !== "") return Buffer.from(data, "base64").toString("utf8");
  const path = textAt(from, name);
  if (path === "") return undefined;
  try {
    return readFileSync(resolve(directory, path), "utf8");
  } catch (cause) {
    const next = `correct the kubeconfig's ${name}`;
    throw new AgentError(
      "KUBECONFIG_INVALID",
      `${resolve(directory, path)} cannot be read: ${String(cause)}`,
      next,
      cause,
    );
  }
}

function tokenFile(path: string): () => string {
  let read = { text: "", changed: -1, at: 0 };
  return () => {
    const now = Date.now();
    if (now - read.at > TOKEN_MS) {
      const changed = statSync(path).mtimeMs;
      const text = changed === read.changed ? read.text : readFileSync(path, "utf8").trim();
      read = { text, changed, at: now };
    }
    return read.text;
  };
}

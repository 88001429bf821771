import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChildServer, startChild } from "@bulwark/image/testing";

/** A registry as people run it, on a free port of the loopback device. */
export interface RealRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** PEM text of its certificate's authority; empty without TLS. */
  readonly ca: string;
  stop(): Promise<void>;
}

export interface RealRegistryOptions {
  /** Speak TLS, with a certificate of an authority that nobody knows. */
  readonly tls?: boolean;
  /** Ask for this user and password. */
  readonly account?: { readonly username: string; readonly password: string };
  /** Where it reports what was pushed. */
  readonly notify?: string;
}

/** Starts Debian's docker-registry, with its content below `directory`. */
export async function startRealRegistry(directory: string, options: RealRegistryOptions = {}): Promise<RealRegistry> {
  mkdirSync(directory, { recursive: true });
  const configuration = join(directory, "config.yml");
  const { tls, account, notify } = options;
  const ca = tls === true ? makeCertificate(directory) : "";
  const http = ca === "" ? "" : `, tls: {certificate: ${directory}/server.pem, key: ${directory}/server.key}`;
  const lines = [
    "version: 0.1",
    "log: {level: info}",
    `storage: {filesystem: {rootdirectory: ${directory}/data}, delete: {enabled: true}}`,
    `http: {addr: "127.0.0.1:0"${http}}`,
  ];
  if (account !== undefined) {
    const line = execFileSync("htpasswd", ["-niB", account.username], { input: account.password, encoding: "utf8" });
    writeFileSync(join(directory, "htpasswd"), line);
    lines.push(`auth: {htpasswd: {realm: test, path: ${directory}/htpasswd}}`);
  }
  if (notify !== undefined) {
    const endpoint = `{name: bulwark, url: "${notify}", timeout: 5s, threshold: 3, backoff: 1s}`;
    lines.push(`notifications: {endpoints: [${endpoint}]}`);
  }
  writeFileSync(configuration, `${lines.join("\n")}\n`);
  const ready = /listening on (127\.0\.0\.1:\d+)/;
  const child: ChildServer = await startChild("docker-registry", ["serve", configuration], ready);
  return { host: child.ready[1]!, ca, stop: async () => void (await child.stop()) };
}

/** A certificate for the loopback address, and the authority that signed it. */
function makeCertificate(directory: string): string {
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  openssl("req", "-x509", ...key, "-subj", "/CN=Test authority", "-keyout", at("ca.key"), "-out", at("ca.pem"));
  openssl("req", ...key, "-subj", "/CN=registry", "-keyout", at("server.key"), "-out", at("server.csr"));
  writeFileSync(at("san.cnf"), "subjectAltName=IP:127.0.0.1\n");
  const signer = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2"];
  openssl("x509", "-req", "-in", at("server.csr"), ...signer, "-extfile", at("san.cnf"), "-out", at("server.pem"));
  return readFileSync(at("ca.pem"), "utf8");
}

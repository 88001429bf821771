import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { pino } from "pino";
import { DEFAULT_RETENTION, type Retention } from "../runtime-events/keep-runtime.ts";
import { type RunningServer, type ServerOptions, type ServerRole, startServer } from "../start-server.ts";
import { type Arguments, parseArguments, parseCount, parseListen, usage } from "./arguments.ts";
import { dataDirectory } from "./data-directory.ts";
import { scanThisMachine } from "./first-content.ts";
import { UP_HELP } from "./help.ts";
import { leaveSoon } from "./leave.ts";
import { secretOf } from "./secret-of.ts";
import { SERVE_OPTIONS } from "./serve-options.ts";

const LOOPBACK = /^(?:127\.|::1$|localhost$)/;
const ROLES: readonly ServerRole[] = ["api", "gateway", "worker"];
const GATEWAY_PORT = 9_443;

/** `bulwark up`: everything on this machine. */
export async function upCommand(args: readonly string[]): Promise<number> {
  const parsed = parseArguments("up", args, SERVE_OPTIONS);
  if (parsed.flags.has("help")) return say(UP_HELP);
  return run("up", parsed, !parsed.flags.has("no-host-scan"));
}

/** `bulwark server`: some roles of many. */
export async function serveRoles(parsed: Arguments): Promise<number> {
  return run("server", parsed, false);
}

async function run(command: string, parsed: Arguments, scansHost: boolean): Promise<number> {
  const began = performance.now();
  const { options, isOwn, fingerprint } = await serverOptions(command, parsed);
  const server = await startServer(options);
  // Listened for before anything is announced: who reads the address may end the server at once.
  const ended = untilEnd(server);
  tellWhereItIs(server, { isOwn, fingerprint, seconds: (performance.now() - began) / 1_000 });
  if (scansHost && options.roles.has("worker")) await scanThisMachine(server);
  const status = await ended;
  await server.close();
  leaveSoon(status);
  return status;
}

async function serverOptions(
  command: string,
  { text, flags }: Arguments,
): Promise<{ readonly options: ServerOptions; readonly isOwn: boolean; readonly fingerprint: string }> {
  const roles = rolesOf(command, text.roles);
  const listen = parseListen(command, text.listen ?? process.env.BULWARK_LISTEN ?? "127.0.0.1:8080");
  const directory = dataDirectory(text.data);
  const databaseUrl = text.database ?? secretOf("DATABASE_URL");
  const needsTls = roles.has("api") && !LOOPBACK.test(listen.host) && !flags.has("behind-tls-proxy");
  const tls = await tlsOf(command, text, needsTls ? directory : undefined);
  const { "public-url": publicUrl, "trust-proxy": proxies, "kms-command": kms } = text;
  const probes = text.probes ?? process.env.BULWARK_PROBES;
  const gateway = text.gateway ?? process.env.BULWARK_GATEWAY;
  // Beside the API; a port that the system chose for one is chosen for the other too.
  const besideApi = { host: listen.host, port: listen.port === 0 ? 0 : GATEWAY_PORT };
  const adminPassword = secretOf("BULWARK_ADMIN_PASSWORD");
  return {
    isOwn: tls?.isOwn ?? false,
    fingerprint: tls?.fingerprint ?? "",
    options: {
      dataDirectory: directory,
      roles,
      ...listen,
      concurrency: parseCount(command, "concurrency", text.concurrency ?? String(availableParallelism()), 1),
      log: pino({ level: process.env.BULWARK_LOG ?? (command === "up" ? "warn" : "info"), redact: REDACTED }),
      retention: retentionOf(command, text),
      gateway: gateway === undefined ? besideApi : parseListen(command, gateway),
      ...(databaseUrl === undefined || databaseUrl === "" ? {} : { databaseUrl }),
      ...(tls === undefined ? {} : { https: tls }),
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(proxies === undefined ? {} : { trustedProxies: proxies.split(",") }),
      ...(probes === undefined ? {} : { probes: parseListen(command, probes) }),
      ...(kms === undefined ? {} : { kmsCommand: kms.split(" ").filter((word) => word !== "") }),
      ...(adminPassword === undefined || adminPassword === "" ? {} : { adminPassword }),
    },
  };
}

function retentionOf(command: string, text: Arguments["text"]): Retention {
  const { BULWARK_KEEP_EVENTS_DAYS: days, BULWARK_KEEP_EVENTS_GIB: gib } = process.env;
  const count = (name: string, variable: string | undefined, usual: number) =>
    parseCount(command, name, text[name] ?? (variable === undefined || variable === "" ? String(usual) : variable), 1);
  return {
    days: count("keep-events-days", days, DEFAULT_RETENTION.days),
    gib: count("keep-events-gib", gib, DEFAULT_RETENTION.gib),
  };
}

/** What no log may hold, wherever it appears in a request or an error. */
const REDACTED = ["req.headers.authorization", "req.headers.cookie", "*.password", "*.secret", "*.token"];

function rolesOf(command: string, text: string | undefined): ReadonlySet<ServerRole> {
  const words = (text ?? ROLES.join(",")).split(",");
  return new Set(
    words.map((word) => {
      const role = ROLES.find((each) => each === word);
      if (role === undefined)
        throw usage(command, `there is no role "${word}"; there are ${[...ROLES, "agent", "admission"].join(", ")}`);
      return role;
    }),
  );
}

async function tlsOf(command: string, text: Arguments["text"], directory: string | undefined) {
  const { "tls-key": key, "tls-cert": cert } = text;
  if ((key === undefined) !== (cert === undefined)) throw usage(command, "--tls-key and --tls-cert belong together");
  if (key !== undefined && cert !== undefined) {
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8"), isOwn: false, fingerprint: "" };
  }
  if (directory === undefined) return undefined;
  const { ownCertificate } = await import("./certificate.ts");
  return { ...(await ownCertificate(directory, new Date())), isOwn: true };
}

function tellWhereItIs(
  { url, gateway, password }: RunningServer,
  tls: { readonly isOwn: boolean; readonly fingerprint: string; readonly seconds: number },
): void {
  const lines = [`Bulwark is up after ${tls.seconds.toFixed(1)} s${url === "" ? "" : `: ${url}`}`];
  if (gateway !== "") lines.push(`  sensors connect to ${gateway}`);
  if (tls.isOwn) lines.push(`  its own certificate: SHA-256 ${tls.fingerprint}`);
  if (password !== undefined) {
    lines.push(
      "",
      "  login     admin",
      `  password  ${password}`,
      "  It is shown this once; change it after the first login.",
    );
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** Waits until somebody ends the server, or its database ends by itself. */
function untilEnd(server: RunningServer): Promise<number> {
  return new Promise((resolve) => {
    let isEnding = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        isEnding = true;
        process.stderr.write("bulwark: finishing what runs; once more ends at once\n");
        process.once(signal, () => process.exit(130));
        resolve(0);
      });
    }
    void server.broken.then((log) => {
      if (isEnding) return;
      process.stderr.write(`bulwark: the database ended:\n${log}\n`);
      resolve(2);
    });
  });
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

import { isIP } from "node:net";
import { createTransport } from "nodemailer";
import { ServerError } from "../../errors.ts";
import type { Channel, Receipt, Target } from "../channel.ts";
import type { Message } from "../message.ts";

const CONNECT_MS = 10_000;
const SILENT_MS = 20_000;
/** RFC 8314, section 3.3; RFC 6409, section 3.1. */
const TLS_PORT = 465;
const SUBMISSION_PORT = 587;

/**
 * E-mail over SMTP: `smtps://host[:465]` speaks TLS from the start, `smtp://host[:587]` switches to it with STARTTLS and goes
 * no further without. `smtp+plain://` never does, for a relay on a private network.
 */
export const email: Channel = {
  kind: "email",
  check(address, { from, to = [], username, allowPrivate }, secret) {
    if (!SCHEMES.has(address.protocol)) return "the address begins with smtps://, smtp:// or smtp+plain://";
    if (address.pathname.length > 1 || address.search !== "") return "the address has a host and a port, and no more";
    if (from === undefined) return "e-mail needs a sender";
    if (to.length === 0) return "e-mail needs a receiver: the address for what has no owner";
    if ((username === undefined) !== (secret === "")) return "a user name and a password belong together";
    if (address.protocol !== "smtp+plain:") return undefined;
    if (username !== undefined) return "a password is not sent without TLS";
    return allowPrivate === true ? undefined : "a relay without TLS has to be on a private network that is allowed";
  },
  async send(target, message) {
    const transport = createTransport(await connectionOf(target));
    const { from = "", to = [] } = target.settings;
    // Ending the transport ends its connection: what hangs must not outlive the attempt.
    const stop = () => transport.close();
    target.signal.addEventListener("abort", stop);
    try {
      const mail = {
        from,
        to: target.recipient === "" ? [...to] : [target.recipient],
        subject: message.subject,
        text: textOf(message),
        html: htmlOf(message),
        messageId: `<${message.id}@bulwark.invalid>`,
        headers: { "auto-submitted": "auto-generated", "x-bulwark-delivery": message.id },
        disableFileAccess: true,
        disableUrlAccess: true,
      };
      await Promise.race([transport.sendMail(mail), aborted(target.signal)]);
      return { ok: true, status: null };
    } catch (error) {
      return receiptOf(error as SmtpError);
    } finally {
      target.signal.removeEventListener("abort", stop);
      transport.close();
    }
  },
};

const SCHEMES = new Set(["smtps:", "smtp:", "smtp+plain:"]);

async function connectionOf({ address, settings, secret, outbound }: Target) {
  const url = new URL(address);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isTls = url.protocol === "smtps:";
  const ca = settings.caPem === undefined ? {} : { ca: settings.caPem };
  const named = isIP(host) === 0 ? { servername: host } : {};
  return {
    // The very address that was checked is connected to; the name counts for the certificate.
    host: await resolved(outbound, host),
    port: url.port === "" ? (isTls ? TLS_PORT : SUBMISSION_PORT) : Number(url.port),
    secure: isTls,
    requireTLS: url.protocol === "smtp:",
    ignoreTLS: url.protocol === "smtp+plain:",
    tls: { minVersion: "TLSv1.2" as const, ...named, ...ca },
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENT_MS,
    ...(settings.username === undefined ? {} : { auth: { user: settings.username, pass: secret } }),
  };
}

function resolved(outbound: Target["outbound"], host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    outbound.lookup(host, { all: false }, (error, address) => {
      if (error === null) return resolve(String(address));
      const next = "check the address and its name in DNS";
      reject(
        error instanceof ServerError ? error : new ServerError("UPSTREAM_FAILED", `${host} is not found`, next, error),
      );
    });
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = () => reject(new Error("the mail server does not answer in time"));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

interface SmtpError extends Error {
  readonly responseCode?: number;
  readonly code?: string;
}

/** RFC 5321, section 4.2.1: 5yz is permanent. Refused certificates and missing TLS do not mend themselves either. */
function receiptOf(error: SmtpError): Receipt {
  const status = error.responseCode ?? null;
  const isPermanent = (status !== null && status >= 500) || error.code === "ETLS" || error.code === "EENVELOPE";
  const problem = `the mail server refuses: ${error.message.replace(/[\p{Cc}\s]+/gu, " ").slice(0, 300)}`;
  return { ok: false, status, problem, again: !isPermanent };
}

function textOf({ lines, link }: Message): string {
  return [...lines, ...(link === "" ? [] : ["", link])].join("\n");
}

function htmlOf({ subject, lines, link }: Message): string {
  const rows = lines.map((line) => (line === "" ? "<br>" : `<div>${escaped(line)}</div>`)).join("\n");
  const end = link === "" ? "" : `<p><a href="${escaped(link)}">${escaped(link)}</a></p>`;
  return `<!doctype html><html><body><h3>${escaped(subject)}</h3>\n${rows}\n${end}</body></html>`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

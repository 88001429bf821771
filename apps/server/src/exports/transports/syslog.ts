import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, rootCertificates } from "node:tls";
import type { ExportRecord } from "../export-record.ts";
import type { TransportKind, TransportOptions } from "./transport.ts";

const TLS_PORT = 6_514;
const TCP_PORT = 601;
/** "local0" (RFC 5424, section 6.2.1). */
const FACILITY = 16;
const SEVERITY: Readonly<Record<ExportRecord["severity"], number>> = {
  critical: 2,
  high: 3,
  medium: 4,
  low: 5,
  negligible: 6,
  unknown: 4,
  informational: 6,
};

/**
 * Syslog messages (RFC 5424) with octet counting, over TLS (RFC 5425) or TCP (RFC 6587, section 3.4.1). Syslog acknowledges
 * nothing: each call has a connection of its own, ends it, and counts as taken when the receiver has read to that end and
 * closes in order, too. A receiver that dies in between resets the connection, and gets everything again.
 */
export const syslog: TransportKind = {
  kind: "syslog",
  check(address) {
    const url = URL.parse(address);
    const isKnown = url !== null && /^(?:tls|tcp):$/.test(url.protocol) && url.hostname !== "";
    if (!isKnown) return "the address begins with tls:// or tcp://, followed by host and port";
    const isBare = url.username === "" && url.password === "" && /^\/?$/.test(url.pathname) && url.search === "";
    return isBare ? undefined : "the address holds more than a host and a port";
  },
  hosts: (address) => [`https://${new URL(address).host}`],
  async open(options) {
    return {
      send: (records) => deliver(options, Buffer.concat(records.map(frame))),
      async close() {},
    };
  },
};

/** A message behind its length in octets. */
export function frame(record: ExportRecord): Buffer {
  const message = Buffer.from(syslogMessage(record), "utf8");
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

/** JSON escapes whatever is not ASCII: the message needs no mark of its encoding (RFC 5424, section 6.4). */
function syslogMessage({ severity, timeMs, hostname, type, text }: ExportRecord): string {
  const priority = FACILITY * 8 + SEVERITY[severity];
  const time = new Date(timeMs).toISOString();
  const host = hostname.replace(/[^\x21-\x7e]/g, "").slice(0, 255) || "-";
  const ascii = text.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `<${priority}>1 ${time} ${host} bulwark - ${type} - ${ascii}`;
}

function deliver(options: TransportOptions, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = open(options);
    const { host } = new URL(options.address);
    let isSent = false;
    let isRead = false;
    const late = setTimeout(() => {
      const what = isSent ? "does not close the connection" : "does not take everything";
      socket.destroy(new Error(`${host} ${what} within ${options.withinMs / 1_000} s`));
    }, options.withinMs);
    // What a receiver says is of no meaning here, but has to be read for the end to be seen.
    socket.resume();
    socket.on("error", (error) => {
      clearTimeout(late);
      reject(new Error(`${host}: ${error.message}`, { cause: error }));
    });
    socket.on("end", () => {
      isRead = isSent;
    });
    socket.on("close", () => {
      clearTimeout(late);
      if (isRead) resolve();
      else reject(new Error(`${host} closed the connection before it had everything`));
    });
    socket.once(isTls(options) ? "secureConnect" : "connect", () => {
      socket.end(bytes, () => {
        isSent = true;
      });
    });
  });
}

function isTls({ address }: TransportOptions): boolean {
  return new URL(address).protocol === "tls:";
}

function open(options: TransportOptions): Socket {
  const { hostname, port } = new URL(options.address);
  const host = hostname.replace(/^\[|\]$/g, "");
  const { caPem } = options.settings;
  // The address that is connected to is the one that was checked; literal addresses are checked when the transport is opened.
  const { lookup } = options.outbound;
  if (!isTls(options)) return connectTcp({ host, port: Number(port) || TCP_PORT, lookup });
  return connectTls({
    host,
    port: Number(port) || TLS_PORT,
    lookup,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(caPem === undefined ? {} : { ca: [...rootCertificates, caPem] }),
  });
}

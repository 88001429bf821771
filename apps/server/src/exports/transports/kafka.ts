import { rootCertificates } from "node:tls";
import { ProduceAcks, Producer, stringSerializers } from "@platformatic/kafka";
import type { TransportKind, TransportOptions } from "./transport.ts";

const PORT = 9_092;
const MAX_BROKERS = 16;
/** Legal characters of a topic's name. */
const TOPIC = /^[A-Za-z0-9._-]{1,249}$/;

/**
 * Produces records to a topic, keyed by container or node so that those of one stay in order. Taken is what all in-sync
 * replicas have (`acks=all`).
 */
export const kafka: TransportKind = {
  kind: "kafka",
  check(address, { topic = "", username = "" }, secret) {
    if (brokersOf(address) === undefined) {
      return "the address is kafka:// or kafka+tls:// and brokers separated by commas, kafka://broker-1:9092,broker-2:9092";
    }
    if (!TOPIC.test(topic)) return "Kafka needs a topic of letters, digits, dots, underscores and hyphens";
    return username !== "" && secret === "" ? "a user needs a secret: its password" : undefined;
  },
  hosts: (address) => (brokersOf(address) ?? []).map(hostUrl),
  async open(options) {
    const { settings, withinMs } = options;
    const topic = settings.topic ?? "";
    const producer = producerOf(options);
    try {
      // Brokers tell where the others are: those addresses are checked as the ones that somebody entered were.
      const { brokers } = await within(withinMs, producer.metadata({ topics: [topic] }));
      for (const { host, port } of brokers.values()) await options.outbound.check(hostUrl({ host, port }));
    } catch (error) {
      await producer.close(true);
      throw error;
    }
    return {
      async send(records) {
        const messages = records.map(({ key, text }) => ({ topic, key, value: text }));
        await within(withinMs, producer.send({ messages, acks: ProduceAcks.ALL }));
      },
      close: () => producer.close(true),
    };
  },
};

function producerOf({ address, secret, settings, withinMs, outbound }: TransportOptions) {
  const { username = "", mechanism = "SCRAM-SHA-512", caPem } = settings;
  const ca = caPem === undefined ? {} : { ca: [...rootCertificates, caPem] };
  return new Producer({
    clientId: "bulwark",
    bootstrapBrokers: [...(brokersOf(address) ?? [])],
    serializers: stringSerializers,
    connectTimeout: withinMs,
    timeout: withinMs,
    // The worker tries again by itself, and says why meanwhile.
    retries: 1,
    ...(address.startsWith("kafka+tls:") ? { tls: { ...ca, lookup: outbound.lookup }, tlsServerName: true } : {}),
    ...(username === "" ? {} : { sasl: { mechanism, username, password: secret } }),
  });
}

interface Broker {
  readonly host: string;
  readonly port: number;
}

function hostUrl({ host, port }: Broker): string {
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function brokersOf(address: string): readonly Broker[] | undefined {
  const [, list = ""] = /^kafka(?:\+tls)?:\/\/([^/@?#\s]+)$/.exec(address) ?? [];
  const urls = list.split(",").map((each) => URL.parse(`kafka://${each}`));
  if (list === "" || urls.length > MAX_BROKERS) return undefined;
  const brokers: Broker[] = [];
  for (const url of urls) {
    if (url === null || url.hostname === "") return undefined;
    brokers.push({ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || PORT });
  }
  return brokers;
}

async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the brokers do not answer within ${ms / 1_000} s`)), ms);
  });
  return Promise.race([work.catch(explained), late]).finally(() => clearTimeout(timer));
}

/** The library tells how often something failed, and keeps why in lists and causes: what lies deepest is the reason. */
function explained(error: unknown): never {
  let cause = error;
  for (let next = reasonOf(cause); next !== undefined; next = reasonOf(cause)) cause = next;
  if (cause === error || !(cause instanceof Error)) throw error;
  throw new Error(`${error instanceof Error ? error.message : ""} ${cause.message}`.trim(), { cause: error });
}

function reasonOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors[0];
  return error instanceof Error ? error.cause : undefined;
}

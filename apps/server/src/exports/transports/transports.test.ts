import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExportKind } from "@bulwark/store";
import { Admin, Consumer, stringDeserializers } from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHttpReceiver } from "../../notifications/testing/http-receiver.ts";
import type { ExportRecord } from "../export-record.ts";
import { openTransport } from "../open-transport.ts";
import { type KafkaLogin, startKafkaBroker } from "../testing/kafka-broker.ts";
import { startSyslogReceiver } from "../testing/syslog-receiver.ts";
import { transportOf } from "./index.ts";
import { frame } from "./syslog.ts";
import type { TransportSettings } from "./transport.ts";

const SECRET = "a secret of more than sixteen characters";
const NOW = new Date("2026-06-01T08:00:00Z");
/** A broker for this test alone, `kafka://127.0.0.1:9092`; without one Kafka is left out. */
const BROKER = process.env.BULWARK_TEST_KAFKA;
const directory = mkdtempSync(join(tmpdir(), "bulwark-exports-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Receiver {
  readonly kind: ExportKind;
  readonly address: string;
  readonly settings: TransportSettings;
  /** The JSON that came, once there are so many. */
  taken(count: number): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

const settings = { allowPrivate: true };

async function syslogReceiver(tlsDirectory?: string): Promise<Receiver> {
  const server = await startSyslogReceiver(tlsDirectory);
  const ca = server.caPem === "" ? {} : { caPem: server.caPem };
  return {
    ...{ kind: "syslog", address: server.address, settings: { ...settings, ...ca }, close: server.close },
    taken: async () => server.received.map((message) => JSON.parse(message.slice(message.indexOf(" - {") + 3))),
  };
}

async function webhookReceiver(): Promise<Receiver> {
  const server = await startHttpReceiver({ status: 204 });
  return {
    ...{ kind: "webhook", address: server.url, settings, close: server.close },
    taken: async () =>
      server.received.flatMap(({ body }) => body.trimEnd().split("\n")).map((line) => JSON.parse(line)),
  };
}

async function kafkaReceiver(): Promise<Receiver> {
  const topic = `bulwark-${randomUUID()}`;
  const bootstrapBrokers = [new URL(BROKER ?? "").host];
  const admin = new Admin({ clientId: "test", bootstrapBrokers });
  await admin.createTopics({ topics: [topic], partitions: 3, replicas: 1 });
  return {
    ...{ kind: "kafka", address: BROKER ?? "", settings: { ...settings, topic } },
    close: () => admin.close(),
    async taken(count) {
      const consumer = new Consumer({
        groupId: randomUUID(),
        clientId: "test",
        bootstrapBrokers,
        deserializers: stringDeserializers,
      });
      const stream = await consumer.consume({ topics: [topic], mode: "earliest" });
      const values: unknown[] = [];
      for await (const { value } of stream) {
        values.push(JSON.parse(value ?? ""));
        if (values.length >= count) break;
      }
      await consumer.close(true);
      return values;
    },
  };
}

/** A broker of ours with TLS and a login: the one of BULWARK_TEST_KAFKA has neither. */
async function guardedKafka(mechanism: KafkaLogin["mechanism"]): Promise<Receiver> {
  const login = { mechanism, username: "bulwark", password: SECRET };
  const broker = await startKafkaBroker(directory, "security", login);
  const { address, caPem, received, close } = broker;
  return {
    ...{ kind: "kafka", address, close },
    settings: { ...settings, caPem, topic: "security", username: "bulwark", mechanism },
    taken: async () => received.map((text) => JSON.parse(text)),
  };
}

const RECEIVERS: Readonly<Record<string, () => Promise<Receiver>>> = {
  "syslog over TCP": () => syslogReceiver(),
  "syslog over TLS": () => syslogReceiver(directory),
  webhook: webhookReceiver,
  "Kafka over TLS, with a password": () => guardedKafka("PLAIN"),
  "Kafka over TLS, with SCRAM-SHA-256": () => guardedKafka("SCRAM-SHA-256"),
  "Kafka over TLS, with SCRAM-SHA-512": () => guardedKafka("SCRAM-SHA-512"),
  ...(BROKER === undefined ? {} : { kafka: kafkaReceiver }),
};

function record(number: number, told: unknown = "plain"): ExportRecord {
  return {
    ...{ id: `1-${number}`, kind: "event", type: "execve", timeMs: NOW.getTime(), hostname: "node-1" },
    ...{ severity: "informational", key: "c0ffee", text: JSON.stringify({ number, told }) },
  };
}

const HOSTILE = '\0 line\nfeed <13>1 - "quote" \u2028 名 🦉 \u001b[31m';

describe.each(Object.entries(RECEIVERS))("%s", (_name, start) => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await start();
  });
  afterAll(() => receiver.close());
  const open = (over: TransportSettings = {}) =>
    openTransport({ ...receiver, settings: { ...receiver.settings, ...over } }, SECRET, {
      clock: () => NOW,
      withinMs: 10_000,
    });

  test("takes records of several calls in order, whatever they hold", async () => {
    const transport = await open();
    await transport.send([record(0), record(1, HOSTILE)]);
    await transport.send([record(2, "x".repeat(200_000))]);
    await transport.send(Array.from({ length: 500 }, (_, i) => record(3 + i)));
    await transport.close();
    const taken = await receiver.taken(503);
    expect(taken.map((each) => (each as { number: number }).number)).toEqual(Array.from({ length: 503 }, (_, i) => i));
    expect(taken[1]).toEqual({ number: 1, told: HOSTILE });
  });

  test("is not called in a private network unless that is allowed", async () => {
    await expect(open({ allowPrivate: false })).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
  });

  test("says so when nobody listens any more", async () => {
    const gone = await start();
    await gone.close();
    const address = gone.kind === "kafka" ? "kafka://127.0.0.1:1" : gone.address;
    const options = { clock: () => NOW, withinMs: 2_000 };
    const sent = openTransport({ ...gone, address }, SECRET, options).then((to) => to.send([record(0)]));
    await expect(sent).rejects.toThrow(/ECONNREFUSED|do not answer|failed|Cannot/i);
  });
});

test("a syslog message is RFC 5424's, behind its length in octets", () => {
  const text = frame({ ...record(1, "é"), severity: "critical", hostname: "no de\n1" }).toString("latin1");
  const message = '<130>1 2026-06-01T08:00:00.000Z node1 bulwark - execve - {"number":1,"told":"\\u00e9"}';
  expect(text).toBe(`${message.length} ${message}`);
});

test("a syslog server that dies in the middle did not take anything", async () => {
  const server = await startSyslogReceiver();
  server.next(3);
  const to = { kind: "syslog", address: server.address, settings } as const;
  const transport = await openTransport(to, "", { clock: () => NOW, withinMs: 10_000 });
  await expect(transport.send(Array.from({ length: 10 }, (_, i) => record(i)))).rejects.toThrow(/127\.0\.0\.1/);
  expect(server.received).toHaveLength(3);
  await server.close();
});

test("a syslog server that never closes did not say that it has everything", async () => {
  const server = await startSyslogReceiver();
  server.next("hang");
  const to = { kind: "syslog", address: server.address, settings } as const;
  const transport = await openTransport(to, "", { clock: () => NOW, withinMs: 200 });
  await expect(transport.send([record(0)])).rejects.toThrow("does not close the connection within 0.2 s");
  await server.close();
});

test("a syslog server with a certificate of an authority that nobody trusts gets nothing", async () => {
  const server = await startSyslogReceiver(directory);
  const to = { kind: "syslog", address: server.address, settings } as const;
  const transport = await openTransport(to, "", { clock: () => NOW, withinMs: 10_000 });
  await expect(transport.send([record(0)])).rejects.toThrow(/self-signed|certificate/);
  expect(server.received).toEqual([]);
  await server.close();
});

test.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const)(
  "a broker gets nothing from who has not its password, nor one whose certificate nobody trusts: %s",
  async (mechanism) => {
    const receiver = await guardedKafka(mechanism);
    const to = (secret: string, over: TransportSettings = {}) =>
      openTransport({ ...receiver, settings: { ...receiver.settings, ...over } }, secret, {
        clock: () => NOW,
        withinMs: 5_000,
      }).then((transport) => transport.send([record(0)]));
    await expect(to("not its password at all")).rejects.toThrow(/authentication|password/i);
    await expect(to(SECRET, { username: "" })).rejects.toThrow();
    await expect(to(SECRET, { caPem: "" })).rejects.toThrow(/certificate/);
    expect(await receiver.taken(0)).toEqual([]);
    await receiver.close();
  },
);

test.each([
  ["webhook", "ftp://a.example.org", {}, SECRET, "the address begins with https://"],
  ["webhook", "https://a.example.org", {}, "short", "a webhook needs a secret"],
  ["webhook", "https://u:p@a.example.org", {}, SECRET, "holds a user"],
  ["syslog", "udp://a.example.org:514", {}, "", "begins with tls:// or tcp://"],
  ["syslog", "tls://a.example.org/path", {}, "", "holds more than a host"],
  ["kafka", "kafka://a,b/x", { topic: "t" }, "", "brokers separated by commas"],
  ["kafka", "kafka://a:9092,b:9092", {}, "", "needs a topic"],
  ["kafka", "kafka://a:9092", { topic: "t", username: "u" }, "", "needs a secret"],
] as const)("%s %s is refused before anything is stored", (kind, address, set, secret, problem) => {
  expect(transportOf(kind).check(address, set, secret)).toContain(problem);
});

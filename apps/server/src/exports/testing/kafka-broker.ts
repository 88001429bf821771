import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:tls";
import { ownCertificate } from "../../commands/certificate.ts";
import { bytesReader, bytesWriter, recordsOf } from "./kafka-bytes.ts";

/** Keys of requests (Kafka protocol guide, "Api Keys"), and the one version of each that is spoken; ApiVersions has several. */
const [PRODUCE, METADATA, SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE] = [0, 3, 17, 18, 36];
const VERSIONS = [
  [PRODUCE, 8, 8],
  [METADATA, 8, 8],
  [SASL_HANDSHAKE, 1, 1],
  [API_VERSIONS, 0, 3],
  [SASL_AUTHENTICATE, 0, 0],
] as const;
const SASL_AUTHENTICATION_FAILED = 58;
const ILLEGAL_SASL_STATE = 34;
const NO_AUTHORIZED_OPERATIONS = -2_147_483_648;
const ITERATIONS = 4_096;

/** A broker on this machine that speaks TLS, asks for a login, and knows one topic with one partition. */
export interface KafkaBroker {
  readonly address: string;
  readonly caPem: string;
  /** Values of the messages that came, in their order. */
  readonly received: readonly string[];
  close(): Promise<void>;
}

export interface KafkaLogin {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly username: string;
  readonly password: string;
}

/** @param directory where the certificate is made */
export async function startKafkaBroker(directory: string, topic: string, login: KafkaLogin): Promise<KafkaBroker> {
  const received: string[] = [];
  const open = new Set<Socket>();
  const { key, cert } = await ownCertificate(directory, new Date());
  const server = createServer({ key, cert }, (socket) => {
    const { port } = server.address() as AddressInfo;
    const answer = answering({ topic, port, login, took: (values) => void received.push(...values) });
    let bytes = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        const size = 4 + bytes.readInt32BE(0);
        const said = answer(bytes.subarray(4, size));
        bytes = bytes.subarray(size);
        if (said === undefined) return void socket.destroy();
        socket.write(bytesWriter().int32(said.length).raw(said).end());
      }
    });
  });
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `kafka+tls://localhost:${(server.address() as AddressInfo).port}`,
    ...{ caPem: cert, received },
    close() {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Place {
  readonly topic: string;
  readonly port: number;
  readonly login: KafkaLogin;
  readonly took: (values: readonly string[]) => void;
}

/** What one connection is answered; undefined for what ends it, such as anything but a login before the login. */
function answering({ topic, port, login, took }: Place): (request: Buffer) => Buffer | undefined {
  const sasl = authenticator(login);
  return (request) => {
    const reader = bytesReader(request);
    const [key, version, correlation] = [reader.int16(), reader.int16(), reader.int32()];
    reader.string();
    const head = bytesWriter().int32(correlation);
    if (key === API_VERSIONS) return apiVersions(head, version);
    if (key === SASL_HANDSHAKE) {
      const isOurs = reader.string() === login.mechanism;
      return head
        .int16(isOurs ? 0 : ILLEGAL_SASL_STATE)
        .int32(1)
        .string(login.mechanism)
        .end();
    }
    if (key === SASL_AUTHENTICATE) {
      const said = sasl.step(reader.bytes());
      const failed = said === undefined;
      return head
        .int16(failed ? SASL_AUTHENTICATION_FAILED : 0)
        .string(failed ? "wrong user or password" : null)
        .bytes(said ?? Buffer.alloc(0))
        .end();
    }
    if (!sasl.isDone()) return undefined;
    if (key === METADATA) return metadata(head, topic, port);
    if (key !== PRODUCE) return undefined;
    took(produced(reader));
    head.int32(1).string(topic).int32(1).int32(0).int16(0).int64(0n).int64(-1n).int64(0n).int32(0).string(null);
    return head.int32(0).end();
  };
}

type Writer = ReturnType<typeof bytesWriter>;

function apiVersions(head: Writer, version: number): Buffer {
  const isFlexible = version >= 3;
  head.int16(0);
  if (isFlexible) head.int8(VERSIONS.length + 1);
  else head.int32(VERSIONS.length);
  for (const [key, least, most] of VERSIONS) {
    head.int16(key).int16(least).int16(most);
    if (isFlexible) head.int8(0);
  }
  if (version > 0) head.int32(0);
  if (isFlexible) head.int8(0);
  return head.end();
}

function metadata(head: Writer, topic: string, port: number): Buffer {
  head.int32(0).int32(1).int32(1).string("localhost").int32(port).string(null).string("cluster").int32(1);
  head.int32(1).int16(0).string(topic).int8(0).int32(1);
  head.int16(0).int32(0).int32(1).int32(0).int32(1).int32(1).int32(1).int32(1).int32(0);
  return head.int32(NO_AUTHORIZED_OPERATIONS).int32(NO_AUTHORIZED_OPERATIONS).end();
}

function produced(reader: ReturnType<typeof bytesReader>): readonly string[] {
  reader.string();
  reader.int16();
  reader.int32();
  const values: string[] = [];
  for (let topics = reader.int32(); topics > 0; topics--) {
    reader.string();
    for (let partitions = reader.int32(); partitions > 0; partitions--) {
      reader.int32();
      values.push(...recordsOf(reader.bytes()));
    }
  }
  return values;
}

interface Authenticator {
  /** What the client is answered; undefined when it is not who it says. */
  step(message: Buffer): Buffer | undefined;
  isDone(): boolean;
}

function authenticator({ mechanism, username, password }: KafkaLogin): Authenticator {
  let isDone = false;
  let first: { readonly bare: string; readonly server: string } | undefined;
  const salt = randomBytes(16);
  const algorithm = mechanism === "SCRAM-SHA-256" ? "sha256" : "sha512";
  const hmac = (key: Buffer, text: string) => createHmac(algorithm, key).update(text).digest();
  return {
    isDone: () => isDone,
    step(message) {
      const text = message.toString("utf8");
      if (mechanism === "PLAIN") {
        // RFC 4616, section 2.
        isDone = text === `\0${username}\0${password}`;
        return isDone ? Buffer.alloc(0) : undefined;
      }
      if (first === undefined) {
        const bare = text.replace(/^n,,/, "");
        const [, user, nonce = ""] = /^n=([^,]*),r=(.*)$/.exec(bare) ?? [];
        if (user !== username) return undefined;
        const more = randomBytes(8).toString("hex");
        first = { bare, server: `r=${nonce}${more},s=${salt.toString("base64")},i=${ITERATIONS}` };
        return Buffer.from(first.server);
      }
      // RFC 5802, section 3.
      const salted = pbkdf2Sync(password, salt, ITERATIONS, algorithm === "sha256" ? 32 : 64, algorithm);
      const [, withoutProof = "", proof = ""] = /^(.*),p=(.*)$/.exec(text) ?? [];
      const signed = `${first.bare},${first.server},${withoutProof}`;
      const clientKey = hmac(salted, "Client Key");
      const signature = hmac(createHash(algorithm).update(clientKey).digest(), signed);
      const expected = clientKey.map((byte, at) => byte ^ signature[at]!);
      const given = Buffer.from(proof, "base64");
      isDone = given.length === expected.length && timingSafeEqual(given, expected);
      if (!isDone) return undefined;
      return Buffer.from(`v=${hmac(hmac(salted, "Server Key"), signed).toString("base64")}`);
    },
  };
}

import { readFileSync } from "node:fs";
import { Client, credentials } from "@grpc/grpc-js";
import { GATEWAY_NAME } from "../apps/server/src/gateway/authority.ts";
import type { Downstream } from "../apps/server/src/gateway/gen/wire-types.ts";
import { SERVICE } from "../apps/server/src/gateway/start-gateway.ts";
import { downstream, EVENT_TYPES, upstream } from "../apps/server/src/gateway/wire.ts";

/** Batches on their way at once: what a sensor sends before it waits for the first acknowledgement. */
const WINDOW = 24;
const EVENTS = 1_000;

/** Sends batches as fast as they are taken, and tells when the last is acknowledged. Arguments: port, directory, batches. */
const [port = "", directory = "", count = ""] = process.argv.slice(2);
const file = (name: string) => readFileSync(`${directory}/${name}`);
const secure = credentials.createSsl(file("ca.pem"), file("node.key"), file("node.pem"));
const client = new Client(`127.0.0.1:${port}`, secure, { "grpc.ssl_target_name_override": GATEWAY_NAME });
const stream = client.makeBidiStreamRequest(SERVICE.gateway.connect.path, upstream.encode, downstream.decode);
const batches = Number(count);
let sent = 0;
let stored = 0;

function batch(sequence: number) {
  const now = Date.now() * 1_000;
  return {
    epoch: directory,
    sequence,
    containers: [{ id: `container-${sequence % 20}`, name: "web", image: "shop:1" }],
    processes: Array.from({ length: 40 }, (_, i) => ({
      ...{
        pid: 100 + i,
        startUs: 1_000 + i,
        parent: i,
        name: `worker-${i % 7}`,
        exe: `/usr/bin/worker-${i % 7}`,
        uid: 1_000,
        effectiveUid: 1_000,
      },
      ...{
        arguments: ["worker", "--listen", "0.0.0.0:8080", `--shard=${i}`],
        cwd: "/srv",
        userName: "app",
        container: 1,
      },
    })),
    events: Array.from({ length: EVENTS }, (_, i) => eventOf(i, now + i)),
  };
}

/** Of a busy node: mostly files, then connections, then programs. Nothing of it is an attack: what alerts cost is theirs. */
function eventOf(i: number, timeUs: number) {
  const common = { timeUs, process: 1 + (i % 40), threadId: 100 + (i % 40) };
  if (i % 10 < 6)
    return { ...common, type: EVENT_TYPES.OPEN, path: `/srv/data/${i % 97}/part-${i}.tmp`, flags: 577, fd: 9 };
  if (i % 10 < 8) {
    const peer = {
      remoteAddress: `10.0.0.${4 + (i % 4)}`,
      remotePort: 5_432,
      localAddress: "10.0.0.3",
      localPort: 40_000 + i,
    };
    return { ...common, ...peer, type: EVENT_TYPES.CONNECT, family: 4, protocol: "tcp" };
  }
  return { ...common, type: EVENT_TYPES.EXECVE, path: "/usr/bin/worker-1" };
}

const messages = Array.from({ length: batches }, (_, i) => ({ batch: batch(i + 1) }));
const send = () => {
  for (; sent < batches && sent - stored < WINDOW; sent++) stream.write(messages[sent]!);
};
stream.on("data", ({ acknowledgement }: Downstream) => {
  if (acknowledgement === null) return;
  stored = acknowledgement.sequence;
  if (stored === batches) {
    process.stdout.write("done\n");
    stream.end();
    client.close();
    process.stdin.destroy();
  } else send();
});
process.stdout.write("ready\n");
process.stdin.once("data", send);

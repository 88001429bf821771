import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Ports that Linux gives out by itself begin here (ip-sysctl.rst, `ip_local_port_range`). */
const FIRST_EPHEMERAL = 32_768;
const LOWEST = 15_000;
const TRIES = 100;

/** A port for a program that cannot choose one itself: nobody listens on it, and nobody else gets it by chance. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < TRIES; tried++) {
    const port = randomInt(LOWEST, FIRST_EPHEMERAL);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    await new Promise((resolve) => server.close(resolve));
    if (isFree) return port;
  }
  throw new Error(`${TRIES} ports between ${LOWEST} and ${FIRST_EPHEMERAL} are taken`);
}

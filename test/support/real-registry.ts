import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChildServer, startChild } from "@bulwark/image/testing";

/** A registry as people run it, on a free port of the loopback device. */
export interface RealRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Starts Debian's docker-registry over plain HTTP, with its content below `directory`. */
export async function startRealRegistry(directory: string): Promise<RealRegistry> {
  mkdirSync(directory, { recursive: true });
  const configuration = join(directory, "config.yml");
  writeFileSync(
    configuration,
    `version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: ${directory}/data}, delete: {enabled: true}}
http: {addr: "127.0.0.1:0"}
`,
  );
  const ready = /listening on (127\.0\.0\.1:\d+)/;
  const child: ChildServer = await startChild("docker-registry", ["serve", configuration], ready);
  return { host: child.ready[1]!, stop: async () => void (await child.stop()) };
}

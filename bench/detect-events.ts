import type { RuntimeEvent, RuntimeProcess } from "@bulwark/model";
import { container, event, process } from "../packages/detect/src/testing/events.ts";

/** Programs of an ordinary cluster, by how often they are seen. */
const PROGRAMS = [
  "nginx",
  "java",
  "node",
  "python3",
  "postgres",
  "redis-server",
  "sh",
  "sed",
  "grep",
  "runc",
  "app",
  "cron",
];
const WRITTEN = [
  "/var/lib/postgresql/15/main/base/1/2",
  "/tmp/upload-",
  "/var/cache/nginx/proxy/",
  "/app/node_modules/.cache/",
  "/srv/data/orders/",
];
const READ = ["/proc/self/stat", "/etc/hosts", "/usr/lib/python3.11/site.py", "/etc/ssl/certs/ca.pem"];

/** A stream as a busy node gives it: mostly files, some connections, few programs; nothing of it is an attack. */
export function ordinaryEvents(count: number): readonly RuntimeEvent[] {
  const containers = Array.from({ length: 40 }, (_, at) =>
    container({
      id: String(at).padStart(64, "0"),
      name: `pod-${at}`,
      image: `registry.example/team/app-${at}:1.${at}`,
    }),
  );
  const init = process({ name: "tini", exe: "/sbin/tini" });
  const processes = PROGRAMS.map((name, at) =>
    process({
      pid: 100 + at,
      name,
      exe: `/usr/bin/${name}`,
      arguments: [name, "--config", `/etc/${name}.conf`, "--verbose"],
      parent: process({ pid: 50, name: at % 3 === 0 ? "sh" : "supervisord", parent: init }),
    }),
  );
  return Array.from({ length: count }, (_, at) => {
    const given = {
      timeUs: 1_700_000_000_000_000 + at * 20,
      container: at % 7 === 0 ? null : (containers[at % containers.length] ?? null),
      process: processes[at % processes.length] as RuntimeProcess,
    };
    return ordinary(at, given);
  });
}

function ordinary(at: number, given: Partial<RuntimeEvent>): RuntimeEvent {
  const path = `${WRITTEN[at % WRITTEN.length]}${at % 50}`;
  const turn = at % 20;
  if (turn < 7) return event("open", { ...given, path, flags: 0o1102, mode: 0o644 });
  if (turn < 10) return event("open", { ...given, path: `${READ[at % READ.length]}`, flags: 0 });
  if (turn < 12) return event("unlink", { ...given, path });
  if (turn < 13) return event("rename", { ...given, path, newPath: path.replace("/", "/old/") });
  if (turn < 16) {
    const remoteAddress = `10.4.0.${20 + (at % 4)}`;
    const ends = { family: 4, protocol: "tcp", localAddress: "10.4.0.2", localPort: 40000, remoteAddress };
    return event("connect", { ...given, ...ends, remotePort: at % 2 === 0 ? 5432 : 443 });
  }
  if (turn < 18) return event("execve", given);
  return event("clone", { ...given, flags: 0x1200000 });
}

import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { buildImage, writeLayout } from "@bulwark/image/testing";

const run = promisify(execFile);
const SOCKET = "/run/containerd/containerd.sock";
const NAMESPACE = "bulwark-test";
const ROOT = "/var/tmp/bulwark-test-containerd";
const USERS = `${ROOT}.users`;
const LOCK = `${ROOT}.lock`;
const PID_FILE = `${ROOT}.pid`;
const APPLETS = [
  "sh",
  "ls",
  "cat",
  "nc",
  "sleep",
  "id",
  "mkfifo",
  "rm",
  "echo",
  "true",
  "wget",
  "touch",
  "mv",
  "cp",
  "chmod",
];

/** The machine's own containerd, where sensors look for it; one that runs is used, else one is started. */
export interface Containerd {
  /** Makes an image of busybox, with a digest of its own. */
  load(image: string): Promise<void>;
  /** Starts a container in the background. */
  start(image: string, name: string, options?: readonly string[]): Promise<void>;
  /** Runs a script in a container. @returns what it wrote, with its exit status last */
  exec(name: string, script: string): Promise<string>;
  /** What the runtime says of it: `RUNNING`, `PAUSED`; empty when it has no such container. */
  state(name: string): Promise<string>;
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Why it cannot be used here; empty when it can. */
export function whyNoContainerd(): string {
  if (process.getuid?.() !== 0) return "containers are run as root";
  const missing = ["/usr/bin/containerd", "/usr/bin/ctr", "/usr/bin/busybox"].find((file) => !existsSync(file));
  return missing === undefined ? "" : `${missing} is not installed`;
}

export async function openContainerd(directory: string): Promise<Containerd> {
  const leave = await share();
  const ctr = (...words: readonly string[]) => run("ctr", ["--namespace", NAMESPACE, ...words], { timeout: 60_000 });
  let execs = 0;
  const remove = async (name: string) => {
    await ctr("tasks", "kill", "--all", "--signal", "SIGKILL", name).catch(() => {});
    await ctr("tasks", "rm", "--force", name).catch(() => {});
    await ctr("containers", "rm", name).catch(() => {});
  };
  return {
    remove,
    async load(image) {
      const file = image.replace(/\W/g, "-");
      const links = APPLETS.map((name) => ({ path: `bin/${name}`, type: "2", linkTarget: "busybox", mode: 0o777 }));
      const program = { path: "bin/busybox", mode: 0o755, content: readFileSync("/usr/bin/busybox") };
      const made = ["tmp/", "proc/", "dev/", "sys/", "etc/"].map((name) => [name, ""] as const);
      const entries = [program, ...links];
      writeLayout(buildImage({ layers: [{ files: Object.fromEntries(made), entries }] }), join(directory, file), "1");
      const archive = join(directory, `${file}.tar`);
      await run("skopeo", ["copy", "-q", `oci:${join(directory, file)}:1`, `oci-archive:${archive}:${image}`]);
      await ctr("images", "import", archive);
    },
    async start(image, name, options = []) {
      await remove(name);
      await ctr("run", "--detach", "--null-io", "--net-host", ...options, image, name, "/bin/sleep", "100000");
    },
    async exec(name, script) {
      const id = `exec-${process.pid}-${execs++}`;
      // On a busy machine ctr loses what comes through its pipes, and the shim what is not said on the one output it waits for.
      const said = join(directory, id);
      const words = ["--exec-id", id, "--log-uri", `file://${said}`, name, "/bin/sh", "-c", `exec 2>&1\n${script}`];
      const ended = await ctr("tasks", "exec", ...words).catch(
        (error: { readonly stderr?: string; readonly code?: number }) => error,
      );
      const output = existsSync(said) ? readFileSync(said, "utf8") : "";
      return `${output}${ended.stderr ?? ""}exit ${"code" in ended ? ended.code : 0}`;
    },
    async state(name) {
      const { stdout } = await ctr("tasks", "ls");
      const line = stdout.split("\n").find((each) => each.split(/\s+/)[0] === name);
      return line?.split(/\s+/)[2] ?? "";
    },
    close: leave,
  };
}

async function answers(): Promise<boolean> {
  return run("ctr", ["version"], { timeout: 5_000 }).then(
    () => true,
    () => false,
  );
}

/** Tests run beside each other and share one: who needs it first starts it, who leaves last ends it. */
async function share(): Promise<() => Promise<void>> {
  mkdirSync(USERS, { recursive: true });
  const own = join(USERS, `${process.pid}-${randomUUID()}`);
  writeFileSync(own, "");
  if (!(await answers())) await startOnce();
  return async () => {
    rmSync(own, { force: true });
    if (readdirSync(USERS).some(isAlive) || !existsSync(PID_FILE)) return;
    const pid = Number(readFileSync(PID_FILE, "utf8"));
    rmSync(PID_FILE);
    process.kill(pid, "SIGTERM");
    while (existsSync(`/proc/${pid}`)) await sleep(50);
    rmSync(ROOT, { recursive: true, force: true });
  };
}

function isAlive(user: string): boolean {
  return existsSync(`/proc/${user.split("-", 1)[0]}`);
}

async function startOnce(): Promise<void> {
  try {
    mkdirSync(LOCK);
  } catch {
    // Somebody else is at it.
    while (!(await answers())) await sleep(100);
    return;
  }
  try {
    mkdirSync(ROOT, { recursive: true });
    const configuration = join(ROOT, "containerd.toml");
    const plugins = 'disabled_plugins = ["io.containerd.grpc.v1.cri"]';
    writeFileSync(configuration, `version = 2\nroot = "${ROOT}/root"\n${plugins}\n[grpc]\n  address = "${SOCKET}"\n`);
    const child = spawn("containerd", ["--config", configuration], { detached: true, stdio: "ignore" });
    child.unref();
    writeFileSync(PID_FILE, String(child.pid));
    while (!(await answers())) await sleep(100);
  } finally {
    rmSync(LOCK, { recursive: true });
  }
}

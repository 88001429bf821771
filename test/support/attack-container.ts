import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { MAKE_ROOTFS_MS } from "./debian-rootfs.ts";
import { madeOnce } from "./made-once.ts";

/** What the scripts of content/rules use. */
const PACKAGES =
  "busybox-static,python3,netcat-openbsd,socat,procps,util-linux,bsdutils,iproute2,curl,openssh-client,keyutils,cron";
const ROOTFS = join(madeOnce(), `attack-rootfs-${createHash("sha256").update(PACKAGES).digest("hex").slice(0, 12)}`);
const NETWORK = "bulwark-attacks";
const RUN_LIMIT_MS = 60_000;
/** What containers have that were started without a word about it. */
const USUAL = [
  "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE",
]
  .join(" ")
  .split(" ")
  .map((name) => `CAP_${name}`);
const EVERYTHING = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG " +
  "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
  .split(" ")
  .map((name) => `CAP_${name}`);

const run = promisify(execFile);

/** Runs scripts in real containers over one root file system. */
export interface AttackContainers {
  /** @returns what the script wrote, with its exit status last */
  readonly run: (name: string, script: string) => Promise<string>;
  readonly close: () => void;
}

/** Why containers cannot be run here; empty when they can. */
export function whyNoContainers(): string {
  if (process.getuid?.() !== 0) return "containers are run as root";
  for (const tool of ["runc", "mmdebstrap", "ip"]) {
    if (!["/usr/bin", "/usr/sbin", "/bin", "/sbin"].some((folder) => existsSync(join(folder, tool)))) {
      return `${tool} is not installed`;
    }
  }
  return "";
}

/** Makes the root file system once, from this machine's Debian mirror; the scripts' changes go into layers of their own. */
export function openAttackContainers(): AttackContainers {
  if (!existsSync(ROOTFS)) {
    const part = `${ROOTFS}.${process.pid}`;
    const words = ["--quiet", "--variant=minbase", `--include=${PACKAGES}`, "bookworm", part];
    execFileSync("mmdebstrap", words, { stdio: "pipe", timeout: MAKE_ROOTFS_MS });
    renameSync(part, ROOTFS);
  }
  const work = mkdtempSync(join(tmpdir(), "bulwark-attacks-"));
  // Its loopback is up, and it leads nowhere else.
  if (!existsSync(`/var/run/netns/${NETWORK}`)) execFileSync("ip", ["netns", "add", NETWORK]);
  execFileSync("ip", ["-n", NETWORK, "link", "set", "lo", "up"]);
  return {
    run: (name, script) => runIn(join(work, name), name, script),
    close: () => {
      execFileSync("ip", ["netns", "delete", NETWORK]);
      rmSync(work, { recursive: true, force: true });
    },
  };
}

async function runIn(folder: string, name: string, script: string): Promise<string> {
  for (const part of ["upper", "work", "rootfs"]) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, "script.sh"), script);
  const layers = `lowerdir=${ROOTFS},upperdir=${join(folder, "upper")},workdir=${join(folder, "work")}`;
  const root = join(folder, "rootfs");
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, root]);
  try {
    writeFileSync(join(folder, "config.json"), JSON.stringify(configuration(folder, directives(script))));
    const ended = await run("runc", ["run", "--bundle", folder, name], { timeout: RUN_LIMIT_MS }).catch(
      (error: { readonly stdout?: string; readonly stderr?: string; readonly code?: number }) => error,
    );
    return `${ended.stdout ?? ""}${ended.stderr ?? ""}exit ${"code" in ended ? ended.code : 0}`;
  } finally {
    execFileSync("umount", [root]);
  }
}

/** `# container: caps CAP_SYS_ADMIN` in a script says how its container is to be started. */
function directives(script: string): ReadonlyMap<string, readonly string[]> {
  const lines = script.matchAll(/^# container: (\S+) ?(.*)$/gm);
  return new Map([...lines].map(([, word = "", rest = ""]) => [word, rest.split(" ").filter((part) => part !== "")]));
}

function configuration(folder: string, wanted: ReadonlyMap<string, readonly string[]>): object {
  const privileged = wanted.has("privileged");
  const capabilities = privileged ? EVERYTHING : [...USUAL, ...(wanted.get("caps") ?? [])];
  const open = privileged || wanted.has("unmasked");
  const [source, destination] = wanted.get("mount") ?? [];
  const network = wanted.has("loopback") ? { type: "network", path: `/var/run/netns/${NETWORK}` } : { type: "network" };
  const namespaces = ["mount", "ipc", "uts", ...(wanted.has("host-pid") ? [] : ["pid"])].map((type) => ({ type }));
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ["/bin/sh", "/script.sh"],
      env: [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME=/root",
        "PYTHONDONTWRITEBYTECODE=1",
      ],
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: false,
    },
    root: { path: "rootfs", readonly: false },
    hostname: "attacked",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755"] },
      { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance"] },
      { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
      { destination: "/script.sh", type: "bind", source: join(folder, "script.sh"), options: ["bind", "ro"] },
      ...(source === undefined || destination === undefined
        ? []
        : [{ destination, type: "bind", source, options: ["rbind", "ro"] }]),
    ],
    linux: {
      namespaces: [...namespaces, network],
      resources: { devices: [{ allow: true, access: "rwm" }] },
      maskedPaths: open ? [] : ["/proc/kcore", "/proc/keys"],
      readonlyPaths: open ? [] : ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
  };
}

import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const NAME = "bulwark-bench-host";

/** A container with this machine's own files, whose changes go elsewhere: what is measured in it is what containers do. */
export interface HostContainer {
  run(...words: readonly string[]): Promise<string>;
  close(): void;
}

export function openHostContainer(directory: string): HostContainer {
  for (const part of ["upper", "work", "rootfs"]) mkdirSync(join(directory, "container", part), { recursive: true });
  const folder = join(directory, "container");
  const layers = `lowerdir=/,upperdir=${join(folder, "upper")},workdir=${join(folder, "work")}`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, join(folder, "rootfs")]);
  writeFileSync(join(folder, "config.json"), JSON.stringify(CONFIGURATION));
  spawnSync("runc", ["delete", "--force", NAME]);
  execFileSync("runc", ["run", "--detach", "--bundle", folder, NAME], { stdio: "ignore" });
  return {
    run: async (...words) =>
      (await promisify(execFile)("runc", ["exec", NAME, ...words], { maxBuffer: 2 ** 26 })).stdout,
    close() {
      spawnSync("runc", ["delete", "--force", NAME]);
      execFileSync("umount", [join(folder, "rootfs")]);
    },
  };
}

/** OCI runtime specification, config.json. */
const CONFIGURATION = {
  ociVersion: "1.0.2",
  process: {
    terminal: false,
    user: { uid: 0, gid: 0 },
    args: ["sleep", "100000"],
    env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"],
    cwd: "/",
    noNewPrivileges: true,
  },
  root: { path: "rootfs" },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    { destination: "/tmp", type: "bind", source: "/tmp", options: ["rbind"] },
  ],
  linux: {
    namespaces: ["mount", "ipc", "uts", "pid"].map((type) => ({ type })),
    resources: { devices: [{ allow: true, access: "rwm" }] },
  },
};

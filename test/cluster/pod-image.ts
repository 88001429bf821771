import { readFileSync, writeFileSync } from "node:fs";
import { buildImage, ociArchive } from "@bulwark/image/testing";

const APPLETS = ["sh", "sleep", "cat", "id", "ls", "wget", "nc", "echo", "touch", "httpd"];

/** A layer with busybox under its usual names. @param files further ones, content by path */
export function busyboxLayer(files: Readonly<Record<string, string>> = {}) {
  const links = APPLETS.map((name) => ({
    path: `bin/${name}`,
    type: "2" as const,
    linkTarget: "busybox",
    mode: 0o777,
  }));
  const program = { path: "bin/busybox", mode: 0o755, content: readFileSync("/usr/bin/busybox") };
  const folders = Object.fromEntries(["tmp/", "proc/", "dev/", "sys/", "etc/"].map((name) => [name, ""]));
  return { files: { ...folders, ...files }, entries: [program, ...links] };
}

/** Writes the archive of an image of busybox, with further files. @param files content by path */
export function writeBusyboxArchive(archive: string, files: Readonly<Record<string, string>> = {}): void {
  const config = { Env: ["PATH=/bin"], Cmd: ["/bin/sleep", "100000"] };
  writeFileSync(archive, ociArchive(buildImage({ layers: [busyboxLayer(files)], config })));
}

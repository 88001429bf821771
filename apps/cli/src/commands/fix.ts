import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ScanReport } from "@bulwark/model";
import { counted } from "../counted.ts";
import { CliError, plain } from "../failure.ts";
import { addUpgrade } from "../fix/fix-dockerfile.ts";
import { type Upgrades, upgradesOf } from "../fix/upgrades.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { readTextFile } from "../text-files.ts";

const FIX_HELP = `Fixes what upgrades of operating-system packages can fix in an image.

Usage: bulwark fix SOURCE [--all] [--dockerfile FILE [--write]]
       bulwark fix SOURCE --build FILE.tar [--all]

Without --dockerfile and --build it prints the instruction that does it. What only the base image brought is left to the base's
owner, unless --all is given: rebuild on a fixed base first.

  --dockerfile FILE  print the change of this Dockerfile as a diff that git apply takes; --write makes it
  --build FILE.tar   make the patched image, one layer on top, with buildah; and scan it again
  --isolation HOW    how buildah runs the upgrade: oci, rootless or chroot (default chroot)
  --all              also what the base image brought
  --db FILE, --platform OS/ARCH, --offline, --plain-http, --ca-file FILE   as for bulwark scan

Exit status: 0 fixed or nothing to fix, 1 something is left, 2 the work could not be done.

Examples:
  bulwark fix registry.example.com/shop:1 --dockerfile Dockerfile | git apply
  bulwark fix image.tar --build patched.tar
`;

const TABLE = {
  all: { type: "boolean" },
  dockerfile: { type: "string" },
  write: { type: "boolean" },
  build: { type: "string" },
  isolation: { type: "string" },
  db: { type: "string" },
  platform: { type: "string" },
  offline: { type: "boolean" },
  "plain-http": { type: "boolean" },
  "ca-file": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
const LEFT_EXIT = 1;
const REFUSED_EXIT = 2;
const ISOLATIONS = ["oci", "rootless", "chroot"];

/** `bulwark fix`: see FIX_HELP. */
export async function fixCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("fix", args, TABLE);
  const [source, ...rest] = options.positionals;
  if (options.flags.has("help") || source === undefined) {
    process.stdout.write(FIX_HELP);
    return 0;
  }
  if (rest.length > 0) throw new CliError("USAGE", "fix: it takes one image", "see bulwark fix --help");
  const upgrades = upgradesOf(await scan(source, options), options.flags.has("all"));
  if (upgrades === undefined) {
    process.stderr.write("Nothing that an upgrade of operating-system packages in its own layers fixes.\n");
    return 0;
  }
  const { dockerfile, build } = options.text;
  if (build !== undefined) return buildPatched(source, build, upgrades, options);
  if (dockerfile !== undefined) return changeDockerfile(dockerfile, upgrades, options.flags.has("write"));
  const { manager, packages, findings } = upgrades;
  process.stdout.write(plain(`# clears ${counted(findings.length, "finding")}\nRUN ${manager.command(packages)}\n`));
  return 0;
}

/** Scans as `bulwark scan` does, in a process of its own. */
async function scan(source: string, { text, flags }: ParsedOptions): Promise<ScanReport> {
  const passed = [
    ...(["db", "platform", "ca-file"] as const).flatMap((name) =>
      text[name] === undefined ? [] : [`--${name}`, text[name]],
    ),
    ...(["offline", "plain-http"] as const).flatMap((name) => (flags.has(name) ? [`--${name}`] : [])),
  ];
  const words = ["scan", source, "--scanners", "vuln", "--format", "json", ...passed];
  const { status, stdout } = await runProgram(process.execPath, [...process.execArgv, process.argv[1] ?? "", ...words]);
  if (status === REFUSED_EXIT || stdout === "") {
    throw new CliError("NOT_FOUND", `${source} could not be scanned`, "see the message above");
  }
  return JSON.parse(stdout) as ScanReport;
}

async function changeDockerfile(file: string, { manager, packages }: Upgrades, write: boolean): Promise<number> {
  const change = addUpgrade(await readTextFile(file, "Dockerfile"), manager.command(packages));
  if (change === undefined) {
    throw new CliError(
      "FILE_UNREADABLE",
      `${file} has no FROM instruction`,
      "name the Dockerfile that the image is built from",
    );
  }
  if (write) {
    await writeFile(file, change.text);
    process.stderr.write(`${file}: upgrades ${packages.join(", ")}\n`);
  } else {
    const name = file.replace(/^\/+/, "");
    process.stdout.write(plain(`--- a/${name}\n+++ b/${name}\n${change.diff.join("\n")}\n`));
  }
  return 0;
}

/** Puts a layer with the upgraded packages on top of the image, and shows by a scan what it cleared. */
async function buildPatched(
  source: string,
  output: string,
  upgrades: Upgrades,
  options: ParsedOptions,
): Promise<number> {
  const isolation = options.text.isolation ?? "chroot";
  if (!ISOLATIONS.includes(isolation)) {
    throw new CliError(
      "USAGE",
      `--isolation "${isolation}" is none that buildah has`,
      `choose ${ISOLATIONS.join(", ")}`,
    );
  }
  const buildah = async (...words: readonly string[]) => {
    const { status, stdout } = await runProgram("buildah", words);
    if (status === 0) return stdout.trim();
    const next = "see buildah's message above; it has to be installed, and the image's package sources reachable";
    throw new CliError("OUTPUT_UNWRITABLE", `buildah ${words[0]} ended with ${status}`, next);
  };
  const target = resolve(output);
  const working = await buildah("from", "--pull=never", await loaded(source, buildah));
  try {
    const { manager, packages } = upgrades;
    await buildah(
      "run",
      "--isolation",
      isolation,
      "--user",
      "0",
      working,
      "--",
      "sh",
      "-ec",
      manager.command(packages),
    );
    await buildah("commit", "--quiet", working, `docker-archive:${target}`);
  } finally {
    await buildah("rm", working);
  }
  const after = await scan(target, options);
  const still = new Set(after.findings.map(({ id, package: found }) => `${id} ${found?.name}`));
  const left = upgrades.findings.filter(({ id, package: found }) => still.has(`${id} ${found?.name}`));
  const cleared = upgrades.findings.length - left.length;
  process.stdout.write(plain(`${output}: ${cleared} of ${upgrades.findings.length} findings are gone\n`));
  for (const { id, package: found } of left) process.stdout.write(plain(`still there: ${id} in ${found?.name}\n`));
  return left.length === 0 ? 0 : LEFT_EXIT;
}

/** Brings the image where buildah finds it; gives its id. */
async function loaded(source: string, buildah: (...words: readonly string[]) => Promise<string>): Promise<string> {
  const [scheme = ""] = /^(oci|containerd|podman|docker|dir|sbom):/.exec(source) ?? [];
  if (["dir:", "sbom:", "containerd:"].includes(scheme)) {
    throw new CliError(
      "USAGE",
      `an image from ${scheme} cannot be patched`,
      "give an archive, oci:DIR or a registry's reference",
    );
  }
  const isArchive = /\.tar(\.gz)?$/.test(source);
  const name = isArchive
    ? `docker-archive:${resolve(source)}`
    : scheme === "oci:"
      ? source
      : `docker://${source.replace(/^https?:\/\//, "")}`;
  return buildah("pull", "--quiet", ...(source.startsWith("http://") ? ["--tls-verify=false"] : []), name);
}

/** Runs a program whose messages the user sees; its output is read. */
function runProgram(
  program: string,
  words: readonly string[],
): Promise<{ readonly status: number | null; readonly stdout: string }> {
  return new Promise((done, fail) => {
    const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.once("error", (cause) => {
      fail(new CliError("NOT_FOUND", `${program} cannot be run: ${cause.message}`, `install ${program}`, cause));
    });
    child.once("close", (status) => done({ status, stdout: Buffer.concat(chunks).toString("utf8") }));
  });
}

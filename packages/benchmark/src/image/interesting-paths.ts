import { baseName } from "../shell/scan.ts";

/** What a program is to an intruder, or to somebody who keeps an image small. */
export type ToolKind =
  | "shell"
  | "package-manager"
  | "downloader"
  | "compiler"
  | "network-tool"
  | "ssh-server"
  | "sudo"
  | "debugger";

const TOOLS: Readonly<Record<ToolKind, readonly string[]>> = {
  shell: ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "tcsh", "csh", "busybox"],
  "package-manager": [
    "apt",
    "apt-get",
    "dpkg",
    "aptitude",
    "apk",
    "yum",
    "dnf",
    "microdnf",
    "tdnf",
    "rpm",
    "zypper",
    "pip",
    "pip3",
    "npm",
    "yarn",
    "pnpm",
    "gem",
    "conda",
    "pacman",
  ],
  downloader: ["curl", "wget", "aria2c", "ftp", "lftp", "tftp", "rsync"],
  compiler: [
    "gcc",
    "g++",
    "cc",
    "c++",
    "clang",
    "clang++",
    "make",
    "cmake",
    "rustc",
    "cargo",
    "go",
    "javac",
    "ld",
    "as",
    "nasm",
  ],
  "network-tool": [
    "nc",
    "ncat",
    "netcat",
    "nc.openbsd",
    "nc.traditional",
    "socat",
    "telnet",
    "nmap",
    "masscan",
    "tcpdump",
    "tshark",
    "ettercap",
    "hydra",
    "rsh",
    "rlogin",
    "proxychains",
    "proxychains4",
    "chisel",
    "frpc",
    "ngrok",
  ],
  "ssh-server": ["sshd", "dropbear"],
  sudo: ["sudo", "doas", "pkexec"],
  debugger: ["gdb", "strace", "ltrace", "gdbserver", "perf", "bpftrace"],
};

const TOOL_KINDS: ReadonlyMap<string, ToolKind> = new Map(
  Object.entries(TOOLS).flatMap(([kind, names]) => names.map((name): [string, ToolKind] => [name, kind as ToolKind])),
);
const PROGRAM_DIRECTORY = /^(usr\/(local\/)?)?s?bin\/[^/]+$|^usr\/local\/go\/bin\/go$|^opt\/[^/]+\/bin\/[^/]+$/;

/** Left-overs of package managers; the path's beginning tells whose. */
const CACHES: readonly { readonly kind: string; readonly path: RegExp }[] = [
  { kind: "apt lists", path: /^var\/lib\/apt\/lists\/(?!lock$|partial\/|auxfiles\/)[^/]+$/ },
  { kind: "apt archives", path: /^var\/cache\/apt\/(archives\/[^/]+\.deb|(src)?pkgcache\.bin)$/ },
  { kind: "apk cache", path: /^(var\/cache\/apk|etc\/apk\/cache)\/[^/]+\.(apk|tar\.gz)$/ },
  { kind: "yum or dnf cache", path: /^var\/cache\/(yum|dnf|libdnf5)\/.+\.(rpm|solv|solvx|xml\.gz|xml\.zst|sqlite)$/ },
  { kind: "zypper cache", path: /^var\/cache\/zypp\/.+\.(rpm|solv)$/ },
  { kind: "pip cache", path: /^(root|home\/[^/]+)\/\.cache\/pip\/.+$/ },
  { kind: "npm cache", path: /^(root|home\/[^/]+)\/\.npm\/_cacache\/.+$/ },
  { kind: "yarn cache", path: /^(root|home\/[^/]+|usr\/local\/share)\/\.cache\/yarn\/.+$/ },
  { kind: "Go build cache", path: /^(root|home\/[^/]+)\/\.cache\/go-build\/.+$/ },
  { kind: "Maven repository", path: /^(root|home\/[^/]+)\/\.m2\/repository\/.+\.jar$/ },
  { kind: "cargo registry", path: /^(root|home\/[^/]+|usr\/local)\/\.?cargo\/registry\/cache\/.+$/ },
  {
    kind: "gem cache",
    path: /^usr\/(local\/(bundle|lib\/ruby\/gems\/[^/]+)|lib\/ruby\/gems\/[^/]+)\/cache\/[^/]+\.gem$/,
  },
];

/**
 * Whether the checks on images want to know of a file: programs of interest, left-over caches, set-uid and set-gid files.
 *
 * @param path relative to the root of the image, without a leading slash
 * @param mode permission bits with set-uid, set-gid and sticky
 * @example wantsPath("usr/bin/curl", 0o755); // true
 */
export function wantsPath(path: string, mode = 0): boolean {
  return (mode & 0o6000) !== 0 || toolKind(path) !== undefined || cacheKind(path) !== undefined || isPlant(path);
}

/** What kind of tool lies at the path, if it is one. */
export function toolKind(path: string): ToolKind | undefined {
  return PROGRAM_DIRECTORY.test(path) ? TOOL_KINDS.get(baseName(path)) : undefined;
}

/** Whose cache the file belongs to, if it is one. */
export function cacheKind(path: string): string | undefined {
  return CACHES.find((cache) => cache.path.test(path))?.kind;
}

/** SSH keys of the machine: the same in every container when they lie in the image. */
export function isHostKey(path: string): boolean {
  return /^etc\/ssh\/ssh_host_[a-z0-9]+_key$/.test(path);
}

function isPlant(path: string): boolean {
  return isHostKey(path) || /(^|\/)docker\.sock$|^\.dockerenv$|(^|\/)\.git\/HEAD$/.test(path);
}

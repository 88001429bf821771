/** Options that take the next word as their value, so that it is not read as a package. */
const VALUED: Readonly<Record<string, readonly string[]>> = {
  "apt-get": ["-t", "--target-release", "-o", "-c", "-a"],
  apt: ["-t", "--target-release", "-o", "-c"],
  apk: ["-t", "--virtual", "-X", "--repository", "-p", "--root", "--repositories-file", "--keys-dir", "--arch"],
  pip: [
    "-i",
    "--index-url",
    "--extra-index-url",
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--trusted-host",
    "-f",
    "--find-links",
    "--platform",
    "--python-version",
    "-e",
    "--editable",
    "--timeout",
    "--retries",
    "--proxy",
    "--cert",
    "--log",
    "--cache-dir",
    "--no-binary",
    "--only-binary",
    "--progress-bar",
  ],
  npm: ["--registry", "--prefix", "--cache", "--loglevel", "--userconfig", "--omit"],
  gem: ["-v", "--version", "-i", "--install-dir", "-n", "--bindir", "-s", "--source", "-P"],
  yum: ["-c", "-x", "--enablerepo", "--disablerepo", "--setopt", "--installroot", "--releasever"],
  dnf: ["-c", "-x", "--enablerepo", "--disablerepo", "--setopt", "--installroot", "--releasever"],
  microdnf: ["--enablerepo", "--disablerepo", "--setopt", "--installroot", "--releasever"],
  zypper: ["-r", "--repo", "-t", "--type", "--root"],
  cargo: [
    "--version",
    "--vers",
    "--git",
    "--branch",
    "--tag",
    "--rev",
    "--path",
    "--root",
    "--features",
    "--target",
    "--profile",
  ],
  go: ["-ldflags", "-tags", "-o", "-mod", "-p"],
};

const INSTALLS: Readonly<Record<string, readonly string[]>> = {
  "apt-get": ["install"],
  apt: ["install"],
  apk: ["add"],
  pip: ["install"],
  npm: ["install", "i", "add"],
  gem: ["install"],
  yum: ["install", "localinstall", "reinstall"],
  dnf: ["install", "reinstall"],
  microdnf: ["install"],
  zypper: ["install", "in"],
  cargo: ["install"],
  go: ["install", "get"],
};

/** `pip3.12` is `pip`, `tdnf` behaves as `dnf`: the name under which the tables above know a program. */
function managerOf(name: string): string {
  if (/^pip[\d.]*$/.test(name)) return "pip";
  return name === "tdnf" ? "dnf" : name;
}

/** The first argument that is no option, nor an option's value: `install` of `apt-get -o X=1 install`. */
export function subcommandOf(name: string, args: readonly string[]): string {
  return operands(managerOf(name), args)[0] ?? "";
}

/** What an installing command is asked to install; empty for every other command. */
export function packagesOf(name: string, args: readonly string[]): readonly string[] {
  const manager = managerOf(name);
  const [sub = "", ...rest] = operands(manager, args);
  return INSTALLS[manager]?.includes(sub) === true ? rest : [];
}

/** The packages of {@link packagesOf} that name no version. A variable, a file or an address is not judged. */
export function unpinnedOf(name: string, args: readonly string[]): readonly string[] {
  const manager = managerOf(name);
  return packagesOf(name, args).filter((word) => !/[$`*]/.test(word) && isUnpinned(manager, word, args));
}

function isUnpinned(manager: string, word: string, args: readonly string[]): boolean {
  switch (manager) {
    case "apt-get":
    case "apt":
      return !/[=/]/.test(word) && !word.endsWith(".deb");
    case "apk":
      return !/[=~<>/]/.test(word) && !word.startsWith(".");
    case "pip":
      return /^[A-Za-z0-9][\w.-]*(\[[\w,-]+\])?$/.test(word) && !/\.(whl|txt|gz|zip)$/.test(word);
    case "npm":
      return /^(@[\w.-]+\/)?[\w.-]+$/.test(word) && !/^[./]/.test(word) && !/\.tgz$/.test(word);
    case "gem":
      return !args.some((arg) => arg === "-v" || arg.startsWith("--version")) && /^[\w-]+$/.test(word);
    case "yum":
    case "dnf":
    case "microdnf":
    case "zypper":
      return !/-\d/.test(word) && !/[=<>/@]/.test(word) && !word.endsWith(".rpm");
    case "cargo":
      return !/@/.test(word) && !args.some((arg) => /^--(version|vers|git|path)\b/.test(arg));
    case "go":
      return /@latest$/.test(word);
    default:
      return false;
  }
}

function operands(manager: string, args: readonly string[]): readonly string[] {
  const valued = VALUED[manager] ?? [];
  const found: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg.startsWith("-")) {
      if (valued.includes(arg)) at++;
    } else found.push(arg);
  }
  return found;
}

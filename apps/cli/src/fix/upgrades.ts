import type { Finding, ScanReport } from "@bulwark/model";

/** A package manager of an operating system, and how it is told to upgrade. */
interface PackageManager {
  readonly type: "deb" | "apk" | "rpm";
  /** Shell command that upgrades these packages and leaves nothing behind. */
  command(packages: readonly string[]): string;
}

/** What can be fixed by upgrading packages of the operating system. */
export interface Upgrades {
  readonly manager: PackageManager;
  /** Names as the package manager knows them, sorted. */
  readonly packages: readonly string[];
  readonly findings: readonly Finding[];
}

/** A name of Debian, Alpine or RPM (Debian policy 5.6.1 and its neighbours): nothing else becomes part of a command. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9+._-]{0,127}$/;

const MANAGERS: readonly PackageManager[] = [
  {
    type: "deb",
    command: (packages) =>
      `apt-get update && apt-get install -y --no-install-recommends --only-upgrade ${packages.join(" ")} && rm -rf /var/lib/apt/lists/*`,
  },
  { type: "apk", command: (packages) => `apk upgrade --no-cache ${packages.join(" ")}` },
  {
    type: "rpm",
    command: (packages) =>
      `$(command -v microdnf || command -v dnf || command -v yum) -y upgrade ${packages.join(" ")} && rm -rf /var/cache/dnf /var/cache/yum`,
  },
];

/**
 * The upgrades that clear findings of a report.
 *
 * @param everything also what the base image brought; else own layers alone
 */
export function upgradesOf({ findings }: Pick<ScanReport, "findings">, everything: boolean): Upgrades | undefined {
  for (const manager of MANAGERS) {
    const meant = findings.filter(
      ({ kind, origin, fixedVersion = "", package: found }) =>
        kind === "vulnerability" &&
        fixedVersion !== "" &&
        (everything || origin === "own") &&
        found?.purl.startsWith(`pkg:${manager.type}/`) === true,
    );
    const packages = [...new Set(meant.flatMap(namesOf))].filter((name) => NAME.test(name)).sort();
    if (packages.length > 0) return { manager, packages, findings: meant };
  }
  return undefined;
}

/** Binary packages that carry a flaw: advisories often speak of their source. */
function namesOf({ package: found, evidence }: Finding): readonly string[] {
  const carriers = evidence?.packages ?? [];
  return carriers.length > 0 ? carriers.map(nameInPurl) : [nameInPurl(found?.purl ?? "")];
}

/** Package URL specification: the name is what stands before version and qualifiers. */
function nameInPurl(text: string): string {
  if (!text.startsWith("pkg:")) return text.split(/[ @]/)[0] ?? "";
  const path = text.replace(/[?#].*$/, "").replace(/@[^@/]*$/, "");
  return decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
}

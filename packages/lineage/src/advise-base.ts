/** What a workload needs of its base. What is left out may be anything. */
export interface BaseNeed {
  readonly platform?: string | undefined;
  /** ID and VERSION_ID of os-release(5). Without a version any release will do. */
  readonly os?: { readonly id: string; readonly versionId?: string | undefined } | undefined;
  readonly libc?: "glibc" | "musl" | undefined;
  /** Language runtimes (`node`, `python`); a version of `20` takes any 20.x. */
  readonly runtimes?: readonly Runtime[];
  /** Names of operating-system packages that must be there. */
  readonly packages?: readonly string[];
}

export interface Runtime {
  readonly name: string;
  readonly version?: string | undefined;
}

/** What is known of a golden base. */
export interface BaseCandidate<Id = number> {
  readonly id: Id;
  readonly platform: string;
  readonly os: { readonly id: string; readonly versionId: string };
  readonly libc: "glibc" | "musl" | undefined;
  readonly runtimes: readonly Runtime[];
  readonly packages: ReadonlySet<string>;
  readonly risk: number;
  readonly sizeBytes: number;
}

/** Why a base will not do: what was needed, and what it has instead (empty for nothing). */
export interface Misfit {
  readonly what: "platform" | "os" | "libc" | "runtime" | "package";
  readonly needed: string;
  readonly found: string;
}

export interface BaseAdvice<Id = number> {
  /** Bases that will do, the best first: least risk, then smallest, then as given. */
  readonly fitting: readonly BaseCandidate<Id>[];
  readonly refused: readonly { readonly candidate: BaseCandidate<Id>; readonly misfits: readonly Misfit[] }[];
}

/** Distributions of which two numbers name a release: 24.04 and 24.10 are as far apart as Debian's 12 and 13. */
const TWO_NUMBERS = new Set(["ubuntu", "alpine", "opensuse-leap", "sles", "wolfi"]);

/**
 * Which of some bases suits a workload best, and why the others do not.
 *
 * @example adviseBase({ os: { id: "debian", versionId: "12" }, runtimes: [{ name: "node", version: "20" }] }, golden).fitting[0]
 */
export function adviseBase<Id>(need: BaseNeed, candidates: readonly BaseCandidate<Id>[]): BaseAdvice<Id> {
  const judged = candidates.map((candidate) => ({ candidate, misfits: misfitsOf(need, candidate) }));
  return {
    fitting: judged
      .filter(({ misfits }) => misfits.length === 0)
      .map(({ candidate }) => candidate)
      .toSorted((one, other) => one.risk - other.risk || one.sizeBytes - other.sizeBytes),
    refused: judged.filter(({ misfits }) => misfits.length > 0),
  };
}

function misfitsOf<Id>(need: BaseNeed, candidate: BaseCandidate<Id>): readonly Misfit[] {
  const misfits: Misfit[] = [];
  const refuse = (what: Misfit["what"], needed: string, found: string) => void misfits.push({ what, needed, found });
  if (need.platform !== undefined && need.platform !== candidate.platform) {
    refuse("platform", need.platform, candidate.platform);
  }
  if (need.os !== undefined && !isSameRelease(need.os, candidate.os)) {
    refuse("os", systemName(need.os), systemName(candidate.os));
  }
  if (need.libc !== undefined && need.libc !== candidate.libc) refuse("libc", need.libc, candidate.libc ?? "");
  for (const runtime of need.runtimes ?? []) {
    const found = candidate.runtimes.filter(({ name }) => name === runtime.name);
    if (found.some(({ version }) => isWithin(version ?? "", runtime.version ?? ""))) continue;
    refuse("runtime", runtimeName(runtime), found.map(runtimeName).join(", "));
  }
  for (const name of need.packages ?? []) if (!candidate.packages.has(name)) refuse("package", name, "");
  return misfits;
}

function isSameRelease(needed: NonNullable<BaseNeed["os"]>, found: BaseCandidate["os"]): boolean {
  if (needed.id !== found.id) return false;
  if (needed.versionId === undefined || needed.versionId === "") return true;
  const release = (versionId: string) =>
    versionId
      .split(".")
      .slice(0, TWO_NUMBERS.has(needed.id) ? 2 : 1)
      .join(".");
  return release(needed.versionId) === release(found.versionId);
}

/** Whether a version is the wanted one or a part of it: 20.11.1 is within 20 and 20.11, and 2 is not within 20. */
function isWithin(version: string, wanted: string): boolean {
  return wanted === "" || version === wanted || version.startsWith(`${wanted}.`);
}

function systemName({ id, versionId = "" }: { readonly id: string; readonly versionId?: string | undefined }): string {
  return `${id} ${versionId}`.trim();
}

function runtimeName({ name, version = "" }: Runtime): string {
  return `${name} ${version}`.trim();
}

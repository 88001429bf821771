export const OS_SUBJECTS = 20_000;
export const APP_SUBJECTS = 60_000;
export const VULNERABILITIES = 20_000;
export const SEVERITIES = ["critical", "high", "medium", "low"] as const;
/** The weights by which the store adds up an image's risk, in the same order. */
export const RISKS = [20, 5, 1, 0] as const;

/** Ids, from 1, of the package versions that a layer brings: some are in many layers, most in few. */
export function subjectsOf(chain: number, count: number, isOs: boolean): readonly number[] {
  const [pool, first] = isOs ? [OS_SUBJECTS, 1] : [APP_SUBJECTS, OS_SUBJECTS + 1];
  const start = Math.floor(pool * hash01(chain) ** 3);
  return Array.from({ length: count }, (_, n) => first + ((start + n * 13) % pool));
}

/** Numbers, from 0, of the vulnerabilities of a package version: half have none. */
export function vulnerabilitiesOf(subject: number): readonly number[] {
  const count = [0, 0, 0, 0, 0, 1, 1, 1, 2, 3][Math.floor(hash01(subject * 31 + 7) * 10)]!;
  return Array.from({ length: count }, (_, n) => (subject * 7_919 + n * 104_729) % VULNERABILITIES);
}

export function vulnerabilityId(vulnerability: number): string {
  return `CVE-2024-${10_000 + vulnerability}`;
}

/** Index into {@link SEVERITIES}. */
export function severityOf(vulnerability: number): number {
  return [0, 1, 1, 1, 2, 2, 2, 2, 3, 3][vulnerability % 10]!;
}

export function countFindings(chain: number, subjects: number, isOs: boolean): readonly number[] {
  const counts = [0, 0, 0, 0];
  for (const subject of subjectsOf(chain, subjects, isOs)) {
    for (const vulnerability of vulnerabilitiesOf(subject)) counts[severityOf(vulnerability)]! += 1;
  }
  return counts;
}

function hash01(value: number): number {
  let hash = Math.imul(value ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** A row of numbers from 0 to 1 that is the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let count = seed;
  return () => hash01(count++);
}

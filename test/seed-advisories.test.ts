import { readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AdvisoryDatabase, openAdvisoryDatabase } from "@bulwark/advisory";
import { importAdvisories } from "@bulwark/advisory/maintain";
import { catalog } from "@bulwark/ecosystems";
import { afterAll, beforeAll, expect, test } from "vitest";

const FOLDER = join(import.meta.dirname, "../content/advisories");
const FILE = join(tmpdir(), `bulwark-seed-${process.pid}.db`);

/** OSV schema, "affected[].ranges[].type": only these registries order their versions by Semantic Versioning. */
const SEMVER_ECOSYSTEMS = new Set(["npm", "Go", "crates.io"]);
/** OSV schema, "references[].type": those that the records use. */
const REFERENCE_TYPES = ["ADVISORY", "EVIDENCE", "WEB"];
/** CVSS v3.1, "Vector String": the base metrics, each once and in order. */
const CVSS_BASE = /^CVSS:3\.[01]\/AV:[NALP]\/AC:[LH]\/PR:[NLH]\/UI:[NR]\/S:[UC]\/C:[HLN]\/I:[HLN]\/A:[HLN]$/;
const ID = /^(?:CVE-[0-9]{4}-[0-9]{4,}|MAL-[0-9]{4}-[0-9]+|BULWARK-MAL-[a-z0-9.-]+)$/;

interface SeedEvent {
  readonly introduced?: string;
  readonly fixed?: string;
}

interface Seed {
  readonly schema_version: string;
  readonly id: string;
  readonly modified: string;
  readonly published: string;
  readonly summary: string;
  readonly details: string;
  readonly severity: readonly { readonly type: string; readonly score: string }[];
  readonly aliases?: readonly string[];
  readonly affected: readonly {
    readonly package: { readonly ecosystem: string; readonly name: string };
    readonly ranges?: readonly { readonly type: string; readonly events: readonly SeedEvent[] }[];
    readonly versions?: readonly string[];
  }[];
  readonly references: readonly { readonly type: string; readonly url: string }[];
}

const seeds = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .map((name) => ({ name, seed: JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as Seed }));

let database: AdvisoryDatabase;
beforeAll(async () => {
  await importAdvisories({ database: FILE, catalog, files: [FOLDER], seed: true });
  database = openAdvisoryDatabase(FILE, catalog);
});
afterAll(() => {
  database.close();
  rmSync(FILE);
});

function flaws(ecosystem: string, name: string, version: string): readonly string[] {
  const normal = catalog.normalizeEcosystem(ecosystem) ?? "";
  const subject = { ecosystem: normal, name: catalog.normalizeName(normal, name), version };
  const [result] = database.match([subject]);
  expect(result?.undetermined ?? []).toEqual([]);
  return result?.matches.flatMap(({ id, advisories }) => [id, ...advisories]) ?? [];
}

/** Compares two versions by the order of their ecosystem; fails the test for what is no version there. */
function compare(ecosystem: string, a: string, b: string): number {
  const scheme = catalog.schemeOf(ecosystem);
  const [left, right] = [a, b].map((version) => scheme?.parse(version));
  expect(left, `${a} as a version of ${ecosystem}`).toBeDefined();
  expect(right, `${b} as a version of ${ecosystem}`).toBeDefined();
  return scheme?.compare(left, right) ?? Number.NaN;
}

function isDay(time: string): boolean {
  const parsed = new Date(time);
  return (
    /T00:00:00Z$/.test(time) && !Number.isNaN(parsed.getTime()) && parsed.toISOString() === `${time.slice(0, -1)}.000Z`
  );
}

test.each(seeds)("$name is complete, well formed and dated", ({ name, seed }) => {
  expect(name).toBe(`${seed.id}.json`);
  expect(seed.id).toMatch(ID);
  expect(seed.schema_version).toMatch(/^1\.7\./);
  expect(seed.summary.length).toBeGreaterThan(10);
  expect(seed.summary.length).toBeLessThan(100);
  expect(isDay(seed.modified) && isDay(seed.published)).toBe(true);
  expect(Date.parse(seed.published)).toBeLessThanOrEqual(Date.parse(seed.modified));
  expect(seed.severity).toHaveLength(1);
  expect(seed.severity[0]).toEqual({ type: "CVSS_V3", score: expect.stringMatching(CVSS_BASE) });
  const aliases = seed.aliases ?? [];
  expect(new Set([seed.id, ...aliases]).size).toBe(aliases.length + 1);
});

test.each(seeds)("$name says what it is and what to do", ({ seed }) => {
  const sentences = seed.details.match(/[.!?](?= [A-Z]|$)/g) ?? [];
  expect(sentences.length).toBeGreaterThanOrEqual(2);
  expect(sentences.length).toBeLessThanOrEqual(4);
  expect(seed.details).toMatch(/\b(?:upgrade|move|pin|remove|go back)\b/i);
});

test.each(seeds)("$name has references, all by https and none twice", ({ seed }) => {
  const urls = seed.references.map(({ url }) => url);
  expect(urls.length).toBeGreaterThan(0);
  expect(new Set(urls).size).toBe(urls.length);
  for (const url of urls) expect(new URL(url).protocol).toBe("https:");
  for (const { type } of seed.references) expect(REFERENCE_TYPES).toContain(type);
  if (seed.id.startsWith("CVE-")) expect(urls).toContain(`https://nvd.nist.gov/vuln/detail/${seed.id}`);
});

test.each(seeds)("$name has ranges that its ecosystems can order", ({ seed }) => {
  expect(seed.affected.length).toBeGreaterThan(0);
  for (const { package: subject, ranges = [], versions = [] } of seed.affected) {
    const { ecosystem } = subject;
    expect(catalog.normalizeEcosystem(ecosystem), ecosystem).toBeDefined();
    expect(subject.name).not.toBe("");
    expect(ranges.length + versions.length).toBeGreaterThan(0);
    for (const version of versions) expect(compare(ecosystem, version, version)).toBe(0);
    for (const { type, events } of ranges) {
      expect(type).toBe(SEMVER_ECOSYSTEMS.has(ecosystem) ? "SEMVER" : "ECOSYSTEM");
      // One pair a range: where a fix is missing the next branch cannot be taken for its end.
      expect(events.map((event) => Object.keys(event).join())).toEqual(["introduced", "fixed"].slice(0, events.length));
      expect(events.length).toBeGreaterThan(0);
      const [introduced = "", fixed] = events.map((event) => event.introduced ?? event.fixed ?? "");
      if (introduced !== "0") expect(compare(ecosystem, introduced, introduced)).toBe(0);
      if (fixed === undefined) continue;
      expect(compare(ecosystem, introduced === "0" ? fixed : introduced, fixed)).toBeLessThanOrEqual(0);
      if (introduced !== "0") expect(compare(ecosystem, introduced, fixed)).toBeLessThan(0);
    }
  }
});

test.each(seeds)("$name holds where it begins and not where it is fixed", ({ seed }) => {
  for (const { package: subject, ranges = [], versions = [] } of seed.affected) {
    for (const version of versions) expect(flaws(subject.ecosystem, subject.name, version)).toContain(seed.id);
    for (const { introduced, fixed } of ranges.flatMap(({ events }) => events)) {
      const start = introduced === "0" ? undefined : introduced;
      if (start !== undefined) expect(flaws(subject.ecosystem, subject.name, start)).toContain(seed.id);
      if (fixed !== undefined) expect(flaws(subject.ecosystem, subject.name, fixed)).not.toContain(seed.id);
    }
  }
});

test("no two records have the same id or alias, and the database says that it is the seed", () => {
  const names = seeds.flatMap(({ seed }) => [seed.id, ...(seed.aliases ?? [])]);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(database.info).toMatchObject({ records: seeds.length, seedOnly: true });
  expect(seeds.length).toBeGreaterThanOrEqual(60);
});

// Versions inside and outside, written down by hand: a wrong range or a wrong order shows here.
test.each([
  ["Maven", "org.apache.logging.log4j:log4j-core", "2.14.1", "2.15.0", "CVE-2021-44228"],
  ["Maven", "org.apache.logging.log4j:log4j-core", "2.3", "2.3.1", "CVE-2021-44228"],
  ["Maven", "org.apache.struts:struts2-core", "2.3.31", "2.5.13", "CVE-2017-5638"],
  ["Maven", "org.springframework:spring-beans", "5.2.19.RELEASE", "5.2.20.RELEASE", "CVE-2022-22965"],
  ["Maven", "com.fasterxml.jackson.core:jackson-databind", "2.9.9", "2.9.10", "CVE-2019-12384"],
  ["Maven", "org.apache.tomcat:tomcat-coyote", "9.0.30", "10.0.0", "CVE-2020-1938"],
  ["npm", "lodash", "4.17.4", "4.17.21", "CVE-2019-10744"],
  ["npm", "event-stream", "3.3.6", "3.3.5", "BULWARK-MAL-event-stream"],
  ["npm", "chalk", "5.6.1", "5.6.2", "BULWARK-MAL-chalk"],
  ["npm", "next", "15.3.5", "14.2.25", "CVE-2025-55182"],
  ["PyPI", "django", "2.2.0", "3.0", "CVE-2019-14234"],
  ["PyPI", "pyyaml", "5.3.1", "6.0", "CVE-2020-14343"],
  ["Go", "golang.org/x/text", "v0.3.0", "v0.3.3", "CVE-2020-14040"],
  ["Go", "stdlib", "1.20.1", "1.19.9", "CVE-2023-24538"],
  ["Go", "github.com/opencontainers/runc", "v1.1.11", "v1.0.0-rc92", "CVE-2024-21626"],
  ["crates.io", "time", "0.1.43", "0.2.3", "CVE-2020-26235"],
  ["crates.io", "time", "0.2.22", "0.3.36", "CVE-2020-26235"],
  ["RubyGems", "rest-client", "1.6.10", "1.6.9", "CVE-2019-15224"],
  ["Packagist", "phpunit/phpunit", "5.6.2", "4.8.18", "CVE-2017-9841"],
  ["NuGet", "newtonsoft.json", "12.0.1", "13.0.3", "CVE-2024-21907"],
  ["Debian:12", "openssh", "1:9.2p1-2", "1:9.2p1-2+deb12u7", "CVE-2024-6387"],
  ["Debian:13", "xz-utils", "5.6.0-0.2", "5.8.1-1", "CVE-2024-3094"],
  ["Ubuntu:20.04", "sudo", "1.8.31-1ubuntu1", "1.8.31-1ubuntu1.5", "CVE-2021-3156"],
  ["Alpine:v3.20", "xz", "5.6.1-r0", "5.6.1-r1", "CVE-2024-3094"],
  ["Bitnami", "openssl", "1.0.1f", "1.0.2", "CVE-2014-0160"],
  ["Bitnami", "bash", "4.3.24", "4.4.0", "CVE-2014-6271"],
  ["Bitnami", "node", "20.8.0", "18.18.2", "CVE-2023-44487"],
  ["Bitnami", "java", "17.0.2", "11.0.14", "CVE-2022-21449"],
])("%s %s %s is inside and %s outside of %s", (ecosystem, name, inside, outside, id) => {
  expect(flaws(ecosystem, name, inside)).toContain(id);
  expect(flaws(ecosystem, name, outside)).not.toContain(id);
});

test.each([
  ["Maven", "org.apache.logging.log4j:log4j-core", "2.17.1"],
  ["npm", "event-stream", "3.3.5"],
  ["Debian:12", "openssh", "1:9.2p1-2+deb12u7"],
  ["Debian:12", "bash", "5.2.15-2"],
  ["Debian:12", "openssl", "3.0.11-1~deb12u2"],
  ["Go", "stdlib", "1.22.4"],
])("%s %s %s has none", (ecosystem, name, version) => {
  expect(flaws(ecosystem, name, version)).toEqual([]);
});

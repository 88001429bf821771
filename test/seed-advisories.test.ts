import { readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AdvisoryDatabase, openAdvisoryDatabase } from "@bulwark/advisory";
import { importAdvisories } from "@bulwark/advisory/maintain";
import { catalog } from "@bulwark/ecosystems";
import { afterAll, beforeAll, expect, test } from "vitest";

const FOLDER = join(import.meta.dirname, "../content/advisories");
const FILE = join(tmpdir(), `bulwark-seed-${process.pid}.db`);

interface Seed {
  readonly id: string;
  readonly modified: string;
  readonly published: string;
  readonly summary: string;
  readonly details: string;
  readonly severity: readonly { readonly score: string }[];
  readonly aliases?: readonly string[];
  readonly affected: readonly {
    readonly package: { readonly ecosystem: string; readonly name: string };
    readonly ranges?: readonly {
      readonly events: readonly { readonly introduced?: string; readonly fixed?: string }[];
    }[];
    readonly versions?: readonly string[];
  }[];
  readonly references: readonly { readonly url: string }[];
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

test.each(seeds)("$name is complete, well formed and dated", ({ name, seed }) => {
  expect(name).toBe(`${seed.id}.json`);
  expect(seed.summary.length).toBeLessThan(100);
  expect(seed.details.length).toBeGreaterThan(60);
  for (const time of [seed.modified, seed.published]) expect(Date.parse(time)).not.toBeNaN();
  for (const { url } of seed.references) expect(new URL(url).protocol).toBe("https:");
  expect(seed.references.length).toBeGreaterThan(0);
  expect(seed.severity[0]?.score).toMatch(/^CVSS:3\.[01]\/(?:[A-Z]+:[A-Z]\/?){8}$/);
  for (const { package: subject } of seed.affected) expect(catalog.normalizeEcosystem(subject.ecosystem)).toBeDefined();
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

test("no two records have the same id, and the database says that it is the seed", () => {
  expect(new Set(seeds.map(({ seed }) => seed.id)).size).toBe(seeds.length);
  expect(database.info).toMatchObject({ records: seeds.length, seedOnly: true });
  expect(seeds.length).toBeGreaterThanOrEqual(60);
});

test.each([
  ["Maven", "org.apache.logging.log4j:log4j-core", "2.14.1", "CVE-2021-44228"],
  ["Maven", "org.apache.struts:struts2-core", "2.3.31", "CVE-2017-5638"],
  ["npm", "lodash", "4.17.4", "CVE-2019-10744"],
  ["npm", "event-stream", "3.3.6", "BULWARK-MAL-event-stream"],
  ["PyPI", "django", "2.2.0", "CVE-2019-14234"],
  ["PyPI", "torchtriton", "2.0.0", "BULWARK-MAL-torchtriton"],
  ["Go", "golang.org/x/text", "v0.3.0", "CVE-2020-14040"],
  ["Go", "stdlib", "1.20.1", "CVE-2023-24538"],
  ["Go", "github.com/opencontainers/runc", "v1.1.11", "CVE-2024-21626"],
  ["crates.io", "time", "0.1.43", "CVE-2020-26235"],
  ["RubyGems", "rest-client", "1.6.10", "CVE-2019-15224"],
  ["Packagist", "phpunit/phpunit", "5.6.2", "CVE-2017-9841"],
  ["NuGet", "newtonsoft.json", "12.0.1", "CVE-2024-21907"],
  ["Debian:12", "openssh", "1:9.2p1-2", "CVE-2024-6387"],
  ["Alpine:v3.20", "xz", "5.6.1-r0", "CVE-2024-3094"],
  ["Bitnami", "openssl", "1.0.1f", "CVE-2014-0160"],
])("%s %s %s has %s", (ecosystem, name, version, id) => {
  expect(flaws(ecosystem, name, version)).toContain(id);
});

test.each([
  ["Maven", "org.apache.logging.log4j:log4j-core", "2.17.1"],
  ["npm", "event-stream", "3.3.5"],
  ["Debian:12", "openssh", "1:9.2p1-2+deb12u7"],
  ["Debian:12", "bash", "5.2.15-2"],
  ["Debian:12", "openssl", "3.0.11-1~deb12u2"],
  ["Go", "stdlib", "1.21.3"],
])("%s %s %s has none", (ecosystem, name, version) => {
  expect(flaws(ecosystem, name, version)).toEqual([]);
});

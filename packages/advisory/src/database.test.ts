import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AdvisorySubject, VersionScheme } from "@bulwark/model";
import { afterAll, expect, test } from "vitest";
import { openAdvisoryDatabase } from "./database.ts";
import { importAdvisories } from "./import.ts";
import { plainCatalog, plainVersions } from "./testing/catalog.ts";
import { affected, osv, range } from "./testing/records.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-advisory-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

async function matchesOf(
  records: readonly object[],
  subject: Partial<AdvisorySubject> = {},
  ...feeds: readonly string[]
) {
  const [database, feed] = [join(folder, `${++files}.db`), join(folder, `${files}.json`)];
  writeFileSync(feed, JSON.stringify(records));
  await importAdvisories({ database, catalog: plainCatalog, files: [feed, ...feeds] });
  const opened = openAdvisoryDatabase(database, plainCatalog);
  const [result] = opened.match([{ ecosystem: "npm", name: "thing", version: "1.0", ...subject }]);
  opened.close();
  return result ?? { subject: 0, matches: [], undetermined: [] };
}

test("a record that holds the version is a match with its fix", async () => {
  const { matches } = await matchesOf([osv("GHSA-1", { aliases: ["CVE-2026-1000"] })]);
  expect(matches).toMatchObject([
    {
      id: "CVE-2026-1000",
      aliases: ["GHSA-1"],
      advisories: ["GHSA-1"],
      fixedVersion: "2.0",
      status: "fixed",
      title: "About GHSA-1",
    },
  ]);
});

test("records that share a name are one flaw, with the highest of their fixes", async () => {
  const { matches } = await matchesOf([
    osv("GHSA-1", { aliases: ["CVE-2026-1000"] }),
    osv("PYSEC-1", {
      aliases: ["GHSA-1"],
      affected: [affected({ ranges: [range({ introduced: "0" }, { fixed: "3.0" })] })],
    }),
    osv("DEBIAN-CVE-2026-1000"),
    osv("OTHER-1"),
  ]);
  expect(matches.map(({ id, advisories, fixedVersion }) => [id, advisories.length, fixedVersion])).toEqual([
    ["CVE-2026-1000", 3, "3.0"],
    ["OTHER-1", 1, "2.0"],
  ]);
});

test("a record that fixes several flaws counts for each of them", async () => {
  const { matches } = await matchesOf([
    osv("DSA-1", { upstream: ["CVE-2026-1000", "CVE-2026-1001"] }),
    osv("ALSA-1", { related: ["CVE-2026-1001", "CVE-2026-1002"] }),
    osv("DEBIAN-CVE-2026-1000", { upstream: ["CVE-2026-1000"] }),
  ]);
  expect(matches.map(({ id, advisories }) => [id, advisories])).toEqual([
    ["CVE-2026-1000", ["DEBIAN-CVE-2026-1000", "DSA-1"]],
    ["CVE-2026-1001", ["ALSA-1", "DSA-1"]],
    ["CVE-2026-1002", ["ALSA-1"]],
  ]);
});

test("versions that are listed match beside ranges, by their text", async () => {
  const listed = [affected({ versions: ["1.0", "nightly"], ranges: [range({ introduced: "5.0" })] })];
  expect((await matchesOf([osv("X-1", { affected: listed })])).matches).toHaveLength(1);
  expect((await matchesOf([osv("X-1", { affected: listed })], { version: "nightly" })).matches).toHaveLength(1);
  expect((await matchesOf([osv("X-1", { affected: listed })], { version: "1.1" })).matches).toHaveLength(0);
});

test("a row with one fix is ruled out by it, unless it also lists versions", async () => {
  for (const [version, count] of [
    ["1.9", 1],
    ["2.0", 0],
    ["2.1", 0],
  ] as const) {
    expect((await matchesOf([osv("X-1")], { version })).matches).toHaveLength(count);
    const listed = [affected({ versions: ["2.1"] })];
    expect((await matchesOf([osv("X-1", { affected: listed })], { version })).matches).toHaveLength(
      version === "2.1" ? 1 : count,
    );
  }
});

test("commits, withdrawn records and unknown ecosystems match nothing", async () => {
  const git = affected({ ranges: [{ type: "GIT", repo: "https://x", events: [{ introduced: "0" }] }] });
  const elsewhere = affected({ package: { ecosystem: "Unknown", name: "thing" } });
  const records = [
    osv("X-1", { affected: [git] }),
    osv("X-2", { withdrawn: "2026-01-02T00:00:00Z" }),
    osv("X-3", { affected: [elsewhere] }),
  ];
  expect((await matchesOf(records)).matches).toEqual([]);
});

test("a version that cannot be compared is undetermined with the record's name", async () => {
  const { matches, undetermined } = await matchesOf([osv("X-1")], { version: "latest" });
  expect(matches).toEqual([]);
  expect(undetermined).toEqual([{ advisory: "X-1", why: '"latest" is no plain version' }]);
});

test.each([
  [{}, "open"],
  [{ ecosystem_specific: { tag: "ignored" } }, "no-fix-planned"],
  [{ ecosystem_specific: { tag: "no-dsa" } }, "no-fix-planned"],
  [{ ecosystem_specific: { urgency: "unimportant" } }, "no-fix-planned"],
  [{ ecosystem_specific: { status: "not affected" } }, "not-affected"],
])("what the packager decided is kept: %j is %s", async (fields, status) => {
  const { matches } = await matchesOf([
    osv("X-1", { affected: [affected({ ranges: [range({ introduced: "0" })], ...fields })] }),
  ]);
  expect(matches).toMatchObject([{ status }]);
});

test("a packager's word that a package is not affected outweighs other records of the flaw", async () => {
  const denied = osv("DEBIAN-CVE-2026-1000", {
    affected: [],
    database_specific: { not_affected: [{ ecosystem: "npm", name: "thing" }] },
  });
  const { matches } = await matchesOf([osv("GHSA-1", { aliases: ["CVE-2026-1000"] }), denied]);
  expect(matches).toMatchObject([{ id: "CVE-2026-1000", status: "not-affected" }]);
});

test.each([
  ["a vector", { severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }] }, "critical"],
  ["a word", { database_specific: { severity: "MODERATE" } }, "medium"],
  [
    "the packager's urgency before a vector",
    {
      severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
      affected: [affected({ ecosystem_specific: { urgency: "low" } })],
    },
    "low",
  ],
  ["an impact in the summary", { summary: "Important: thing security update" }, "high"],
  ["nothing", {}, "unknown"],
  ["a malicious package", { id: "MAL-2026-1" }, "critical"],
])("severity comes from %s", async (_what, fields, severity) => {
  expect((await matchesOf([osv("X-1", fields)])).matches).toMatchObject([{ severity }]);
});

test("a record without a rating takes that of another record of the flaw", async () => {
  const rated = osv("GHSA-1", {
    aliases: ["CVE-2026-1000"],
    affected: [affected({ package: { ecosystem: "npm", name: "other" } })],
    severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" }],
  });
  const { matches } = await matchesOf([osv("DEBIAN-CVE-2026-1000"), rated]);
  expect(matches).toMatchObject([{ severity: "high", cvss: { score: 7.5 } }]);
});

test("rpm modules are told apart", async () => {
  const modular = osv("ALSA-1", {
    summary: "Important: nodejs:18 security update",
    affected: [affected({ ranges: [range({ introduced: "0" }, { fixed: "1:18.2-1.module_el8.9.0+1+abc" })] })],
  });
  expect((await matchesOf([modular])).matches).toEqual([]);
  expect((await matchesOf([modular], { module: "nodejs:20" })).matches).toEqual([]);
  expect((await matchesOf([modular], { module: "nodejs:18" })).undetermined).toHaveLength(1);
});

test("known exploitation, prediction and public exploits raise the priority, with reasons", async () => {
  const [kev, epss] = [join(folder, "kev.json"), join(folder, "epss.csv")];
  const listed = {
    cveID: "CVE-2026-1000",
    dateAdded: "2026-01-02",
    dueDate: "2026-01-23",
    knownRansomwareCampaignUse: "Known",
  };
  writeFileSync(kev, JSON.stringify({ dateReleased: "2026-02-01", vulnerabilities: [listed] }, null, 2));
  writeFileSync(
    epss,
    "#model_version:v1,score_date:2026-02-01T00:00:00Z\ncve,epss,percentile\nCVE-2026-1000,0.25,0.97\nCVE-2026-1001,7,0.1\n",
  );
  const evidence = [{ type: "EVIDENCE", url: "https://example.org/poc" }];
  const records = [osv("CVE-2026-1000", { references: evidence }), osv("CVE-2026-1001")];
  const { matches } = await matchesOf(records, {}, kev, epss);
  const [exploited, other] = matches;
  expect(exploited).toMatchObject({
    kev: { added: "2026-01-02", due: "2026-01-23", ransomware: true },
    epss: { score: 0.25, percentile: 0.97 },
    publicExploit: true,
  });
  expect(exploited?.priority.reasons).toEqual([
    "unknown severity",
    "exploited in ransomware campaigns",
    "EPSS 25 %",
    "public exploit",
    "a fix exists",
  ]);
  expect(other?.epss).toBeUndefined();
  expect(exploited?.priority.score).toBeGreaterThan((other?.priority.score ?? 0) + 40);
});

test("a database that lost records says so instead of finding nothing", async () => {
  await matchesOf([osv("X-1")]);
  const file = join(folder, `${files}.db`);
  const broken = new DatabaseSync(file);
  broken.exec("DELETE FROM block");
  broken.close();
  const opened = openAdvisoryDatabase(file, plainCatalog);
  const subjects = [{ ecosystem: "npm", name: "thing", version: "1.0" }];
  expect(() => opened.match(subjects)).toThrow(expect.objectContaining({ code: "DATABASE_DAMAGED" }));
  opened.close();
});

test("a file that is no database of ours is refused with what to do", () => {
  const junk = join(folder, "junk.db");
  writeFileSync(junk, "not a database");
  expect(() => openAdvisoryDatabase(junk, plainCatalog)).toThrow(expect.objectContaining({ code: "DATABASE_DAMAGED" }));
  expect(() => openAdvisoryDatabase(join(folder, "none.db"), plainCatalog)).toThrow(
    expect.objectContaining({ code: "DATABASE_MISSING", next: "run: bulwark db update" }),
  );
});

test.each([
  ["1.0", "1.0.0"],
  ["1.0.0", "1.0"],
])("a list that names %s holds %s, which is the same version", async (listed, version) => {
  const malicious = osv("MAL-2026-1", { affected: [affected({ ranges: [], versions: ["0.9", listed] })] });
  expect((await matchesOf([malicious], { version })).matches).toHaveLength(1);
  expect((await matchesOf([malicious], { version: "1.1" })).matches).toEqual([]);
});

test("a fix in version 0 means that no version has the flaw, not even one ordered before 0", async () => {
  const [database, feed] = [join(folder, `${++files}.db`), join(folder, `${files}.json`)];
  const scheme = {
    ...plainVersions,
    parse: (version: string) => (version === "0~git" ? [-1] : plainVersions.parse(version)),
  };
  const catalog = { ...plainCatalog, schemeOf: () => scheme as VersionScheme };
  const ranges = [range({ introduced: "0" }, { fixed: "0" })];
  writeFileSync(feed, JSON.stringify([osv("DEBIAN-CVE-2026-1000", { affected: [affected({ ranges })] })]));
  await importAdvisories({ database, catalog, files: [feed] });
  const opened = openAdvisoryDatabase(database, catalog);
  expect(opened.match([{ ecosystem: "npm", name: "thing", version: "0~git" }])[0]?.matches ?? []).toEqual([]);
  opened.close();
});

test.each([
  [[range({ introduced: "1.0" }, { fixed: "1.1" }), range({ introduced: "1.1" }, { fixed: "1.2" })], "1.2"],
  [[range({ introduced: "1.0" }, { fixed: "1.1" }, { introduced: "1.1" }, { fixed: "1.2" })], "1.2"],
  [[range({ introduced: "1.0" }, { fixed: "1.1" }), range({ introduced: "1.1" })], ""],
  [[range({ introduced: "1.0" }, { fixed: "1.1" }), range({ introduced: "2.0" })], "1.1"],
])("a fix that another range of the record begins with is no fix: %j", async (ranges, fixedVersion) => {
  const { matches } = await matchesOf([osv("X-1", { affected: [affected({ ranges })] })]);
  expect(matches).toMatchObject([{ fixedVersion }]);
});

test("a record that speaks of a package twice is named once", async () => {
  const twice = osv("X-1", { affected: [affected(), affected({ ranges: [range({ introduced: "0" })] })] });
  expect((await matchesOf([twice])).matches).toMatchObject([{ advisories: ["X-1"], fixedVersion: "2.0" }]);
});

test.each([
  "ALSA-2026:1",
  "RXSA-2026:1",
  "SUSE-SU-2026:0001-1",
  "openSUSE-SU-2026:1-1",
  "OESA-2026-1001",
  "MGASA-2026-1",
])("%s counts for the flaws it names as related", async (id) => {
  const { matches } = await matchesOf([osv(id, { related: ["CVE-2026-1001"] })]);
  expect(matches.map(({ id: flaw }) => flaw)).toEqual(["CVE-2026-1001"]);
});

test("what is merely related to a record of a registry is another flaw", async () => {
  const { matches } = await matchesOf([osv("GHSA-1", { related: ["CVE-2026-1001"] })]);
  expect(matches.map(({ id }) => id)).toEqual(["GHSA-1"]);
});

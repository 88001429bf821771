import type { AdvisoryDatabase, SubjectMatches } from "@bulwark/advisory";
import type { AdvisoryMatch, AdvisorySubject, Image, PackageFact } from "@bulwark/model";
import { expect, test } from "vitest";
import { namePackages } from "./found-package.ts";
import { fact } from "./testing/layers.ts";
import { findVulnerabilities } from "./vulnerabilities.ts";

const MATCH: AdvisoryMatch = {
  id: "CVE-2026-1000",
  aliases: [],
  advisories: ["X-1"],
  severity: "high",
  title: "About it",
  fixedVersion: "2.0",
  status: "fixed",
  range: "fixed 2.0",
  publicExploit: false,
  malicious: false,
  references: [],
  priority: { score: 45, reasons: ["high severity"] },
};

/** A database that knows some ecosystems and answers every subject alike. */
function database(ecosystems: readonly string[], answer: Partial<SubjectMatches> = { matches: [MATCH] }) {
  const asked: AdvisorySubject[] = [];
  const opened: AdvisoryDatabase = {
    info: { built: "", records: 1, seedOnly: false },
    match(subjects) {
      for (const subject of subjects) asked.push(subject);
      return subjects.map((_, subject) => ({ subject, matches: [], undetermined: [], ...answer }));
    },
    status: () => ({
      ecosystems: ecosystems.map((ecosystem) => ({ ecosystem, records: 1 })),
      sources: [],
      knownExploited: 0,
      predictions: 0,
    }),
    close() {},
  };
  return { opened, asked };
}

const layer = (index: number, origin: "base" | "own") => ({
  index,
  diffId: "",
  digest: "",
  size: 0,
  createdBy: `RUN step ${index}`,
  origin,
});
const IMAGE: Image = {
  reference: "app:1",
  digest: "",
  platform: "",
  os: { id: "debian", versionId: "12", name: "Debian 12" },
  created: "",
  size: 0,
  layers: [layer(0, "base"), layer(1, "own")],
  base: { reference: "debian:12", digest: "", how: "flag" },
};

function find(
  facts: readonly (PackageFact & { at?: string; in?: number })[],
  using = database(["Debian:12", "npm"]),
  image = IMAGE,
) {
  const merged = facts.map(({ at = "x", in: index = 0, ...rest }) => ({ fact: rest, path: at, layer: index }));
  return findVulnerabilities(namePackages(merged, image.os), image, using.opened);
}

const deb = (name: string, source?: string): PackageFact =>
  fact(name, "1.0", { type: "deb", ...(source === undefined ? {} : { source: { name: source, version: "1.0" } }) });

test("binaries of one source package share a finding, which names them all", () => {
  const using = database(["Debian:12"]);
  const { findings } = find([deb("libssl3", "openssl"), deb("openssl")], using);
  expect(using.asked).toHaveLength(1);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ package: { name: "openssl" }, evidence: { packages: ["libssl3", "openssl"] } });
});

test("copies in one layer share a finding, installed before locked; copies in another layer have their own", () => {
  const installed = { ...fact("lodash"), at: "app/node_modules/lodash/package.json", in: 1 };
  const locked = { ...fact("lodash", "1.0", { evidence: "locked" as const }), at: "app/a-lock.json", in: 1 };
  const { findings } = find([locked, installed, { ...installed, at: "base/package.json", in: 0 }]);
  expect(findings.map(({ layer: index, path, evidence }) => [index, path, evidence?.paths])).toEqual([
    [0, "/base/package.json", undefined],
    [1, "/app/node_modules/lodash/package.json", ["/app/a-lock.json"]],
  ]);
});

test("advice names who has to act: the base is rebuilt, an own layer is fixed where it is", () => {
  const { findings } = find([
    { ...fact("a"), in: 0 },
    { ...fact("b"), in: 1 },
  ]);
  expect(findings.map(({ origin, advice }) => [origin, advice])).toEqual([
    [
      "base",
      "Rebuild on a version of debian:12 with a 2.0 or later; until there is one, upgrade a in a layer of your own.",
    ],
    ["own", "Upgrade b to 2.0 or later in layer 1 (RUN step 1)."],
  ]);
});

test("advice names the package that is installed, and the source whose version is meant", () => {
  const { findings } = find([{ ...deb("libc6", "glibc"), in: 1 }]);
  expect(findings[0]?.advice).toBe("Upgrade libc6 (source glibc) to 2.0 or later in layer 1 (RUN step 1).");
});

test.each([
  [{ fixedVersion: "", status: "open" as const }, /There is no fixed version yet/],
  [{ fixedVersion: "", status: "no-fix-planned" as const }, /plans no fix/],
  [{ malicious: true }, /Remove .* change every credential/],
])("advice for %j fits", (fields, advice) => {
  const { findings } = find([fact("a")], database(["npm"], { matches: [{ ...MATCH, ...fields }] }));
  expect(findings[0]?.advice).toMatch(advice);
});

test("what a packager declares not affected is not reported", () => {
  expect(find([fact("a")], database(["npm"], { matches: [{ ...MATCH, status: "not-affected" }] })).findings).toEqual(
    [],
  );
});

test.each([
  ["an ecosystem the database knows nothing about", [fact("a")], database([], {}), IMAGE, /holds nothing about npm/],
  [
    "an unknown distribution",
    [deb("a")],
    database(["npm"]),
    { ...IMAGE, os: { id: "nobody", versionId: "1", name: "" } },
    /not judged/,
  ],
  ["no operating system", [deb("a")], database(["npm"]), { ...IMAGE, os: null }, /not judged/],
  [
    "a version that cannot be compared",
    [fact("a")],
    database(["npm"], { undetermined: [{ advisory: "X-1", why: "no version" }] }),
    IMAGE,
    /X-1 could not be judged: no version/,
  ],
])("%s is a problem, never silence", (_what, facts, using, image, what) => {
  const { problems } = find(facts, using, image as Image);
  expect(problems.map((problem) => problem.what)).toEqual([expect.stringMatching(what)]);
});

test("a vendor's product that the database does not know is no problem as long as it knows another of the release", () => {
  const sles: Image = { ...IMAGE, os: { id: "sles", versionId: "15.5", name: "SLES" } };
  const rpm = fact("bash", "1.0", { type: "rpm" });
  const one = database(["SUSE:Linux Enterprise Module for Basesystem 15 SP5"], {});
  expect(find([rpm], one, sles).problems).toEqual([]);
  const none = find([rpm], database(["npm"], {}), sles).problems;
  expect(none.map(({ what }) => what)).toEqual([
    expect.stringMatching(/^1 package not judged: .* holds nothing about/),
  ]);
});

test("as many packages as an SBOM may hold can be left unjudged", () => {
  const facts = Array.from({ length: 200_000 }, (_, index) => fact(`p${index}`));
  expect(find(facts, database([], {})).problems).toHaveLength(1);
});

test("a version that is none is one problem, however many advisories it leaves open", () => {
  const undetermined = Array.from({ length: 7 }, (_, index) => ({ advisory: `X-${index}`, why: "no version" }));
  const { problems } = find([fact("a", "dev-main")], database(["npm"], { undetermined }));
  expect(problems.map(({ what }) => what)).toEqual([
    "a dev-main: X-0, X-1, X-2, X-3, X-4 and 2 more could not be judged: no version",
  ]);
});

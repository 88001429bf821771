import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { namePackages } from "../found-package.ts";
import { fact } from "../testing/layers.ts";
import { renderInput } from "../testing/report.ts";
import { findDenied, readDenyList } from "./deny-list.ts";
import { findImitations, findLookAlikes, readNames } from "./look-alikes.ts";
import { isOneEditAway, popularNames } from "./names.ts";

const { image } = renderInput().report;
const content = (name: string) =>
  readFileSync(join(import.meta.dirname, "../../../../content/components", name), "utf8");
const packagesOf = (...facts: ReturnType<typeof fact>[]) =>
  namePackages(
    facts.map((each) => ({ fact: each, path: "app/x", layer: 1 })),
    null,
  );

describe("a list of denied components", () => {
  const list = (entry: object) => readDenyList(JSON.stringify({ components: [entry] }), "deny.yaml");
  const struts = (version: string) => fact("struts2-core", version, { type: "maven", namespace: "org.apache.struts" });

  test("that ships finds Struts 2 in the versions it names and no others", () => {
    const shipped = readDenyList(content("deny.yaml"), "deny.yaml");
    const found = (version: string) => findDenied(packagesOf(struts(version)), shipped, image).length;
    expect(["2.3.31", "2.5.32", "6.1.0", "6.3.0.1"].map(found)).toEqual([1, 1, 1, 1]);
    expect(["2.5.33", "6.3.0.2", "7.0.0"].map(found)).toEqual([0, 0, 0]);
  });

  test("orders versions as their ecosystem does, and takes a version it cannot order for denied", () => {
    const python = list({ purl: "pkg:pypi/thing", versions: "<1.0", reason: "old" });
    const found = (version: string) =>
      findDenied(packagesOf(fact("thing", version, { type: "pypi" })), python, image).length;
    expect(["1.0rc1", "0.9", "1.0", "1.0.post1", "not a version"].map(found)).toEqual([1, 1, 0, 0, 1]);
  });

  test("may end a name with a star", () => {
    const group = list({ purl: "pkg:maven/org.evil/*", reason: "evil" });
    const of = (namespace: string) => fact("core", "1.0", { type: "maven", namespace });
    expect(findDenied(packagesOf(of("org.evil")), group, image)).toMatchObject([
      { id: "denied-component", path: "/app/x", layer: 1 },
    ]);
    expect(findDenied(packagesOf(of("org.evilness")), group, image)).toEqual([]);
  });

  test.each([
    ["components: 5", 'needs "components"'],
    ["components: [{purl: nonsense, reason: x}]", 'component 1 needs "purl"'],
    ["components: [{purl: 'pkg:npm/a@1', reason: x}]", "without a version"],
    ["components: [{purl: 'pkg:npm/a'}]", 'needs "reason"'],
    ["components: [{purl: 'pkg:npm/a', reason: x, versions: '<not!'}]", "compares with no npm version"],
    ["components: [{purl: 'pkg:npm/a', reason: x, sevrity: high}]", 'unknown key "sevrity"'],
    ["components: [", "deny.yaml"],
  ])("that is wrong is refused: %s", (text, message) => {
    expect(() => readDenyList(text, "deny.yaml")).toThrow(message);
  });
});

describe("names that look like others", () => {
  /** Slow reference: optimal string alignment by its definition. */
  function distance(a: string, b: string): number {
    const table = Array.from({ length: a.length + 1 }, (_, i) =>
      Array.from({ length: b.length + 1 }, (_unused, j) => (i === 0 ? j : j === 0 ? i : 0)),
    );
    for (let i = 1; i <= a.length; i++) {
      for (let j = 1; j <= b.length; j++) {
        const cost = a[i - 1] === b[j - 1] ? 0 : 1;
        let best = Math.min(table[i - 1]![j]! + 1, table[i]![j - 1]! + 1, table[i - 1]![j - 1]! + cost);
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
          best = Math.min(best, table[i - 2]![j - 2]! + 1);
        table[i]![j] = best;
      }
    }
    return table[a.length]![b.length]!;
  }
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 7 });

  test("are one edit apart exactly when the slow way says so", () => {
    fc.assert(
      fc.property(word, word, (a, b) => isOneEditAway(a, b) === (distance(a, b) === 1)),
      { numRuns: 2_000 },
    );
  });

  test("are found among many exactly when comparing with each finds one", () => {
    const long = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 5, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(long, { maxLength: 20 }), long, (names, name) => {
        const expected = !names.includes(name) && names.some((each) => distance(each, name) === 1);
        expect(popularNames(names, new Set()).resembles(name) !== undefined).toBe(expected);
      }),
    );
  });

  const names = {
    popular: {
      npm: readNames(content("popular/npm.txt")),
      pypi: readNames(content("popular/pypi.txt")),
      images: readNames(content("popular/images.txt")),
    },
    honest: readNames(content("neighbours.txt")),
  };
  const imitated = (name: string, type: "npm" | "pypi", namespace = "") =>
    findLookAlikes(packagesOf(fact(name, "1.0", { type, namespace })), names, image).map(
      ({ title }) => title.split(" for ")[1],
    );

  test.each([
    ["crossenv", "npm", "cross-env"],
    ["lodahs", "npm", "lodash"],
    ["expresss", "npm", "express"],
    ["electorn", "npm", "electron"],
    ["jeIlyfish".toLowerCase(), "pypi", undefined],
    ["python3-dateutil", "pypi", "python-dateutil"],
    ["djanga", "pypi", "django"],
    ["reqeusts", "pypi", "requests"],
    ["urllib", "pypi", "urllib3"],
  ] as const)("%s of %s imitates %s", (name, type, expected) => {
    expect(imitated(name, type)).toEqual(expected === undefined ? [] : [expected]);
  });

  test("do not include popular names themselves, honest neighbours and names within a scope", () => {
    for (const name of ["react", "preact", "vuex", "mysql2", "express"]) expect(imitated(name, "npm")).toEqual([]);
    expect(imitated("lodahs", "npm", "@acme")).toEqual([]);
  });

  test.each([
    ["docker.io/libary/nginx:1", "docker.io/library/nginx"],
    ["docker.io/someone/ngnix", "docker.io/library/nginx"],
    ["quay.oi/team/app:1", "quay.io"],
    ["docker.io/library/ubunut@sha256:00", "docker.io/library/ubuntu"],
    ["docker.io/library/nginx:1.27", undefined],
    ["docker.io/bitnami/nginx:1", undefined],
    ["registry.example/team/ngnix:1", undefined],
    ["", undefined],
  ])("the image %s imitates %s", (reference, expected) => {
    const titles = findImitations([reference], names, image).map(({ title }) => title.split(" for ")[1]);
    expect(titles).toEqual(expected === undefined ? [] : [expected]);
  });
});

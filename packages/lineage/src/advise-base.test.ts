import { expect, test } from "vitest";
import { adviseBase, type BaseCandidate, type BaseNeed } from "./advise-base.ts";

const base = (id: string, more: Partial<BaseCandidate<string>> = {}): BaseCandidate<string> => ({
  id,
  platform: "linux/amd64",
  os: { id: "debian", versionId: "12" },
  libc: "glibc",
  runtimes: [{ name: "node", version: "20.11.1" }],
  packages: new Set(["openssl", "tzdata"]),
  risk: 10,
  sizeBytes: 100,
  ...more,
});

const fits = (need: BaseNeed, candidate: BaseCandidate<string>) => adviseBase(need, [candidate]).fitting.length === 1;

test("of the bases that will do the one with the least risk is best, then the smallest, then the first", () => {
  const golden = [
    base("small", { sizeBytes: 9 }),
    base("safe", { risk: 1 }),
    base("first"),
    base("second"),
    base("safest", { risk: 0, packages: new Set() }),
  ];
  const { fitting, refused } = adviseBase({ packages: ["openssl"] }, golden);
  expect(fitting.map(({ id }) => id)).toEqual(["safe", "small", "first", "second"]);
  expect(refused).toMatchObject([
    { candidate: { id: "safest" }, misfits: [{ what: "package", needed: "openssl", found: "" }] },
  ]);
});

test("a base that will not do is told with all its reasons", () => {
  const need: BaseNeed = {
    platform: "linux/arm64",
    os: { id: "alpine", versionId: "3.20" },
    libc: "musl",
    runtimes: [{ name: "node", version: "22" }, { name: "python" }],
  };
  expect(adviseBase(need, [base("debian")]).refused[0]?.misfits).toEqual([
    { what: "platform", needed: "linux/arm64", found: "linux/amd64" },
    { what: "os", needed: "alpine 3.20", found: "debian 12" },
    { what: "libc", needed: "musl", found: "glibc" },
    { what: "runtime", needed: "node 22", found: "node 20.11.1" },
    { what: "runtime", needed: "python", found: "" },
  ]);
});

test.each([
  ["debian", "12", "12.5", true],
  ["debian", "12.1", "12.5", true],
  ["debian", "12", "13", false],
  ["debian", "1", "12", false],
  ["debian", undefined, "13", true],
  ["ubuntu", "24.04", "24.10", false],
  ["ubuntu", "24.04", "24.04.1", true],
  ["alpine", "3.20.1", "3.20.3", true],
  ["alpine", "3.20", "3.21", false],
])("%s %s is served by %s: %s", (id, versionId, found, expected) => {
  expect(fits({ os: { id, versionId } }, base("base", { os: { id, versionId: found } }))).toBe(expected);
});

test.each([
  ["20", true],
  ["20.11", true],
  ["20.11.1", true],
  ["2", false],
  ["20.1", false],
  ["", true],
])("a runtime of version 20.11.1 is within %s: %s", (version, expected) => {
  expect(fits({ runtimes: [{ name: "node", version }] }, base("base"))).toBe(expected);
});

test("who needs nothing is served by anything, and nothing serves where there is nothing", () => {
  expect(fits({}, base("base", { libc: undefined, runtimes: [], packages: new Set() }))).toBe(true);
  expect(adviseBase({}, [])).toEqual({ fitting: [], refused: [] });
});

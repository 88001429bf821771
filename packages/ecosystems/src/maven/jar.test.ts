import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage, tornPieces } from "../testing/analyze.ts";
import { zipOf } from "../testing/zip-writer.ts";
import { jar } from "./jar.ts";
import { knownJars } from "./known-jars.ts";

const pom = (group: string, artifact: string, version: string) => ({
  [`META-INF/maven/${group}/${artifact}/pom.properties`]: `#made\nversion=${version}\ngroupId=${group}\nartifactId=${artifact}\n`,
});

function found(path: string, content: Uint8Array): readonly string[] {
  const { packages = [] } = analyze(jar, path, content);
  return packages.map(
    ({ namespace, name, version, inner = "", evidence }) => `${namespace}:${name}:${version} ${evidence} ${inner}`,
  );
}

const log4j = zipOf(pom("org.apache.logging.log4j", "log4j-core", "2.14.1"));

test("Maven's properties name a jar", () => {
  expect(found("app/log4j-core-2.14.1.jar", log4j)).toEqual(["org.apache.logging.log4j:log4j-core:2.14.1 installed "]);
  expect(found("app/renamed.jar", log4j)).toEqual(["org.apache.logging.log4j:log4j-core:2.14.1 installed "]);
});

test("modules merged into a jar are packages of their own", () => {
  const shaded = zipOf({ ...pom("com.example", "app", "1.0"), ...pom("com.h2database", "h2", "1.4.200") });
  expect(found("opt/app-1.0.jar", shaded)).toEqual([
    "com.example:app:1.0 installed ",
    "com.h2database:h2:1.4.200 embedded ",
  ]);
});

test("the module that names a jar is the one its file name begins with, whole", () => {
  const shaded = zipOf({ ...pom("log4j", "log4j", "1.2.17"), ...pom("org.apache", "log4j-core", "2.14.1") });
  expect(found("a/log4j-core-2.14.1.jar", shaded)).toEqual([
    "log4j:log4j:1.2.17 embedded ",
    "org.apache:log4j-core:2.14.1 installed ",
  ]);
  const other = zipOf({ ...pom("com.h2database", "h2", "1.4.200"), ...pom("g", "x", "1") });
  expect(found("a/h2o-3.0.jar", other)).toEqual([
    "com.h2database:h2:1.4.200 embedded ",
    "g:x:1 embedded ",
    ":h2o:3.0 installed ",
  ]);
});

test("jars inside jars and wars are found with their place, stored or deflated", () => {
  for (const method of ["stored", "deflated"] as const) {
    const war = zipOf({ "WEB-INF/lib/log4j-core-2.14.1.jar": log4j }, method);
    const ear = zipOf({ "web.war": war }, method);
    expect(found("srv/app.ear", ear)).toEqual([
      "org.apache.logging.log4j:log4j-core:2.14.1 embedded web.war!/WEB-INF/lib/log4j-core-2.14.1.jar",
    ]);
  }
});

test.each([
  ["file name", "lib/commons-collections-3.2.1.jar", {}, "commons-collections:commons-collections:3.2.1"],
  [
    "manifest",
    "lib/snakeyaml.jar",
    { "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\nBundle-Version: 1.26.0\r\n" },
    "org.yaml:snakeyaml:1.26.0",
  ],
  [
    "bundle name folded over lines",
    "lib/thing.jar",
    {
      "META-INF/MANIFEST.MF": "Bundle-SymbolicName: org.exam\r\n ple.thing;singleton:=true\r\nBundle-Version: 2.0\r\n",
    },
    "org.example:thing:2.0",
  ],
])("without properties the %s names a jar", (_what, path, files, expected) => {
  expect(found(path, zipOf({ "A.class": "x", ...files }))).toEqual([`${expected} installed `]);
});

test("a renamed jar without metadata is known by its digest", () => {
  const [known = "", coordinates = ""] = [...knownJars].find(([, name]) => name.endsWith("log4j-core:2.14.1")) ?? [];
  expect(coordinates).toBe("org.apache.logging.log4j:log4j-core:2.14.1");
  const stripped = zipOf({ "A.class": "x" });
  const digestOf = (bytes: Uint8Array) => (bytes === stripped ? known : createHash("sha1").update(bytes).digest("hex"));
  const tools = { inflateRaw: (bytes: Uint8Array) => bytes, inflateZlib: (bytes: Uint8Array) => bytes, sha1: digestOf };
  const facts = jar.read({ path: "x/helper.jar", bytes: stripped, mode: 0 }, tools);
  expect(facts.packages?.map(({ name, version }) => `${name}@${version}`)).toEqual(["log4j-core@2.14.1"]);
});

test("jars in jars end", () => {
  let nested: Uint8Array = log4j;
  for (let depth = 0; depth < 8; depth++) nested = zipOf({ "a.jar": nested });
  const facts = analyze(jar, "x.jar", nested);
  expect(facts.packages).toEqual([]);
  expect(facts.problems?.[0]).toMatch(/nested deeper/);
});

test("a bomb inside a jar is a problem, not a hang", () => {
  const bomb = zipOf({ "bomb.jar": new Uint8Array(200 * 1024 * 1024) });
  expect(analyze(jar, "x.jar", bomb).problems?.[0]).toMatch(/bomb\.jar cannot be read/);
});

test("damaged archives never throw", () => {
  const war = zipOf({ "WEB-INF/lib/a.jar": log4j });
  for (const piece of tornPieces(war)) expect(analyze(jar, "x.war", piece).problems).not.toEqual([]);
  expectNoThrowOnDamage(jar, "x.war", war, 300);
});

/** The archive with its directory repeated: every entry names the same content once more. */
function repeated(archive: Uint8Array, times: number): Uint8Array {
  const bytes = Buffer.from(archive);
  const at = bytes.indexOf("PK\x01\x02");
  const end = bytes.lastIndexOf("PK\x05\x06");
  const entry = bytes.subarray(at, end);
  return Buffer.concat([bytes.subarray(0, at), ...Array.from({ length: times }, () => entry), bytes.subarray(end)]);
}

test.each([
  ["archives", "bomb.jar", 512, /bomb\.jar cannot be read/],
  ["properties", "META-INF/maven/g/a/pom.properties", 32, /pom\.properties cannot be read/],
])(
  "a directory that names one bomb a hundred times as %s costs no hundred times its size",
  (_what, name, mib, told) => {
    const bomb = zipOf({ [name]: new Uint8Array(130 * 1024 * 1024) });
    let inflated = 0;
    const tools = {
      inflateRaw(_bytes: Uint8Array, limitBytes: number): Uint8Array {
        inflated += limitBytes;
        throw new Error("larger than it may be");
      },
      inflateZlib: (bytes: Uint8Array) => bytes,
      sha1: () => "",
    };
    const facts = jar.read({ path: "x.jar", bytes: repeated(bomb, 100), mode: 0 }, tools);
    expect(inflated).toBeLessThanOrEqual(mib * 1024 * 1024);
    expect(facts.problems?.join("\n")).toMatch(told);
  },
);

test("a name of hyphens and digits is given up at once", () => {
  const nested = zipOf({ [`a${"-1".repeat(32_000)}!.jar`]: zipOf({ "A.class": "x" }) });
  const startedAt = performance.now();
  expect(analyze(jar, "x.jar", nested).packages).toEqual([]);
  expect(performance.now() - startedAt).toBeLessThan(500);
});

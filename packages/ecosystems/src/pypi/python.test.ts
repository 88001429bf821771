import { expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage } from "../testing/analyze.ts";
import { pythonInstalled } from "./python-installed.ts";
import { pipfileLock, pythonLock, requirements } from "./python-lock.ts";

const names = (facts: ReturnType<typeof analyze>) =>
  (facts.packages ?? []).map(({ name, version }) => `${name}@${version}`);

test("core metadata names the distribution; what follows the header does not", () => {
  const metadata = "Metadata-Version: 2.1\nName: Django\nVersion: 2.2.0\nLicense: BSD\n\nName: other\nVersion: 9\n";
  expect(
    analyze(pythonInstalled, "usr/lib/python3/site-packages/Django-2.2.0.dist-info/METADATA", metadata).packages,
  ).toEqual([
    { type: "pypi", namespace: "", name: "Django", version: "2.2.0", evidence: "installed", licenses: ["BSD"] },
  ]);
  expect(analyze(pythonInstalled, "x.egg-info", "Name: x\n")).toEqual({ packages: [] });
});

test("lock files of Poetry and uv give their packages, local ones left out", () => {
  const poetry =
    '[[package]]\nname = "django"\nversion = "2.2.0"\ndescription = "x"\n\n[package.dependencies]\nname = "no"\n\n[metadata]\nversion = "1"\n';
  const uv =
    'version = 1\n\n[[package]]\nname = "app"\nversion = "0.1.0"\nsource = { editable = "." }\n\n[[package]]\nname = "own"\nversion = "1"\nsource = { directory = "lib/own" }\n\n[[package]]\nname = "idna"\nversion = "3.4"\nsource = { registry = "https://example.org/simple" }\n';
  expect(names(analyze(pythonLock, "poetry.lock", poetry))).toEqual(["django@2.2.0"]);
  expect(names(analyze(pythonLock, "uv.lock", uv))).toEqual(["idna@3.4"]);
});

test("Pipfile.lock gives both groups", () => {
  const lock = {
    default: { django: { version: "==2.2.0" }, local: { path: "." } },
    develop: { pytest: { version: "==7.0" } },
  };
  expect(names(analyze(pipfileLock, "Pipfile.lock", JSON.stringify(lock)))).toEqual(["django@2.2.0", "pytest@7.0"]);
  expect(analyze(pipfileLock, "Pipfile.lock", "{").problems).toHaveLength(1);
});

test("only pins of a requirements file name a version", () => {
  const text =
    'Django==2.2.0 ; python_version > "3"\nrequests[socks] == 2.0.0 \\\n    --hash=sha256:aa\nflask>=1.0\n-r other.txt\n# x==1\nwild==1.*\nurllib3===1.25 # note\n';
  expect(names(analyze(requirements, "requirements.txt", text))).toEqual([
    "Django@2.2.0",
    "requests@2.0.0",
    "urllib3@1.25",
  ]);
});

test("lines of blanks take no longer than other lines", () => {
  const line = `a${" ".repeat(16_000)}b\n`;
  const startedAt = performance.now();
  expect(analyze(requirements, "requirements.txt", line.repeat(200)).packages).toEqual([]);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test("damaged files never throw", () => {
  const text = new TextEncoder().encode('[[package]]\nname = "a"\nversion = "1"\nName: a\na==1\n');
  for (const analyzer of [pythonInstalled, pythonLock, pipfileLock, requirements])
    expectNoThrowOnDamage(analyzer, "x", text, 100);
});

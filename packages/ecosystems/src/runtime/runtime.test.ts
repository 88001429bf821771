import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage } from "../testing/analyze.ts";
import { elfOf } from "../testing/elf-writer.ts";
import { javaRelease } from "./java-release.ts";
import { runtime } from "./runtime.ts";

const names = (facts: ReturnType<typeof analyze>) =>
  (facts.packages ?? []).map(({ name, version }) => `${name}@${version}`);

test.each([
  ["usr/local/bin/node", "\0https://nodejs.org/download/release/v18.1.0/node-v18.1.0.tar.gz\0", "node@18.1.0"],
  ["usr/local/bin/python3.11", "\x003.11\x003.11.2\0", "python@3.11.2"],
  ["usr/local/bin/python3", "\x003.45.1\x003.12.4\0", "python@3.12.4"],
  ["usr/lib/libpython3.12.so.1.0", "\x003.12.1\0", "python@3.12.1"],
  ["opt/nginx/sbin/nginx", "\0nginx version: nginx/1.22.1\0", "nginx@1.22.1"],
  ["usr/bin/redis-server", "\x001.2\x007.0.15\x007.0.0\0", "redis@7.0.15"],
  ["usr/lib/libcrypto.so.1.1", "\0OpenSSL %s\0OpenSSL 1.1.1k  25 Mar 2021\0", "openssl@1.1.1k"],
  ["usr/lib/libcrypto.so.3", "\0OpenSSL 3.0.2 15 Mar 2022\0", "openssl@3.0.2"],
  ["usr/local/bin/php", "\0X-Powered-By: PHP/8.2.0\0", "php@8.2.0"],
  ["usr/local/apache2/bin/httpd", "\0Apache/2.4.49 (Unix)\0", "apache@2.4.49"],
  ["usr/sbin/haproxy", "\x002.6.12-1+deb12u4\0", "haproxy@2.6.12"],
  ["usr/lib/postgresql/15/bin/postgres", "\0postgres (PostgreSQL) 15.2\0", "postgresql@15.2"],
])("%s tells its version", (path, text, expected) => {
  expect(names(analyze(runtime, path, elfOf({ ".text": "1.2.3", ".rodata": text })))).toEqual([expected]);
  expect(analyze(runtime, path.replace(/[^/]+$/, "other"), elfOf({ ".rodata": text }))).toEqual({});
});

test("Valkey is not taken for Redis: their versions and fixes differ", () => {
  expect(analyze(runtime, "usr/bin/valkey-server", elfOf({ ".rodata": "\x008.0.5\0" }))).toEqual({});
});

test("a program with a known name that tells nothing is no package", () => {
  expect(analyze(runtime, "usr/bin/node", elfOf({ ".rodata": "\0nothing\0" }))).toEqual({ packages: [] });
});

test.skipIf(!existsSync("/bin/bash"))("the shell of this machine tells its version", () => {
  expect(names(analyze(runtime, "bin/bash", readFileSync("/bin/bash")))[0]).toMatch(/^bash@\d+\.\d+\.\d+$/);
});

test("a Java runtime tells its version in its release file", () => {
  expect(names(analyze(javaRelease, "opt/java/release", 'IMPLEMENTOR="X"\nJAVA_VERSION="17.0.15"\n'))).toEqual([
    "java@17.0.15",
  ]);
  expect(names(analyze(javaRelease, "opt/java/release", 'JAVA_VERSION="1.8.0_402"\n'))).toEqual(["java@8.0.402"]);
  expect(analyze(javaRelease, "etc/release", "other\n")).toEqual({ packages: [] });
});

test("damaged programs never throw", () => {
  expectNoThrowOnDamage(runtime, "bin/node", elfOf({ ".rodata": "\0nodejs.org/download/release/v18.1.0/\0" }), 200);
});

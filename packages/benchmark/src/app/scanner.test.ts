import { wholeFile } from "@bulwark/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SHIPPED_CHECKS } from "../testing/content.ts";
import { CONFIG_READERS } from "./readers.ts";
import { createAppConfigScanner } from "./scanner.ts";

const scanner = createAppConfigScanner(CONFIG_READERS, SHIPPED_CHECKS);

function scan(path: string, content: string | Uint8Array) {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const { facts = [], problems = [] } = scanner.scan(wholeFile(path, bytes));
  return { facts, problems };
}

test("configuration files are wanted, examples of the documentation and other files are not", () => {
  const wants = (path: string) => scanner.wants({ path, mode: 0o644, sizeBytes: 1 });
  expect(
    [
      "etc/nginx/nginx.conf",
      "etc/nginx/conf.d/a.conf",
      "opt/tomcat/conf/server.xml",
      "data/pg_hba.conf",
      "redis.conf",
    ].filter(wants).length,
  ).toBe(5);
  expect(
    ["usr/share/doc/vsftpd/vsftpd.conf", "etc/nginx/mime.types", "etc/passwd", "a/my.cnf/x"].filter(wants),
  ).toEqual([]);
});

test("the version changes with the checks, so that cached layers are looked at again", () => {
  const [first, ...rest] = SHIPPED_CHECKS.filter(({ subject }) => subject === "app:nginx");
  expect(createAppConfigScanner(CONFIG_READERS, rest).version).not.toBe(
    createAppConfigScanner(CONFIG_READERS, [first!, ...rest]).version,
  );
  expect(createAppConfigScanner(CONFIG_READERS, SHIPPED_CHECKS).version).toBe(scanner.version);
});

test("each finding has its line", () => {
  const { facts } = scan(
    "etc/nginx/nginx.conf",
    "http {\n  server {\n\n    location /a {\n      alias /b/;\n    }\n  }\n}\n",
  );
  expect(facts.map(({ id, line }) => [id, line])).toEqual([["nginx-alias-traversal", 5]]);
  const xml = '<Server port="-1">\n<Service>\n  <Connector\n    allowTrace="true"/>\n</Service></Server>';
  expect(scan("opt/conf/server.xml", xml).facts.map(({ id, line }) => [id, line])).toEqual([["tomcat-trace", 3]]);
  expect(scan("x/mongod.conf", "net:\n  port: 1\nsecurity:\n  authorization: disabled\n").facts[0]?.line).toBe(4);
});

test("an entity bomb and outside entities come to nothing", () => {
  const bomb = `<!DOCTYPE a [${Array.from({ length: 20 }, (_, at) => `<!ENTITY e${at + 1} "&e${at};&e${at};">`).join("")}<!ENTITY x SYSTEM "file:///etc/passwd">]><Server>&e20;&x;</Server>`;
  const start = performance.now();
  expect(scan("opt/conf/server.xml", bomb).facts.map(({ id }) => id)).toEqual([]);
  expect(performance.now() - start).toBeLessThan(1_000);
});

test("a file that cannot be read is a problem, not a pass", () => {
  expect(scan("opt/conf/server.xml", "<Server").problems[0]).toContain("not XML");
  expect(scan("x/elasticsearch.yml", "a: [").problems[0]).toContain("not YAML");
  expect(scan("redis.conf", new Uint8Array([1, 0, 2])).problems).toEqual([
    "it is no text and was not read as a configuration file of redis",
  ]);
  expect(scan("x/redis.conf", `bind ${"x".repeat(70_000)}\nenable-debug-command yes\n`)).toMatchObject({
    facts: [{ id: "redis-debug-commands", line: 2 }],
    problems: ["redis configuration: line 1 is longer than 65536 characters and was left out"],
  });
});

test("names of the language's own are settings like any other", () => {
  expect(scan("x/redis.conf", "__proto__ x\nconstructor y\nprotected-mode no\n").facts.map(({ id }) => id)).toContain(
    "redis-open",
  );
  expect(
    scan(
      "x/elasticsearch.yml",
      "__proto__:\n  xpack.security.enabled: false\nxpack.security.enabled: false\n",
    ).facts.map(({ line }) => line),
  ).toEqual([3]);
});

test("bytes that are no UTF-8 do not hide what follows", () => {
  const bytes = new Uint8Array([0xff, 0xfe, 0x0a, ...new TextEncoder().encode("enable-debug-command yes\n")]);
  expect(scan("x/redis.conf", bytes).facts.map(({ id }) => id)).toEqual(["redis-debug-commands"]);
});

test("in sshd_config the first value counts and Match blocks are told apart", () => {
  const { facts } = scan(
    "etc/ssh/sshd_config",
    "PermitRootLogin no\nMatch User backup\n  PasswordAuthentication yes\n",
  );
  expect(facts.map(({ id, line }) => [id, line])).toEqual([["sshd-password-login", 3]]);
});

const LENGTH = 200_000;
test.each([
  ["etc/nginx/nginx.conf", "a {"],
  ["etc/nginx/nginx.conf", '"'],
  ["etc/nginx/nginx.conf", "${"],
  ["etc/nginx/nginx.conf", "stub_status;"],
  ["etc/httpd/conf/httpd.conf", "<A b>\n"],
  ["etc/httpd/conf/httpd.conf", "SetHandler server-status\n"],
  ["opt/conf/server.xml", "<a>"],
  ["opt/conf/server.xml", '<Server a="'],
  ["x/elasticsearch.yml", "["],
  ["x/elasticsearch.yml", "- "],
  ["x/elasticsearch.yml", "? "],
  ["x/elasticsearch.yml", '"\\x'],
  ["x/elasticsearch.yml", "a: b: c\n"],
  ["etc/docker/daemon.json", '{"a":'],
  ["x/server.properties", "a\\\n"],
  ["x/pg_hba.conf", "host all all 0.0.0.0/0 trust\n"],
  ["etc/php/php.ini", "["],
])("%s full of %j ends within seconds", (path, unit) => {
  const start = performance.now();
  scan(path, unit.repeat(LENGTH / unit.length));
  expect(performance.now() - start).toBeLessThan(10_000);
});

test("no bytes make a reader throw", () => {
  const paths = [
    "etc/nginx/nginx.conf",
    "etc/httpd/conf/httpd.conf",
    "a/conf/server.xml",
    "a/redis.conf",
    "a/my.cnf",
    "a/elasticsearch.yml",
    "a/pg_hba.conf",
    "a/php.ini",
  ];
  const piece = fc.constantFrom(
    "{",
    "}",
    ";",
    "<a ",
    ">",
    "</a>",
    "a=b\n",
    "a: b\n",
    "[x]\n",
    '"',
    "'",
    "\\",
    "\n",
    " ",
    "#",
    "${",
    "- ",
    "&a",
    "*a",
    "\u0000",
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...paths),
      fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }),
      (path, pieces) => {
        expect(Array.isArray(scan(path, pieces.join("")).facts)).toBe(true);
      },
    ),
    { numRuns: 400 },
  );
});

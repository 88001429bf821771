import fc from "fast-check";
import { expect, test } from "vitest";
import { SHIPPED_CHECKS } from "../testing/content.ts";
import { lintDockerfile } from "./lint.ts";

const lint = (text: string, options = {}) => lintDockerfile(text, SHIPPED_CHECKS, options);
const ids = (text: string, options = {}) => lint(text, options).facts.map(({ id }) => id);
const lineOf = (text: string, id: string) => lint(text).facts.find((fact) => fact.id === id)?.line;

test("a finding names the line of its command, not that of the RUN it stands in", () => {
  const text = "FROM a:1\n\nRUN true \\\n  # a comment between\n  && false \\\n  && chmod 777 /x\n";
  expect(lineOf(text, "dockerfile-chmod-world-writable")).toBe(6);
});

test("a command in a here-document has its own line", () => {
  expect(lineOf("FROM a:1\nRUN <<EOF\nset -e\nchmod 777 /x\nEOF\n", "dockerfile-chmod-world-writable")).toBe(4);
});

test("the escape directive is followed", () => {
  expect(lineOf("# escape=`\nFROM a:1\nRUN true `\n  && chmod 777 /x\n", "dockerfile-chmod-world-writable")).toBe(4);
});

test("only the last stage and those it builds upon count for USER and HEALTHCHECK", () => {
  expect(ids('FROM a:1 AS b\nUSER root\nFROM a:1\nUSER 1\nHEALTHCHECK NONE\nCMD ["x"]\n')).not.toContain(
    "dockerfile-root-user",
  );
  expect(ids('FROM a:1 AS b\nUSER root\nFROM b\nCMD ["x"]\n')).toContain("dockerfile-root-user");
});

test("an earlier stage is no image of a registry", () => {
  expect(ids("FROM a:1 AS latest\nFROM latest\nUSER 1\n")).not.toContain("dockerfile-base-latest");
});

test("build arguments before FROM are replaced, also with their defaults in braces", () => {
  const facts = lint(`ARG REG=docker.io\nARG V\nFROM ${"$"}{REG}/library/debian:${"$"}{V:-latest}\nUSER 1\n`).facts;
  expect(facts.find(({ id }) => id === "dockerfile-base-latest")?.detail).toBe(
    "FROM docker.io/library/debian:latest names no version",
  );
});

test("registries that are not on the list are named, stages and scratch are not", () => {
  const options = { registries: ["registry.example.org/base"] };
  expect(ids("FROM debian:12\nUSER 1\n", options)).toContain("dockerfile-base-public-registry");
  const inside = "FROM registry.example.org/base/debian:12 AS a\nFROM scratch\nFROM a\nUSER 1\n";
  expect(ids(inside, options)).not.toContain("dockerfile-base-public-registry");
  expect(ids("FROM registry.example.org/basement/x:1\nUSER 1\n", options)).toContain("dockerfile-base-public-registry");
});

test("an ignore comment with a reason takes out the finding below it and leaves a trace", () => {
  const result = lint(
    "FROM a:1\n# bulwark:ignore dockerfile-chmod-world-writable the volume is wiped\nRUN chmod 777 /x\nRUN chmod 777 /y\n",
  );
  expect(result.facts.filter(({ id }) => id === "dockerfile-chmod-world-writable").map(({ line }) => line)).toEqual([
    4,
  ]);
  expect(result.suppressed).toEqual([
    expect.objectContaining({
      reason: "the volume is wiped",
      line: 2,
      fact: expect.objectContaining({ id: "dockerfile-chmod-world-writable", line: 3 }),
    }),
  ]);
});

test("an ignore comment for the whole file holds everywhere", () => {
  const result = lint(
    "# bulwark:ignore-file dockerfile-chmod-world-writable,dockerfile-no-user a demo\nFROM a:1\nRUN chmod 777 /x\n",
  );
  expect(result.facts.map(({ id }) => id)).not.toContain("dockerfile-no-user");
  expect(result.suppressed.map(({ fact }) => fact.id).sort()).toEqual([
    "dockerfile-chmod-world-writable",
    "dockerfile-no-user",
  ]);
});

test("an ignore comment without a reason is not followed and says so", () => {
  const result = lint("FROM a:1\n# bulwark:ignore dockerfile-chmod-world-writable\nRUN chmod 777 /x\n");
  expect(result.facts.map(({ id }) => id)).toContain("dockerfile-chmod-world-writable");
  expect(result.problems).toEqual([
    "line 2: bulwark:ignore dockerfile-chmod-world-writable gives no reason and is not followed",
  ]);
});

test("no secret is shown, neither of variables nor of commands", () => {
  const text = [
    "FROM a:1",
    "ENV DB_PASSWORD hunter2-geheim",
    "ARG API_TOKEN=hunter2-geheim",
    "RUN useradd -p hunter2-geheim x && service x start --password=hunter2-geheim",
    "RUN service vault token: hunter2-geheim && ssh https://u:hunter2-geheim@h/",
    "RUN yum install --nogpgcheck password=hunter2-geheim",
    "",
  ].join("\n");
  const { facts } = lint(text);
  expect(facts.length).toBeGreaterThan(5);
  expect(JSON.stringify(facts)).not.toContain("hunter2-geheim");
});

test("a Windows Dockerfile is not read as if it had a POSIX shell", () => {
  const found = ids(
    "# escape=`\nFROM mcr.microsoft.com/windows/servercore:ltsc2022\nWORKDIR app\nRUN del /q C:\\x & chmod 777 y\nCMD server.exe\n",
  );
  expect(found).not.toContain("dockerfile-chmod-world-writable");
  expect(found).not.toContain("dockerfile-no-user");
});

test("text that is no Dockerfile is a problem, not a pass", () => {
  expect(lint("").problems).toEqual(["the Dockerfile has no FROM instruction"]);
  expect(lint("hello\n").problems).toContain("the Dockerfile has no FROM instruction");
  expect(lint(`FROM a:1\nRUN ${"x".repeat(300_000)}\n`).problems[0]).toContain("longer than");
});

test("names of the language's own do not break anything", () => {
  const text =
    "FROM __proto__ AS constructor\nARG __proto__=1\nENV constructor=2 hasOwnProperty=3\nCOPY --from=__proto__ --__proto__=x a b\nUSER $__proto__\n";
  expect(lint(text).problems).toEqual([]);
});

test.each([
  [
    "a RUN of forty thousand commands",
    `FROM a:1\n${`RUN ${"git clone x;".repeat(8_000)}\n`.repeat(5)}RUN git checkout x\n`,
  ],
  ["open substitutions without end", `FROM a:1\nRUN ${"$(".repeat(50_000)}\n`],
  ["variables that double each other", `FROM a:1\nENV ${"A=$A$A ".repeat(20_000)}\nUSER $A\n`],
  ["five thousand stages", "FROM a AS x\n".repeat(5_000)],
  ["here-documents without end", "FROM a:1\nRUN <<E\n".repeat(2_000)],
])("%s ends within seconds", (_, text) => {
  const start = performance.now();
  lint(text);
  expect(performance.now() - start).toBeLessThan(20_000);
});

test("no text makes the lint throw", () => {
  const piece = fc.constantFrom(
    "FROM a:1\n",
    "RUN ",
    "ENV ",
    "<<EOF\n",
    "EOF\n",
    "\\\n",
    "'",
    '"',
    "$(",
    "`",
    "[",
    "]",
    "| sh",
    "&&",
    " ",
    "\n",
    "COPY ",
    "--from=",
    "#",
    "\u0000",
    "ONBUILD ",
    "\r\n",
    "é",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), (pieces) => {
      expect(Array.isArray(lint(pieces.join("")).facts)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSecretRules } from "./read-rules.ts";
import { expandSample } from "./sample.ts";
import { createSecretScanner } from "./scanner.ts";
import { idsOf, scanText, shippedRules } from "./testing/shipped-rules.ts";

const shipped = await shippedRules();
const scanner = createSecretScanner([shipped]);
const githubToken = expandSample("ghp_{alnum:36}", "scanner");
const npmToken = expandSample("npm_{alnum:36}", "scanner");

function rulesFrom(yaml: string) {
  const rules = readSecretRules(yaml, "mine.yaml");
  expect(rules.errors.map(({ message }) => message)).toEqual([]);
  return rules;
}

describe("secret scanner", () => {
  it("tells line, redacted value and fingerprint", () => {
    const { facts } = scanText(scanner, `first\nsecond\nTOKEN = ${githubToken}\n`);
    expect(facts).toEqual([
      {
        kind: "secret",
        id: "github-personal-token",
        severity: "critical",
        title: "GitHub personal access token",
        advice: "Revoke it at GitHub, issue a new one, and give that to the container when it starts.",
        line: 3,
        detail: "ghp_****",
        fingerprint: createHash("sha256").update(githubToken).digest("hex").slice(0, 16),
        references: [expect.stringMatching(/^https:/)],
      },
    ]);
  });

  it("names the variable before a value", () => {
    const password = expandSample("Zk{digit:4}#{alnum:8}", "v");
    const [fact] = scanText(scanner, `x: 1\nAPP_DB_PASSWORD=${password}\n`, "app/prod.env").facts ?? [];
    expect(fact?.detail).toBe(`APP_DB_PASSWORD=${password.slice(0, 3)}****`);
    expect(fact?.line).toBe(2);
  });

  it("never shows more than a fifth of a value", () => {
    const rules = rulesFrom(
      "rules: [{id: short, title: Short value, severity: low, keywords: [pin], pattern: 'pin=(\\w+)'}]",
    );
    const small = createSecretScanner([rules]);
    expect(scanText(small, "pin=1234").facts?.[0]?.detail).toBe("****");
    expect(scanText(small, "pin=1234567890").facts?.[0]?.detail).toBe("12****");
    expect(scanText(small, `pin=${"12345".repeat(20)}`).facts?.[0]?.detail).toBe("1234****");
  });

  it("reports a value once in a file, at its first place", () => {
    const { facts } = scanText(scanner, `a\nt=${githubToken}\nu=${githubToken}\ntoken: "${githubToken}"\n`);
    expect(facts?.map(({ id, line }) => [id, line])).toEqual([["github-personal-token", 2]]);
  });

  it("reports different values of one kind each", () => {
    const other = expandSample("ghp_{alnum:36}", "other");
    const { facts = [] } = scanText(scanner, `${githubToken} ${other}`);
    expect(facts).toHaveLength(2);
    expect(facts[0]?.fingerprint).not.toBe(facts[1]?.fingerprint);
  });

  it("prefers the telling rule to the guess on the same span", () => {
    expect(idsOf(scanText(scanner, `api_key = "${npmToken}"`).facts)).toEqual(["npm-token"]);
    const key = expandSample("{b64:40}", "q");
    expect(
      idsOf(scanText(scanner, `QINIU_SECRET_KEY=${key.replaceAll(/[+/]/g, "_")}`, "app/.env.example").facts),
    ).toEqual(["qiniu-key"]);
  });

  it("bounds the findings of a file and says how many were left out", () => {
    const many = Array.from({ length: 130 }, (_, at) => expandSample("ghp_{alnum:36}", `many ${at}`)).join("\n");
    const { facts, problems } = scanText(scanner, many);
    expect(facts).toHaveLength(100);
    expect(problems).toEqual(["30 more secrets were left out (limit 100 for each file)"]);
  });

  it("stops at a thousand values of one rule and says so", () => {
    const many = Array.from({ length: 1_100 }, (_, at) => expandSample("ghp_{alnum:36}", `many ${at}`)).join("\n");
    const { facts, problems } = scanText(scanner, many);
    expect(facts).toHaveLength(100);
    expect(problems).toContain("rule github-personal-token fits more values than are looked at; the rest was left out");
  });

  it("looks for telling tokens in binary files, and for nothing else", () => {
    const binary = Buffer.concat([
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1, 0xff, 0]),
      Buffer.from(`${githubToken}\0password = "Zk8821#kfjeu1"\0`),
    ]);
    expect(idsOf(scanText(scanner, binary, "app/server").facts)).toEqual(["github-personal-token"]);
  });

  it("reads UTF-16 with a byte order mark", () => {
    const little = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`a\nTOKEN=${githubToken}\n`, "utf16le")]);
    expect(scanText(scanner, little).facts).toMatchObject([{ id: "github-personal-token", line: 2 }]);
    const big = Buffer.concat([
      Buffer.from([0xfe, 0xff]),
      Buffer.from(`TOKEN=${githubToken}\n`, "utf16le").swap16(),
      Buffer.from([1]),
    ]);
    expect(idsOf(scanText(scanner, big).facts)).toEqual(["github-personal-token"]);
  });

  it("finds a secret amid bytes that are no UTF-8, and prints none of them", () => {
    const bytes = Buffer.concat([
      Buffer.from([0xff, 0xc3, 0x28, 0xf0]),
      Buffer.from(`\x1b\x07${npmToken}`),
      Buffer.from([0x80]),
    ]);
    const [fact] = scanText(scanner, bytes).facts ?? [];
    expect(fact?.id).toBe("npm-token");
    expect(fact?.detail).toMatch(/^[\x20-\x7e]*$/);
  });

  it("does not read pictures, time zones and manual pages", () => {
    const head = { mode: 0o644, sizeBytes: 10 };
    for (const path of [
      "a/b.PNG",
      "usr/share/zoneinfo/Europe/Rome",
      "usr/share/man/man1/ls.1",
      "x.woff2",
      "proc/1/environ",
    ])
      expect(scanner.wants({ ...head, path }), path).toBe(false);
    for (const path of ["app/x", "app/.env", "etc/shadow", "app/server.p12", "usr/share/manual.txt"])
      expect(scanner.wants({ ...head, path }), path).toBe(true);
    expect(scanner.wants({ path: "app/x", mode: 0o644, sizeBytes: 0 })).toBe(false);
  });

  it("leaves guesses out of lock files, and of what packages publish", () => {
    const guess = `"api_key": "${expandSample("{alnum:32}", "g")}"`;
    expect(idsOf(scanText(scanner, guess, "app/config.json").facts)).toEqual(["generic-secret"]);
    for (const path of ["app/package-lock.json", "app/node_modules/x/test/a.json", "usr/share/doc/x/README"])
      expect(scanText(scanner, guess, path).facts, path).toEqual([]);
    expect(idsOf(scanText(scanner, githubToken, "app/package-lock.json").facts)).toEqual(["github-personal-token"]);
  });

  it("changes its version with the rules and the bounds, not with their samples", () => {
    expect(createSecretScanner([shipped]).version).toBe(scanner.version);
    expect(createSecretScanner([shipped], { maxFindingsPerFile: 7 }).version).not.toBe(scanner.version);
    const [first, ...rest] = shipped.rules;
    if (first === undefined) throw new Error("no rules");
    const changed = { ...shipped, rules: [{ ...first, entropy: first.entropy + 0.1 }, ...rest] };
    expect(createSecretScanner([changed]).version).not.toBe(scanner.version);
    const resampled = { ...shipped, rules: [{ ...first, samples: { match: [], ignore: [] } }, ...rest] };
    expect(createSecretScanner([resampled]).version).toBe(scanner.version);
  });

  it("lets a later set's rule take the place of an earlier one", () => {
    const mine = rulesFrom(
      "rules: [{id: npm-token, title: Tokens of npm, severity: low, keywords: [npm_], pattern: 'npm_\\w{36}'}]",
    );
    const { facts } = scanText(createSecretScanner([shipped, mine]), `x ${npmToken}`);
    expect(facts).toMatchObject([{ id: "npm-token", severity: "low" }]);
  });
});

describe("user patterns", () => {
  const hostile = rulesFrom(
    "rules:\n  - {id: blow-up, title: Blows up, severity: low, keywords: [aaaa], pattern: '(a+)+$'}\n" +
      "  - {id: good-one, title: Does not, severity: low, keywords: [bbbb], pattern: 'bbbb(\\d{8})'}\n",
  );

  it("are cut off when they take too long, with rule, file and line, and the others run", () => {
    const bounded = createSecretScanner([hostile], { patternTimeoutMs: 50 });
    const text = `${"a".repeat(60)}!\nbbbb12345678`;
    const { facts, problems } = scanText(bounded, text);
    expect(idsOf(facts)).toEqual(["good-one"]);
    expect(problems).toEqual(["rule blow-up (mine.yaml:2) was cut off: its pattern took longer than 50 ms"]);
  });

  it("are not tried any more after three times, which every file tells", () => {
    const bounded = createSecretScanner([hostile], { patternTimeoutMs: 20 });
    const text = `${"a".repeat(60)}!`;
    for (let file = 0; file < 3; file++) scanText(bounded, text);
    const { problems } = scanText(bounded, text);
    expect(problems).toEqual(["rule blow-up (mine.yaml:2) was not tried: it took too long 3 times"]);
  });

  it("cut off hostile allow-lists and path patterns too", () => {
    const rules = rulesFrom(
      "rules: [{id: slow-allow, title: Slow allow-list, severity: low, keywords: [key=], pattern: 'key=(\\w+!)', allow: {values: ['^(\\w+\\d?)+$']}}]",
    );
    const bounded = createSecretScanner([rules], { patternTimeoutMs: 50 });
    expect(scanText(bounded, `key=${"a".repeat(50)}!`).problems?.[0]).toMatch(/^rule slow-allow .* was cut off/);
  });
});

describe("hostile content", () => {
  it("never makes the scanner throw", () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(...shipped.rules.flatMap(({ keywords }) => keywords)).map((word) => Buffer.from(word)),
      fc
        .constantFrom("-----BEGIN RSA PRIVATE KEY-----\n", "password = '", "https://u:", "\0", "\ufeff", "\n")
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 30 }),
        fc.constantFrom("a", ".env", ".npmrc", "etc/shadow", "x/.git/config", ""),
        (parts, path) => {
          const facts = scanText(scanner, Buffer.concat(parts), path).facts ?? [];
          for (const { detail = "" } of facts) expect(detail).toMatch(/^[\x20-\x7e]{0,200}$/);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("finds what stands at the end of a line of ten megabytes", () => {
    const bytes = Buffer.alloc(10_000_000, "x ");
    bytes.write(` ${githubToken}`, bytes.length - 41);
    expect(scanText(scanner, bytes).facts).toMatchObject([{ id: "github-personal-token", line: 1 }]);
  });
});

it("takes a later piece of a program for no text, whatever it looks like", () => {
  const rule = {
    id: "mine",
    title: "Mine",
    severity: "low",
    keywords: ["mine-"],
    pattern: "(mine-[0-9]{6})",
    advice: "No.",
  };
  const own = createSecretScanner([rulesFrom(JSON.stringify({ rules: [rule] }))]);
  const bytes = Buffer.from("key = mine-123456");
  const piece = { path: "usr/bin/app", mode: 0o755, sizeBytes: 1 << 25, bytes, offset: 1 << 24, sha256: undefined };
  const found = (head: string) => own.scan({ ...piece, head: Buffer.from(head) }).facts?.length;
  expect(found("plain text")).toBe(1);
  expect(found("\x7fELF\0\0")).toBe(0);
});

import { describe, expect, it } from "vitest";
import { readGitleaksRules } from "./read-gitleaks.ts";
import { createSecretScanner } from "./scanner.ts";
import { idsOf, scanText } from "./testing/shipped-rules.ts";

const FILE = `title = "ours"

[allowlist]
description = "for all"
paths = ['''(^|/)vendor/''']
stopwords = ["placeholder"]

[[rules]]
id = "acme-token"
description = "Token of Acme"
regex = '''(?i)\\bacme[_-](?P<kind>live|test)_([a-z0-9]{16})(?:['"\\s]|\\z)'''
secretGroup = 2
entropy = 3
keywords = ["acme_", "acme-"]

[[rules.allowlists]]
regexTarget = "line"
regexes = ['''allow me''']

[[rules]]
id = "ring-token"
description = "Token of Ring"
regex = '''ring-[0-9]{8}'''
keywords = ["RING-"]
[rules.allowlist]
condition = "AND"
regexes = ['''0000$''']
paths = ['''\\.md$''']

[[rules]]
id = "pfx-file"
description = "Key store"
path = '''(?i)\\.p12x$'''

[[rules]]
id = "config-only"
description = "Only in one file"
regex = '''pass=(\\w+)'''
path = '''app\\.conf$'''
`;
const TOKEN = "acme_live_q7w3e9r1t5y2u8i4";

describe("rules in Gitleaks' form", () => {
  const rules = readGitleaksRules(FILE, "gitleaks.toml");
  const scanner = createSecretScanner([rules]);

  it("load and find", () => {
    expect(rules.errors).toEqual([]);
    const { facts } = scanText(scanner, `x\n"${TOKEN}"`);
    expect(facts).toMatchObject([
      { id: "acme-token", title: "Token of Acme", severity: "high", line: 2, detail: "q7w****" },
    ]);
  });

  it("hold to entropy, keywords in any case, and the groups of their expressions", () => {
    expect(scanText(scanner, "acme_live_aaaaaaaaaaaaaaab ").facts).toEqual([]);
    expect(idsOf(scanText(scanner, TOKEN.toUpperCase()).facts)).toEqual(["acme-token"]);
  });

  it("hold to allow-lists of the rule and of the file", () => {
    expect(scanText(scanner, `${TOKEN} # allow me`).facts).toEqual([]);
    expect(scanText(scanner, `${TOKEN}`, "app/vendor/x").facts).toEqual([]);
    expect(idsOf(scanText(scanner, "ring-12340000", "a.txt").facts)).toEqual(["ring-token"]);
    expect(idsOf(scanText(scanner, "ring-12345678", "a.md").facts)).toEqual(["ring-token"]);
    expect(scanText(scanner, "ring-12340000", "a.md").facts).toEqual([]);
  });

  it("hold to paths", () => {
    expect(idsOf(scanText(scanner, "x", "app/a.P12X").facts)).toEqual(["pfx-file"]);
    expect(idsOf(scanText(scanner, "pass=verysecret", "app/app.conf").facts)).toEqual(["config-only"]);
    expect(scanText(scanner, "pass=verysecret", "app/other.conf").facts).toEqual([]);
  });

  it("are tried on the whole file where the keyword is no part of the expression", () => {
    const apart = readGitleaksRules(
      '[[rules]]\nid="far"\ndescription="far"\nregex="[0-9]{12}"\nkeywords=["acme"]',
      "f.toml",
    );
    const text = `acme${" ".repeat(100_000)}123456789012`;
    expect(idsOf(scanText(createSecretScanner([apart]), text).facts)).toEqual(["far"]);
  });

  it("that cannot be used are told with file, line and rule, and the others load", () => {
    const mixed = readGitleaksRules(
      '[extend]\nuseDefault = true\n[[rules]]\nid = "bad"\nregex = "a(?=b)"\n\n[[rules]]\nid = "good"\nregex = "good"\n\n[[rules]]\nregex="x"\n\n[[rules]]\nid="empty"\n',
      "mixed.toml",
    );
    expect(mixed.rules.map(({ id }) => id)).toEqual(["good"]);
    expect(mixed.errors.map(({ message }) => message)).toEqual([
      "mixed.toml:1: [extend] is not supported: give every file itself",
      expect.stringMatching(/^mixed\.toml:3: rule bad: .*lookaround/),
      "mixed.toml:11: rule number 3: it has no id",
      "mixed.toml:14: rule empty: it has neither regex nor path",
    ]);
  });

  it("that are no TOML give one error with a line", () => {
    const broken = readGitleaksRules('title = "x"\n[[rules]\n', "broken.toml");
    expect(broken.rules).toEqual([]);
    expect(broken.errors.map(({ message }) => message)).toEqual([expect.stringMatching(/^broken\.toml:2: not TOML: /)]);
  });

  it("of strange types do no harm", () => {
    const odd = readGitleaksRules('rules = 3\nallowlist = "x"\n[extend]\n__proto__ = 1', "odd.toml");
    expect(odd.rules).toEqual([]);
    expect(readGitleaksRules('[[rules]]\nid=3\nregex=["a"]\nkeywords="k"', "odd.toml").errors).toHaveLength(1);
  });
});

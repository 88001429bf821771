import { describe, expect, it } from "vitest";
import { re2Pattern } from "./re2.ts";

function matches(source: string, text: string): string | undefined {
  return new RegExp(re2Pattern(source).source).exec(Buffer.from(text).toString("latin1"))?.[0];
}

describe("expressions of Go", () => {
  it.each([
    ["(?i)abc", "xABCx", "ABC"],
    ["a(?i)b|c", "C", "C"],
    ["a(?i)b|c", "AB", undefined],
    ["(?:a(?i)b)c", "aBC", undefined],
    ["(?:a(?i)b)c", "aBc", "aBc"],
    ["(?i:a)b", "Ab", "Ab"],
    ["(?i)a(?-i)b", "AB", undefined],
    ["(?i)a(?-i)b", "Ab", "Ab"],
    ["(?P<key>k+)(?<v>v)", "kkv", "kkv"],
    ["a.b", "a\nb", undefined],
    ["a.b", "a\rb", "a\rb"],
    ["(?s)a.b", "a\nb", "a\nb"],
    ["(?s:a.)b.c", "a\nb\nc", undefined],
    ["(?m)^b$", "a\nb\nc", "b"],
    ["b\\z", "b\n", undefined],
    ["\\Ab", "ab", undefined],
    ["\\Qa.b(\\E+", "a.b((", "a.b(("],
    ["[[:alnum:]_]+", "--ab1_--", "ab1_"],
    ["[]a]+", "a]a", "a]a"],
    ["[^]a]+", "a]b", "b"],
    ["[[a]+", "a[", "a["],
    ["\\s", "\u00a0\u000b", undefined],
    ["[\\s]x", " x", " x"],
    ["\\x41\\x{42}", "AB", "AB"],
    ["密码=\\d", "密码=1", Buffer.from("密码=1").toString("latin1")],
    ["a{,2}", "a{,2}", "a{,2}"],
    ["\\`\\_\\-", "`_-", "`_-"],
  ])("%s on %j finds %j", (source, text, found) => {
    expect(matches(source, text)).toBe(found);
  });

  it.each([
    ["a(?=b)", /lookaround/],
    ["(a)\\1", /backreferences/],
    ["\\p{Greek}", /Unicode classes/],
    ["(?U)a+", /ungreedy/],
    ["[é]", /beyond ASCII/],
    ["(a", /never closed/],
    ["a)", /unmatched/],
    ["[a", /never closed/],
    ["[[:nope:]]", /not supported/],
    ["a\\", /backslash/],
    ["\\y", /no escape/],
    ["a**", /./],
    ["(?q)a", /unknown flags/],
  ])("%s is refused", (source, reason) => {
    expect(() => re2Pattern(source)).toThrow(reason);
    expect(() => re2Pattern(source)).toThrow(SyntaxError);
  });
});

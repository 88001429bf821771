import fc from "fast-check";
import { expect, test } from "vitest";
import { redactArguments } from "./redact-arguments.ts";

test.each([
  [
    ["mysql", "--password=hunter2", "-h", "db"],
    ["mysql", "--password=[redacted]", "-h", "db"],
  ],
  [
    ["psql", "--password", "hunter2"],
    ["psql", "--password", "[redacted]"],
  ],
  [
    ["/usr/bin/mysql", "-phunter2", "-uroot"],
    ["/usr/bin/mysql", "-p[redacted]", "-uroot"],
  ],
  [
    ["curl", "-u", "me:hunter2", "http://x/"],
    ["curl", "-u", "[redacted]", "http://x/"],
  ],
  [
    ["curl", "https://me:hunter2@example.com/a"],
    ["curl", "https://me:[redacted]@example.com/a"],
  ],
  [
    ["curl", "-H", "Authorization: Bearer abc.def.ghi"],
    ["curl", "-H", "Authorization: Bearer [redacted]"],
  ],
  [
    ["env", "AWS_SECRET_ACCESS_KEY=abc", "GITHUB_TOKEN=x", "run"],
    ["env", "AWS_SECRET_ACCESS_KEY=[redacted]", "GITHUB_TOKEN=[redacted]", "run"],
  ],
  [
    ["sh", "-c", "export DB_PASSWORD='a b' && run --token=xyz"],
    ["sh", "-c", "export DB_PASSWORD=[redacted] && run --token=[redacted]"],
  ],
])("%j", (words, shown) => {
  expect(redactArguments(words)).toEqual(shown);
});

test.each([
  [["ls", "-l", "/etc/passwd"]],
  [["git", "push", "origin", "main"]],
  [["passwd"]],
  [["node", "server.js", "--keys", "a"]],
])("%j holds no secret and comes back as it is", (words) => {
  expect(redactArguments(words)).toBe(words);
});

test("what follows a secret's name is never shown, and the number of words stays", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("password", "api-key", "db_token", "CLIENT_SECRET"),
      fc.stringMatching(/^[a-zA-Z0-9]{12,30}$/),
      fc.array(fc.string(), { maxLength: 4 }),
      (name, secret, rest) => {
        const shown = redactArguments(["run", ...rest.filter((word) => !word.startsWith("-")), `--${name}=${secret}`]);
        expect(shown.at(-1)).toBe(`--${name}=[redacted]`);
      },
    ),
  );
});

test.each(["a", "pass", "token=", "://a:", "password.", "-p "])(
  "a word of 128 KiB of %j does not stop the gateway",
  (part) => {
    const shown = redactArguments(["sh", "password", part.repeat(131_072 / part.length)]);
    expect(shown).toHaveLength(3);
  },
);

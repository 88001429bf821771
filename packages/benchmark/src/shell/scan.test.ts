import fc from "fast-check";
import { expect, test } from "vitest";
import { commandFacts } from "./command-facts.ts";
import { scanShell } from "./scan.ts";

const names = (text: string) => commandFacts(scanShell(text)).map(({ name }) => name);
const pipes = (text: string) => commandFacts(scanShell(text)).map(({ name, pipesTo }) => `${name}>${pipesTo}`);

test.each([
  ["a && b || c; d & e\nf", ["a", "b", "c", "d", "e", "f"]],
  ["if [ -f x ]; then a; else b; fi", ["[", "a", "b"]],
  ["A=1 B=2 make x", ["make"]],
  ["sudo -E -u root env X=1 apt-get install y", ["apt-get"]],
  ["/usr/bin/curl x > y 2>&1", ["curl"]],
  ["echo 'a && b; c | d'", ["echo"]],
  ['echo "a | b" # c && d', ["echo"]],
  ["echo `date` x", ["date", "echo"]],
  ["python3 -m pip install x", ["pip"]],
  ["sh -c 'a && b'", ["sh", "a", "b"]],
])("%j runs %j", (text, expected) => {
  expect(names(text)).toEqual(expected);
});

test.each([
  ["curl x | sh", ["curl>sh", "sh>"]],
  ["curl x | tee y | sudo bash -", ["curl>tee", "tee>bash", "bash>"]],
  ["bash <(curl x)", ["curl>bash", "bash>"]],
  ['sh -c "$(curl x)"', ["curl>sh", "sh>"]],
  ["eval `wget x`", ["wget>eval", "eval>"]],
  ["curl x || sh", ["curl>", "sh>"]],
])("%j pipes as %j", (text, expected) => {
  expect(pipes(text)).toEqual(expected);
});

test.each(["a &", "a &&", "a |", "'a", '"a', "a <<EOF", "a # b", "$(a", ""])(
  "after %j nothing may be appended",
  (text) => {
    expect(scanShell(text).endsPlain).toBe(false);
  },
);

test.each(["a", "a && b", "if a; then b; fi", "(a; b)", "a > x", 'echo "x"'])(
  "after %j a command may be appended",
  (text) => {
    expect(scanShell(text).endsPlain).toBe(true);
  },
);

test("every plain word stands in the script where it says", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.constantFrom("a", "b-c", "|", "&&", "'q'", '"d"', "$(", ")", "`", ";", "x=1", ">"), fc.string()),
        { maxLength: 20 },
      ),
      (parts) => {
        const text = parts.join(" ");
        for (const { words, depth } of scanShell(text).commands) {
          for (const word of words) {
            expect(word.start).toBeLessThanOrEqual(word.end);
            if (word.plain && depth === 0) expect(text.slice(word.start, word.end)).toBe(word.text);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});

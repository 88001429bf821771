import { expect, test } from "vitest";
import { readChecks } from "./read-checks.ts";
import { CHECK_FILES, SHIPPED_CHECKS } from "./testing/content.ts";

const GOOD = `id: image-x
title: X
severity: low
description: d
subject: image
each: env
fails: it.name == "X"
message: "X is {it.name}"
advice: a
`;

test("a check is read with its place", () => {
  expect(readChecks(GOOD, "x.yaml")[0]).toMatchObject({
    id: "image-x",
    severity: "low",
    each: "env",
    file: "x.yaml",
    line: 1,
  });
});

test.each([
  ["no YAML", "id: [", "x.yaml:1: the file: not YAML"],
  ["a missing key", GOOD.replace("advice: a\n", ""), 'x.yaml:1: check "image-x": "advice" must be text'],
  ["an unknown key", `${GOOD}sevrity: low\n`, 'x.yaml:10: check "image-x": unknown key "sevrity"'],
  ["an unknown severity", GOOD.replace("low", "bad"), 'x.yaml:3: check "image-x": unknown severity "bad"'],
  [
    "an unknown subject",
    GOOD.replace("subject: image", "subject: pod"),
    'x.yaml:5: check "image-x": unknown subject "pod"',
  ],
  [
    "an unknown list",
    GOOD.replace("each: env", "each: stages"),
    'x.yaml:6: check "image-x": "stages" is no list of this subject',
  ],
  [
    "a mistake in the expression",
    GOOD.replace('it.name == "X"', "nosuch == 1"),
    'x.yaml:7: check "image-x": Unknown variable: nosuch',
  ],
  [
    "an expression that is not true or false",
    GOOD.replace('it.name == "X"', `'"a"'`),
    "the expression gives string, but needs bool",
  ],
  ["a mistake in the message", GOOD.replace("{it.name}", "{it.}"), 'x.yaml:8: check "image-x"'],
  ["an id that is not kebab case", GOOD.replace("image-x", "Image X"), "the id must be kebab case"],
  [
    "two checks of one id",
    `- ${GOOD.replaceAll("\n", "\n  ")}\n- ${GOOD.replaceAll("\n", "\n  ")}`,
    "the id is taken by an earlier check",
  ],
  ["an empty list", "[]", "it holds no checks"],
  [
    "aliases that multiply",
    "a: &a [x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]\n",
    "not YAML",
  ],
])("%s is refused with file and line", (_, text, message) => {
  let error: unknown;
  try {
    readChecks(text, "x.yaml");
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({
    code: "CHECK_INVALID",
    next: "correct the file; docs/configuration-checks.md shows the form",
  });
  expect((error as Error).message).toContain(message);
});

test("no two shipped checks share an id", () => {
  const ids = SHIPPED_CHECKS.map(({ id }) => id);
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
});

test("every file of checks is visited by the tests that run samples", () => {
  const visited = SHIPPED_CHECKS.filter(
    ({ subject }) => subject === "image" || subject === "dockerfile" || subject.startsWith("app:"),
  );
  expect([...new Set(visited.map(({ file }) => file))].sort()).toEqual(
    CHECK_FILES.map((path) => `content/checks/${path}`).sort(),
  );
  expect(CHECK_FILES.every((path) => /^(image|dockerfile|app)\//.test(path))).toBe(true);
});

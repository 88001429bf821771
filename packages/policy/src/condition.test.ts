import { expect, test } from "vitest";
import { compileCondition } from "./condition.ts";

const subject = { severity: "critical", tags: ["escape"], image: "shop:1" };

test.each([
  ['alert.severity == "critical"', true],
  ['"escape" in alert.tags && alert.image.startsWith("shop")', true],
  ['alert.severity in ["low", "medium"]', false],
])("%s is %s", (expression, met) => {
  expect(compileCondition("alert", expression)(subject)).toBe(met);
});

test.each(["alert.severity ==", "other.severity == 1", "x(", ""])(
  "%j is refused when it is written, not when it is needed",
  (expression) => {
    expect(() => compileCondition("alert", expression)).toThrow(expect.objectContaining({ code: "POLICY_INVALID" }));
  },
);

test("what gives no truth value, or asks for what is not there, tells so instead of being false", () => {
  expect(() => compileCondition("alert", "alert.severity")(subject)).toThrow(
    expect.objectContaining({ code: "POLICY_FAILED" }),
  );
  expect(() => compileCondition("alert", "alert.nothing == 1")(subject)).toThrow(
    expect.objectContaining({ code: "POLICY_FAILED" }),
  );
});

test("neither a pattern nor a loop of one tenant's condition holds up everybody else", () => {
  const long = `${"a".repeat(50_000)}!`;
  // One that goes back in the text would not end before the sun.
  expect(compileCondition("alert", 'alert.output.matches("^(a+)+$")')({ output: long })).toBe(false);
  expect(compileCondition("alert", 'alert.output.matches("a!$")')({ output: long })).toBe(true);
  const loops = compileCondition("alert", "alert.tags.all(a, alert.tags.all(b, alert.tags.all(c, a + b != c)))");
  expect(() => loops({ tags: Array.from({ length: 2_000 }, (_, n) => `${n}`) })).toThrow(
    expect.objectContaining({ code: "POLICY_FAILED" }),
  );
  // The next one has all its steps again.
  expect(loops({ tags: ["1", "2"] })).toBe(true);
});

import { expect, test } from "vitest";
import { spanOf } from "./span.ts";

const NOW = new Date("2026-01-02T12:00:00Z");

test("a named span ends now; one that is unknown is a day", () => {
  expect(spanOf("hour", undefined, undefined, NOW)).toEqual({ since: "2026-01-02T11:00:00.000Z" });
  for (const name of [undefined, "toString", "<b>"]) {
    expect(spanOf(name, undefined, undefined, NOW)).toEqual({ since: "2026-01-01T12:00:00.000Z" });
  }
});

test("times of the address come before a name, and what is no time is left out", () => {
  expect(spanOf("hour", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", NOW)).toEqual({
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T01:00:00.000Z",
  });
  expect(spanOf("hour", "2026-01-01T00:00:00Z", "tomorrow", NOW)).toEqual({ since: "2026-01-01T00:00:00.000Z" });
  expect(spanOf("hour", "yesterday", undefined, NOW)).toEqual({ since: "2026-01-02T11:00:00.000Z" });
});

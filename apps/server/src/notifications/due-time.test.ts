import fc from "fast-check";
import { expect, test } from "vitest";
import { dueTime, isTimeZone } from "./due-time.ts";

const at = (text: string) => new Date(text);

test.each([
  [{}, "2026-06-01T08:07:00Z", "2026-06-01T08:07:00.000Z"],
  [{ digest: "hourly" }, "2026-06-01T08:07:30Z", "2026-06-01T09:00:00.000Z"],
  [{ digest: "hourly", timeZone: "Asia/Kolkata" }, "2026-06-01T08:07:00Z", "2026-06-01T08:30:00.000Z"],
  [{ digest: "daily" }, "2026-06-01T08:07:00Z", "2026-06-01T09:00:00.000Z"],
  [{ digest: "daily", digestHour: 8, timeZone: "Asia/Shanghai" }, "2026-06-01T08:07:00Z", "2026-06-02T00:00:00.000Z"],
  [{ quietFrom: "22:00", quietTo: "06:30" }, "2026-06-01T23:00:00Z", "2026-06-02T06:30:00.000Z"],
  [{ quietFrom: "22:00", quietTo: "06:30" }, "2026-06-01T06:30:00Z", "2026-06-01T06:30:00.000Z"],
  [{ quietFrom: "12:00", quietTo: "13:00" }, "2026-06-01T12:59:00Z", "2026-06-01T13:00:00.000Z"],
  // Clocks of Berlin go forward at 01:00 UTC on 29 March 2026, and back on 25 October.
  [{ digest: "daily", timeZone: "Europe/Berlin" }, "2026-03-28T20:00:00Z", "2026-03-29T07:00:00.000Z"],
  [{ digest: "daily", timeZone: "Europe/Berlin" }, "2026-10-24T20:00:00Z", "2026-10-25T08:00:00.000Z"],
] as const)("with %j a message of %s is sent at %s", (settings, now, due) => {
  expect(dueTime(settings, at(now)).toISOString()).toBe(due);
});

test("a message is never sent before it was written, nor more than two days later", () => {
  const clock = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`);
  const settings = fc.record({
    digest: fc.constantFrom("none" as const, "hourly" as const, "daily" as const),
    digestHour: fc.integer({ min: 0, max: 23 }),
    quietFrom: clock,
    quietTo: clock,
    timeZone: fc.constantFrom("UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"),
  });
  const moment = fc.date({ min: at("2026-01-01T00:00:00Z"), max: at("2027-01-01T00:00:00Z"), noInvalidDate: true });
  fc.assert(
    fc.property(settings, moment, (given, now) => {
      const wait = dueTime(given, now).getTime() - now.getTime();
      return wait >= 0 && wait <= 50 * 3_600_000;
    }),
  );
});

test("time zones are those of the IANA database", () => {
  expect(isTimeZone("Europe/Zurich")).toBe(true);
  expect(isTimeZone("Moon/Sea")).toBe(false);
});

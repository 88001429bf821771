import { expect, test } from "vitest";
import { stateOf } from "./waiver-state.ts";

const NOW = new Date("2026-06-10T23:59:00Z");
const approver = { id: 1, name: "A" };

test("a waiver waits until somebody approves it, counts to the end of its last day, and is over then", () => {
  expect(stateOf({ approver: null, until: "2026-06-10" }, NOW)).toBe("waiting");
  expect(stateOf({ approver, until: "2026-06-10" }, NOW)).toBe("inForce");
  expect(stateOf({ approver, until: "2026-06-10" }, new Date("2026-06-11T00:00:00Z"))).toBe("over");
  expect(stateOf({ approver: null, until: "2026-06-09" }, NOW)).toBe("over");
});

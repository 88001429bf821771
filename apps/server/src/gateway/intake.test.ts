import fc from "fast-check";
import { expect, test } from "vitest";
import { createIntake } from "./intake.ts";

test("a stream waits whenever, and only while, what was read of it weighs as much as the limit", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant("done" as const))), (steps) => {
      let isPaused = false;
      const intake = createIntake({ pause: () => (isPaused = true), resume: () => (isPaused = false) }, 10);
      const held: { weight: number; done: () => void }[] = [];
      for (const step of steps) {
        if (step === "done") held.shift()?.done();
        else held.push({ weight: step, done: intake.hold(step) });
        expect(isPaused).toBe(held.reduce((sum, { weight }) => sum + weight, 0) >= 10);
      }
    }),
  );
});

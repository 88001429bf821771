import { expect, test } from "vitest";
import { SEVERITIES, severityRank } from "./severity.ts";

test("an ascending sort by rank puts the worst severity first and the unknown last", () => {
  const shuffled = ["low", "unknown", "critical", "negligible", "medium", "high"] as const;
  expect(shuffled.toSorted((a, b) => severityRank(a) - severityRank(b))).toEqual([...SEVERITIES]);
});

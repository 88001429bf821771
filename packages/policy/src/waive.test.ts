import { expect, test } from "vitest";
import { readPolicy } from "./read-policy.ts";
import { finding } from "./testing/report.ts";
import { applyWaivers } from "./waive.ts";

function waive(fields: string, today = "2026-01-31") {
  const text = `name: w\nwaivers: [{finding: CVE-2021-44228, reason: lookups are off, until: "2026-01-31", ${fields}}]`;
  return applyWaivers([finding()], [readPolicy(text, "w.yaml")], { reference: "docker.io/library/app:1" }, today);
}

test("a waiver takes a finding out with its reason, its author and its last day", () => {
  expect(waive("approvedBy: Ada").suppressed).toEqual([
    {
      finding: finding(),
      by: "waiver",
      source: "w.yaml, approved by Ada",
      reason: "lookups are off",
      until: "2026-01-31",
    },
  ]);
});

test("a waiver holds through its last day and not on the next", () => {
  expect(waive("").findings).toHaveLength(0);
  expect(waive("", "2026-02-01").findings).toHaveLength(1);
});

test.each([
  ["package: log4j-core", 0],
  ["package: 'pkg:maven/org.apache.logging.log4j/*'", 0],
  ["package: log4j-api", 1],
  ["path: '/app/*.jar'", 0],
  ["path: '/opt/*'", 1],
])("a waiver limited to %s leaves %i findings", (fields, left) => {
  expect(waive(fields).findings).toHaveLength(left);
});

test("a waiver by alias covers the finding", () => {
  const text = "name: w\nwaivers: [{finding: GHSA-jfh8-c2jp-5v3q, reason: r, until: '2030-01-01'}]";
  const parted = applyWaivers([finding()], [readPolicy(text, "w.yaml")], { reference: "x" }, "2026-01-31");
  expect(parted.suppressed).toHaveLength(1);
});

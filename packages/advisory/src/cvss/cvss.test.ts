import fc from "fast-check";
import { expect, test } from "vitest";
import { bestCvss, readCvss, severityOfScore } from "./cvss.ts";

// Scores as published by NVD for these vectors, and the examples of FIRST's own documents.
test.each([
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10],
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8],
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5],
  ["CVSS:3.0/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", 5.4],
  ["CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8],
  ["CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:N", 0],
  ["CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.6],
  ["AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5],
  ["AV:N/AC:L/Au:N/C:C/I:C/A:C", 10],
  ["AV:N/AC:M/Au:N/C:N/I:P/A:N", 4.3],
  ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3],
  ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10],
])("%s scores %d", (vector, score) => {
  expect(readCvss(vector)?.score).toBe(score);
});

test("what is no vector has no score, whatever it is", () => {
  for (const text of [
    "",
    "CVSS:3.1/",
    "CVSS:3.1/AV:N",
    "CVSS:9.9/AV:N",
    "AV:X/AC:L/Au:N/C:P/I:P/A:P",
    "CVSS:4.0/AV:Q",
    "CVSS:3.1/AV:constructor/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    "CVSS:3.1/AV:N/AC:L/PR:toString/UI:N/S:U/C:H/I:H/A:H",
    "AV:N/AC:valueOf/Au:N/C:C/I:C/A:C",
  ]) {
    expect(readCvss(text)).toBeUndefined();
  }
  fc.assert(fc.property(fc.string(), (text) => readCvss(`CVSS:3.1/${text}`) === undefined));
  fc.assert(fc.property(fc.string(), (text) => readCvss(`CVSS:4.0/${text}`) === undefined));
});

test("the newest version wins, then the highest score", () => {
  const v2 = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
  const low = "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
  const high = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
  expect(bestCvss([v2, low, high, "nonsense"])?.vector).toBe(high);
  expect(bestCvss([v2])?.version).toBe("2.0");
  expect(bestCvss([])).toBeUndefined();
});

test("ratings change where the specification says", () => {
  expect([0, 0.1, 3.9, 4, 6.9, 7, 8.9, 9, 10].map(severityOfScore)).toEqual([
    "negligible",
    "low",
    "low",
    "medium",
    "medium",
    "high",
    "high",
    "critical",
    "critical",
  ]);
});

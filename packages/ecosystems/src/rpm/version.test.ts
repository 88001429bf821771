import { describe, expect, test } from "vitest";
import { pairsOf, testOrderLaws } from "../testing/order-laws.ts";
import { hasTool, runTool } from "../testing/tools.ts";
import { rpmVersions } from "./version.ts";

const PIECES = "0 1 2 09 10 . . _ + ~ ^ a b rc Z el9 git20240101";

describe("rpm versions", () => {
  testOrderLaws({
    scheme: rpmVersions,
    pieces: `${PIECES} - -1 1:`,
    ascending: [
      ["1.0~rc1-1", "1.0-1 1.0-01 1_0-1 0:1.0-1", "1.0^git1-1", "1.0.a-1 1.0a-1", "1.0.1-1", "1.1-1", "1:0.1-1"],
      ["1.0", "1.0-1"],
      ["5.1.8-6.el9", "5.1.8-6.el9_1", "5.1.8-6.el9_1.2", "5.1.8-9.el9"],
    ],
    unparsable: ["", " ", "a:1-1", "1 2", "-1", "99999999999:1-1", "1.0\u0000"],
  });

  test.skipIf(!hasTool("rpm"))("agree with rpm's own comparison on 3,000 pairs", () => {
    const pairs = pairsOf(PIECES, 3_000);
    const answers: string[] = [];
    for (let start = 0; start < pairs.length; start += 250) {
      const calls = pairs.slice(start, start + 250).map(([a, b]) => `print(rpm.vercmp("${a}","${b}").." ")`);
      answers.push(
        ...runTool("rpm", ["--eval", `%{lua:${calls.join(" ")}}`])
          .trim()
          .split(/\s+/),
      );
    }
    const wrong = pairs.flatMap(([a, b], index) => {
      const ours = Math.sign(rpmVersions.compare(rpmVersions.parse(a)!, rpmVersions.parse(b)!));
      return ours === Number(answers[index]) ? [] : [`${a} ? ${b}: rpm ${answers[index]}, here ${ours}`];
    });
    expect(answers.length).toBe(pairs.length);
    expect(wrong).toEqual([]);
  });
});

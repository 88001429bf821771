import { describe, expect, test } from "vitest";
import { pairsOf, testOrderLaws } from "../testing/order-laws.ts";
import { hasTool, runTool } from "../testing/tools.ts";
import { dpkgVersions } from "./version.ts";

const PIECES = "0 1 2 09 10 . . - + ~ a b rc Z : 1: deb12u1 -1 ~~";

describe("dpkg versions", () => {
  testOrderLaws({
    scheme: dpkgVersions,
    pieces: PIECES,
    ascending: [
      [
        "1.0~~",
        "1.0~~a",
        "1.0~",
        "1.0~rc1",
        "1.0 1.0-0 0:1.0 1.00",
        "1.0-0+b1",
        "1.0-1",
        "1.0a",
        "1.0+a",
        "1.1",
        "1:0.1",
      ],
      ["2.36-9+deb12u1", "2.36-9+deb12u9", "2.36-9+deb12u10"],
      ["1.2.3-1~deb11u1", "1.2.3-1", "1.2.3-1ubuntu1", "1.2.3-1+deb12u1", "1.2.3-2"],
      ["9007199254740993", "9007199254740994"],
    ],
    unparsable: ["", " ", "1.0-", "a:1", ":1", "1:", "1.0 2", "1_0", "99999999999:1", "1.0\n2", "2:-:rc1", "<unknown>"],
  });

  test.skipIf(!hasTool("dpkg"))("agree with dpkg --compare-versions on 1,500 pairs", () => {
    const pairs = pairsOf(PIECES, 1_500).filter((pair) => pair.every((text) => dpkgVersions.parse(text) !== undefined));
    const script =
      'while read -r a b; do if dpkg --compare-versions "$a" lt "$b" 2>/dev/null; then echo -1; elif dpkg --compare-versions "$a" eq "$b" 2>/dev/null; then echo 0; else echo 1; fi; done';
    const answers = runTool("bash", ["-c", script], `${pairs.map((pair) => pair.join(" ")).join("\n")}\n`);
    const wrong = answers
      .trim()
      .split("\n")
      .flatMap((answer, index) => {
        const [a, b] = pairs[index]!;
        const ours = Math.sign(dpkgVersions.compare(dpkgVersions.parse(a)!, dpkgVersions.parse(b)!));
        return ours === Number(answer) ? [] : [`${a} ? ${b}: dpkg ${answer}, here ${ours}`];
      });
    expect(pairs.length).toBeGreaterThan(500);
    expect(wrong).toEqual([]);
  });
});

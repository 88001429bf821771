import { describe, expect, test } from "vitest";
import { pairsOf, testOrderLaws } from "../testing/order-laws.ts";
import { hasTool, runTool } from "../testing/tools.ts";
import { pep440Versions } from "./version.ts";

const PIECES = "0 1 10 .0 .1 .10 a1 b2 rc1 .post1 -2 .dev3 +ubuntu.1 +1 .rev 1!2 -alpha _beta_4 c";
const hasPackaging =
  hasTool("python3") &&
  runTool("sh", ["-c", "python3 -c 'import packaging.version' 2>/dev/null && echo yes || true"]) !== "";

describe("PEP 440 versions", () => {
  testOrderLaws({
    scheme: pep440Versions,
    pieces: PIECES,
    ascending: [
      ["1.0.dev1", "1.0a1.dev1", "1.0a1 1.0-alpha.1 v1a1", "1.0a1.post1", "1.0b2", "1.0rc1 1.0c1 1.0-preview_1"],
      [
        "1.0rc1",
        "1.0 1 1.0.0",
        "1.0+abc",
        "1.0+abc.1",
        "1.0+5",
        "1.0.post1.dev2",
        "1.0.post1 1.0-1 1.0.r1",
        "1.1",
        "1!0.1",
      ],
      ["2013.10", "2014.4", "1!1.0"],
    ],
    unparsable: ["", "a", "1.0-", "1.0+", "1.0.x", "==1.0", "1.0 beta 2 3", "1.0+a_", "2004d1x"],
  });

  test.skipIf(!hasPackaging)("agree with Python's packaging library on 3,000 pairs", () => {
    const pairs = pairsOf(PIECES, 3_000);
    const script = `
import sys
from packaging.version import Version, InvalidVersion
for line in sys.stdin.read().split("\\n")[:-1]:
    try:
        a, b = (Version(part) for part in line.split(" "))
        print((a > b) - (a < b))
    except InvalidVersion:
        print("invalid")`;
    const answers = runTool("python3", ["-c", script], `${pairs.map((pair) => pair.join(" ")).join("\n")}\n`);
    const wrong = answers
      .trim()
      .split("\n")
      .flatMap((answer, index) => {
        const [a, b] = pairs[index]!.map((text) => pep440Versions.parse(text));
        const ours = a === undefined || b === undefined ? "invalid" : String(Math.sign(pep440Versions.compare(a, b)));
        return ours === answer ? [] : [`${pairs[index]!.join(" ? ")}: packaging ${answer}, here ${ours}`];
      });
    expect(wrong).toEqual([]);
  });
});

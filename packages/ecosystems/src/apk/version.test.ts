import { describe } from "vitest";
import { testOrderLaws } from "../testing/order-laws.ts";
import { apkVersions } from "./version.ts";

describe("apk versions", () => {
  testOrderLaws({
    scheme: apkVersions,
    pieces: "1 2 10 .1 .0 .01 .1 .10 a _alpha _rc1 _p _p2 _git20240101 -r0 -r1 ~abc1",
    ascending: [
      [
        "1.2_alpha",
        "1.2_alpha1",
        "1.2_beta",
        "1.2_pre2",
        "1.2_rc1",
        "1.2_rc1-r1",
        "1.2",
        "1.2-r0",
        "1.2-r1",
        "1.2~1a-r1",
      ],
      [
        "1.2-r10",
        "1.2_cvs1",
        "1.2_git20240101",
        "1.2_hg1",
        "1.2_p",
        "1.2_p0",
        "1.2_p1",
        "1.2a",
        "1.2b",
        "1.2.0",
        "1.2.1",
      ],
      ["1.01", "1.010", "1.1", "1.9", "1.10"],
      ["3.1.4-r5", "3.1.4-r6", "3.1.4-r10", "3.1.5-r0"],
      ["1.1.1a_p1", "1.1.1a_p1_p1", "1.1.1a_p1_p2"],
    ],
    unparsable: ["", "a", "1.", "1.2-1", "1.2_foo", "1.2-rc1", "1.2-r", "1.2ab", "v1.2", "1.2-r1_p1", "1.2 "],
  });
});

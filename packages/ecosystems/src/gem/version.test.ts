import { describe } from "vitest";
import { testOrderLaws } from "../testing/order-laws.ts";
import { gemVersions } from "./version.ts";

describe("RubyGems versions", () => {
  testOrderLaws({
    scheme: gemVersions,
    pieces: "0 1 10 .0 .1 .10 .a .b2 .rc1 -1 -beta rc",
    ascending: [
      ["1.0.a 1.a", "1.0.a.2", "1.0.a10", "1.0.b1", "1.0.pre", "1.0.rc1", "1 1.0 1.0.0", "1.0.1", "1.1"],
      ["1.16.0-x86", "1.16.0 1.16", "1.16.1"],
    ],
    unparsable: ["", "a", "1..0", "1.", ">= 1.0", "1.0_1", "v1"],
  });
});

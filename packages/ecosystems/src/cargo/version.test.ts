import { describe } from "vitest";
import { testOrderLaws } from "../testing/order-laws.ts";
import { cargoVersions } from "./version.ts";

describe("Cargo versions", () => {
  testOrderLaws({
    scheme: cargoVersions,
    pieces: ".0.0 .1.1 .1.10 -alpha .0.1-rc.1 .9 .2.0-x .2.0 .0.0+build",
    ascending: [["0.0.0-0", "0.0.0", "0.9.55-alpha.1", "0.9.55", "1.0.0-rc.9", "1.0.0-rc.10", "1.0.0 1.0.0+zstd.1.5"]],
    unparsable: ["", "1", "1.0", "v1.0.0", "1.0.0beta", "1.0.0.0", "*"],
  });
});

import { describe } from "vitest";
import { testOrderLaws } from "../testing/order-laws.ts";
import { composerVersions } from "./version.ts";

describe("Composer versions", () => {
  testOrderLaws({
    scheme: composerVersions,
    pieces: "0 1 .0 .1 .10 -alpha -beta2 RC1 -dev -p1 -stable b3",
    ascending: [
      [
        "1.0-dev",
        "1.0-alpha-dev",
        "1.0-alpha",
        "1.0-alpha1 1.0a1 1.0.0-alpha.1",
        "1.0-beta",
        "1.0-RC1 v1.0rc1 1.0.0.0-RC1",
      ],
      ["1.0-RC1", "1.0 v1 1.0.0 1.0.0.0 1.0-stable 1.0+meta", "1.0-patch", "1.0-p1 1.0-pl1", "1.0.1"],
      ["2010-01-02", "2010-01-03", "2011.10.01"],
    ],
    unparsable: [
      "",
      "dev-main",
      "dev-feature/x",
      "1.x-dev",
      "1.0.x-dev",
      "^1.0",
      "1.0-foo",
      "1.0-alpha1111111111111111111111111111111111x",
    ],
  });
});

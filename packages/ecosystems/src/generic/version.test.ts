import { describe } from "vitest";
import { testOrderLaws } from "../testing/order-laws.ts";
import { genericVersions } from "./version.ts";

describe("versions of software without a package manager", () => {
  testOrderLaws({
    scheme: genericVersions,
    pieces: "0 1 2 10 .0 .1 .10 -alpha -rc1 _292 w a -4 +9 -p1 dev",
    ascending: [
      [
        "1.1.1-dev",
        "1.1.1-pre2",
        "1.1.1-rc1",
        "1.1.1 1.1.1.0 v1.1.1 1.1.1+quic",
        "1.1.1a",
        "1.1.1w",
        "1.1.1za",
        "1.1.2",
      ],
      ["1.8.0_292", "1.8.0_392", "11.0.2+9 11.0.2"],
      ["1.25.3", "1.25.3-1", "1.25.4"],
    ],
    unparsable: ["", "x", "latest", "1 2", "-1"],
  });
});

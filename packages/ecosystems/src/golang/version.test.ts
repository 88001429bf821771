import { describe } from "vitest";
import { testOrderLaws } from "../testing/order-laws.ts";
import { golangVersions } from "./version.ts";

describe("Go versions", () => {
  testOrderLaws({
    scheme: golangVersions,
    pieces: ".0.0 .1.1 .1.10 -alpha -rc.1 -0.20200101000000-abcdefabcdef +incompatible .2.0",
    ascending: [
      ["v0.0.0-20190101000000-aaaaaaaaaaaa", "v0.0.0-20200101000000-000000000000", "v0.0.0", "v0.1.0 0.1.0"],
      ["v1.2.3", "v1.2.4-0.20200101000000-abcdefabcdef", "v1.2.4-rc.1", "v1.2.4 v1.2.4+incompatible"],
      ["1.21.0-0", "go1.21rc2 1.21.0-rc.2", "go1.21 go1.21.0 1.21.0", "go1.21.9", "go1.21.10 go1.21.10-vendor"],
      ["go1.22.3 go1.22.3-x", "go1.22.4"],
    ],
    unparsable: ["", "(devel)", "devel go1.22-abcdef", "v", "master", "go", "v1.0.0rc1"],
  });
});

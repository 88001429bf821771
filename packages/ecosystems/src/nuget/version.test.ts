import { describe } from "vitest";
import { testOrderLaws } from "../testing/order-laws.ts";
import { nugetVersions } from "./version.ts";

describe("NuGet versions", () => {
  testOrderLaws({
    scheme: nugetVersions,
    pieces: ".0 .1 .10 -alpha -RC.1 -rc.1 .x .9 +build",
    ascending: [["1.0-alpha", "1.0-Beta 1.0.0.0-BETA", "1.0-beta.2", "1 1.0 1.0.0.0 1.0.0+abc", "1.0.0.1", "1.0.1"]],
    unparsable: ["", "v1.0", "1.0.0.0.0", "1.0beta", "[1.0,2.0)", "1.*"],
  });
});

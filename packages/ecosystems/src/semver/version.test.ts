import { describe } from "vitest";
import { testOrderLaws } from "../testing/order-laws.ts";
import { semverVersions } from "./version.ts";

describe("semantic versions", () => {
  testOrderLaws({
    scheme: semverVersions,
    pieces: "0 1 2 10 .0 .1 .10 - -alpha -rc.1 .x .9 beta +build",
    ascending: [
      [
        "1.0.0-0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta 1.0.0beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
      ],
      ["1.0.0-rc.1", "1.0.0 v1 1.0 =1.0.0 1.0.0+build.5 1.0.0.0", "1.0.0.1", "1.0.1", "1.0.10"],
      ["9007199254740992.0.0", "9007199254740993.0.0"],
    ],
    unparsable: ["", "x", "1.x", "^1.0.0", "latest", "1..0", "1.0.0-", "1.0.0 || 2.0.0", "git+https://example.org/x"],
  });
});

import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pairsOf, testOrderLaws } from "../testing/order-laws.ts";
import { hasTool, runTool } from "../testing/tools.ts";
import { mavenVersions } from "./version.ts";

/** Of the Debian package `maven` 3.8.7. */
const JARS = ["/usr/share/maven/lib/maven-artifact-3.x.jar", "/usr/share/maven/lib/commons-lang3.jar"];
const canAskMaven = hasTool("java") && JARS.every((jar) => existsSync(jar));

describe("Maven versions", () => {
  testOrderLaws({
    scheme: mavenVersions,
    pieces: "0 1 2 10 .0 .1 .10 -1 -0 - a1 b alpha -beta-2 .RC1 -SNAPSHOT .Final -sp x .jre8 ga",
    ascending: [
      [
        "1-alpha 1.0-ALPHA",
        "1-alpha-1 1a1 1alpha1",
        "1-beta",
        "1-milestone",
        "1-m1",
        "1-rc 1-cr",
        "1-rc-1",
        "1-SNAPSHOT",
      ],
      [
        "1-snapshot",
        "1 1.0 1.0.0 1-ga 1.Final 1.0.0.RELEASE",
        "1-sp",
        "1-sp-1",
        "1-abc",
        "1-jre",
        "1-1",
        "1-2",
        "1.0.1",
        "1.1",
      ],
      ["2.14.1", "2.15.0", "2.17.0"],
      ["5.3.0.RC1 5.3.0-RC1", "5.3.0 5.3.0.Final", "5.3.1"],
    ],
    unparsable: ["", " ", "[1.0,2.0)", "$x.version", "1.0 2", "1\u0000"],
  });

  test.skipIf(!canAskMaven)("agree with Maven's own comparison on 600 chains", () => {
    const texts = pairsOf("0 1 2 10 .0 .1 .10 -1 a1 -alpha -beta-2 .RC1 -SNAPSHOT .Final -sp -x .jre8", 600)
      .flat()
      // Maven's own order is not transitive where something follows the empty qualifier.
      .filter((text) => !/final./i.test(text));
    const output = runTool("java", [
      "-cp",
      JARS.join(":"),
      "org.apache.maven.artifact.versioning.ComparableVersion",
      ...texts,
    ]);
    const wrong = [...output.matchAll(/^ {3}(\S+) (<|>|==) (\S+)$/gm)].flatMap(([, a = "", sign = "", b = ""]) => {
      const ours = mavenVersions.compare(mavenVersions.parse(a)!, mavenVersions.parse(b)!);
      const expected = { "<": -1, ">": 1, "==": 0 }[sign];
      return Math.sign(ours) === expected ? [] : [`${a} ${sign} ${b}, here ${ours}`];
    });
    expect(output.match(/^ {3}/gm)?.length).toBe(texts.length - 1);
    expect(wrong).toEqual([]);
  });
});

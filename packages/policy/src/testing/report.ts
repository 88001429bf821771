import type { Finding, SeverityCounts } from "@bulwark/model";
import type { Judgeable } from "../evaluate.ts";

const NONE: SeverityCounts = { critical: 0, high: 0, medium: 0, low: 0, negligible: 0, unknown: 0 };

/** A vulnerability finding for tests; `fields` replace the defaults. */
export function finding(fields: Partial<Finding> = {}): Finding {
  return {
    kind: "vulnerability",
    id: "CVE-2021-44228",
    severity: "critical",
    title: "Remote code execution through message lookups",
    package: { purl: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", name: "log4j-core", version: "2.14.1" },
    fixedVersion: "2.15.0",
    path: "/app/log4j-core-2.14.1.jar",
    layer: 1,
    origin: "own",
    aliases: ["GHSA-jfh8-c2jp-5v3q"],
    advice: "upgrade",
    ...fields,
  };
}

/** A report of one image with the given findings. */
export function report(findings: readonly Finding[], reference = "docker.io/library/app:1"): Judgeable {
  return {
    schemaVersion: 1,
    image: {
      reference,
      digest: "sha256:00",
      platform: "linux/amd64",
      os: { id: "debian", versionId: "12", name: "Debian 12" },
      created: "",
      size: 1000,
      layers: [],
      base: null,
    },
    packages: [],
    findings,
    suppressed: [],
    summary: { ...NONE, byOrigin: { base: NONE, own: NONE } },
    complete: true,
    problems: [],
    database: { built: "2026-01-01T00:00:00Z", records: 3, seedOnly: false },
  };
}

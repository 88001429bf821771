import { Environment } from "@marcbachmann/cel-js";

const LIMITS = { maxAstNodes: 20_000, maxDepth: 100 } as const;

let shared: Environment | undefined;

/** The variables a rule may speak of; an unknown name fails when the policy is read, not when an image is judged. */
export function policyEnvironment(): Environment {
  shared ??= new Environment({ limits: LIMITS })
    .registerVariable("image", "map", { description: "the report's image" })
    .registerVariable("packages", "list", { description: "the report's packages" })
    .registerVariable("findings", "list", { description: "findings that nothing suppresses" })
    .registerVariable("suppressed", "list", { description: "findings a VEX statement or a waiver took out" })
    .registerVariable("summary", "map", { description: "counts by severity and origin" })
    .registerVariable("problems", "list", { description: "what could not be read or judged" })
    .registerVariable("complete", "bool", { description: "false when there are problems" })
    .registerVariable("database", "map", {
      description: "built, records, seedOnly, ageDays; records is 0 when there is none",
    })
    .registerVariable("today", "string", { description: "YYYY-MM-DD" });
  return shared;
}

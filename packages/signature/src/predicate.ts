import { Environment } from "@marcbachmann/cel-js";

const LIMITS = { maxAstNodes: 5_000, maxDepth: 100 } as const;

let shared: Environment | undefined;

/** What a rule may ask of an attestation. */
export function predicateEnvironment(): Environment {
  shared ??= new Environment({ limits: LIMITS })
    .registerVariable("predicate", "map", { description: "the attestation's predicate" })
    .registerVariable("subject", "list", { description: "the subjects it speaks of" });
  return shared;
}

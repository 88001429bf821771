import { Environment } from "@marcbachmann/cel-js";
import { compileBounded } from "./bounded.ts";
import { PolicyError } from "./errors.ts";

const LIMITS = { maxAstNodes: 2_000, maxDepth: 50 } as const;
/** Conditions of one tenant are asked beside everybody else's. */
const MAX_STEPS = 500_000;

/** Says of a subject whether it meets a condition. */
export type Condition = (subject: Readonly<Record<string, unknown>>) => boolean;

/**
 * Compiles a condition over one named thing (Common Expression Language).
 *
 * @param name under which the condition speaks of its subject
 * @throws PolicyError `POLICY_INVALID` for what is no condition, or names something unknown
 * @example const isBad = compileCondition("alert", 'alert.severity == "critical"'); isBad({ severity: "critical" }) // true
 */
export function compileCondition(name: string, expression: string): Condition {
  const environment = new Environment({ limits: LIMITS }).registerVariable(name, "map");
  let evaluate: (context: Readonly<Record<string, unknown>>) => unknown;
  try {
    evaluate = compileBounded(environment, expression, MAX_STEPS);
  } catch (cause) {
    throw invalid(expression, cause);
  }
  return (subject) => {
    try {
      const value = evaluate({ [name]: subject });
      if (typeof value === "boolean") return value;
    } catch (cause) {
      throw new PolicyError(
        "POLICY_FAILED",
        `the condition ${expression} cannot be evaluated`,
        "guard optional fields with has(), and loop less",
        cause,
      );
    }
    throw new PolicyError("POLICY_FAILED", `the condition ${expression} gave no true or false`);
  };
}

function invalid(expression: string, cause: unknown): PolicyError {
  const why = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
  return new PolicyError(
    "POLICY_INVALID",
    `the condition ${expression} cannot be read: ${why}`,
    "correct the expression",
    cause,
  );
}

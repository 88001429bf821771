import { boundExpression, isNode, listed, type Meter, matchesGlob, type Node } from "@bulwark/policy";
import { Environment } from "@marcbachmann/cel-js";
import { describeFindings } from "./describe-findings.ts";

const LIMITS = { maxAstNodes: 2_000, maxDepth: 50, maxListElements: 200, maxMapEntries: 200 } as const;
const MAX_EXPRESSION_LENGTH = 8_192;
/** Names that an expression may speak of. */
const VARIABLES = {
  object: "the object of the request; null on DELETE",
  oldObject: "the object before an update, else null",
  request:
    "the AdmissionRequest of Kubernetes without the objects: operation, userInfo, dryRun, namespace, kind, subResource",
  pod: "metadata and spec of the pod that the object is or makes",
  container: "the container that is judged; for image volumes its name and image",
  image: "the container's image: reference, registry, repository, tag, digest, pinned, and what Bulwark knows of it",
  ns: "name, labels and business grade of the namespace (`namespace` is a reserved word of CEL)",
  cluster: "name and business grade of the cluster",
  exposed: "whether a service that the internet reaches selects the pod",
  params: "the policy's parameters, made stricter by grade or exposure",
} as const;
type VariableName = keyof typeof VARIABLES;
export type Context = Readonly<Record<VariableName, unknown>>;

/** What an image's reference alone tells; for everything else of `image` it must have been scanned. */
const OF_REFERENCE: ReadonlySet<string> = new Set(["reference", "registry", "repository", "tag", "pinned"]);

/** A compiled expression. */
export interface Expression {
  readonly text: string;
  readonly uses: ReadonlySet<VariableName>;
  /** What it gives, by its types alone: `bool`, or `dyn` where only the evaluation tells. */
  readonly type: string;
  /** Members of variables that have to be there, such as `image.counts` and `image.counts.high`. */
  readonly members: readonly string[];
  /** It asks what only a scan tells. */
  readonly needsReport: boolean;
  /** It calls a function that Kubernetes has not. */
  readonly isOurs: boolean;
  /** @throws what the engine throws: a missing member, a wrong type, or nothing left to spend */
  evaluate(context: Context): unknown;
}

let shared: Environment | undefined;

function environment(): Environment {
  shared ??= Object.entries(VARIABLES)
    .reduce(
      (made, [name, description]) =>
        made.registerVariable(name, name === "exposed" ? "bool" : name === "oldObject" ? "dyn" : "map", {
          description,
        }),
      new Environment({ limits: LIMITS, enableOptionalTypes: true, homogeneousAggregateLiterals: false }),
    )
    .registerFunction("glob(string, string): bool", (pattern: string, text: string) => matchesGlob(pattern, text))
    .registerFunction("describe(dyn): string", (findings: unknown) => describeFindings(findings));
  return shared;
}
const OUR_FUNCTIONS: ReadonlySet<string> = new Set(["glob", "describe"]);

/**
 * Compiles an expression whose evaluation is counted.
 *
 * @param meter is spent by evaluations; whoever evaluates fills it before
 * @throws Error that says in one line what is wrong
 * @example compileExpression("pod.spec.?hostNetwork.orValue(false)", meter).uses // Set { "pod" }
 */
export function compileExpression(text: string, meter: Meter): Expression {
  if (text.length > MAX_EXPRESSION_LENGTH) throw new Error(`it has more than ${MAX_EXPRESSION_LENGTH} characters`);
  const run = environment().parse(text);
  const { valid, error, type = "dyn" } = run.check();
  if (!valid) throw new Error(firstLine(error));
  const nodes = boundExpression(run.ast, meter);
  const names = nodes.filter(({ op }) => op === "id").map(({ args }) => args);
  const ofReference = nodes.filter(isOfReference).length;
  const guarded = new Set(
    nodes.flatMap(({ op, args }) => (op === "call" && listed(args)[0] === "has" ? listed(listed(args)[1]) : [])),
  );
  return {
    text,
    type,
    members: [...new Set(nodes.filter((node) => !guarded.has(node)).flatMap(memberPath))],
    uses: new Set(Object.keys(VARIABLES).filter((name) => names.includes(name)) as VariableName[]),
    needsReport: names.filter((name) => name === "image").length > ofReference,
    isOurs: nodes.some(({ op, args }) => op === "call" && OUR_FUNCTIONS.has(String(listed(args)[0]))),
    evaluate: (context) => run(context),
  };
}

/** `image.counts.high` of the node that selects `high`; nothing of any other. */
function memberPath(node: Node): readonly string[] {
  const [left, right] = listed(node.args);
  if (node.op !== "." || !isNode(left)) return [];
  if (left.op === "id") return Object.hasOwn(VARIABLES, String(left.args)) ? [`${left.args}.${right}`] : [];
  return memberPath(left).map((path) => `${path}.${right}`);
}

function isOfReference({ op, args }: Node): boolean {
  const [left, right] = listed(args);
  return op === "." && isNode(left) && left.op === "id" && left.args === "image" && OF_REFERENCE.has(String(right));
}

/** An error of the engine without the excerpt that it draws below. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? text;
}

import type { Fields } from "@bulwark/model";
import { templateParts } from "../template.ts";
import { type BenchmarkCheck, factKindOf, type ParameterValue } from "./check.ts";
import { benchmarkEnvironment, clusterContext } from "./environment.ts";
import type { ClusterFacts, ContainerFacts, GatheredFacts } from "./facts.ts";
import { linkCluster } from "./link-cluster.ts";
import { NodeView } from "./node-view.ts";
import { UnreadFact } from "./unread.ts";

/** Entries at fault that are listed of one check; the others are counted. */
const MAX_PLACES = 50;
const MAX_TEXT = 300;

export type Outcome = "pass" | "fail" | "manual" | "not-applicable" | "undetermined";

/** What one check found. */
export interface Judgement {
  readonly check: string;
  readonly outcome: Outcome;
  /** What was found, or why nothing can be said: one line. */
  readonly evidence: string;
  /** Of checks on a list: entries that were judged, those at fault, and the first of these. */
  readonly judged: number;
  readonly faulty: number;
  readonly places: readonly Place[];
}

/** An entry of a list that is at fault. */
export interface Place {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly evidence: string;
}

/** How a place differs from what checks do by themselves. */
export interface Tuning {
  /** Checks that are not judged, and why. */
  readonly off: ReadonlyMap<string, string>;
  readonly parameters: ReadonlyMap<string, Readonly<Record<string, ParameterValue>>>;
  /** Entries that are left out of a check. */
  readonly leaveOut: (check: string, place: Omit<Place, "evidence">) => boolean;
}

export const NO_TUNING: Tuning = { off: new Map(), parameters: new Map(), leaveOut: () => false };

/** What is judged. */
export interface BenchmarkFacts {
  readonly node?: GatheredFacts;
  readonly containers?: ContainerFacts;
  readonly cluster?: ClusterFacts;
}

type Evaluate = (context: Fields) => unknown;
const compiled = new Map<string, Evaluate>();

/**
 * Judges what is known by those checks that are about it.
 *
 * A fact that was not read makes a check undetermined, except where the expression is decided without it.
 *
 * @example judge(checks, { node: facts }).filter(({ outcome }) => outcome === "fail");
 */
export function judge(
  checks: readonly BenchmarkCheck[],
  facts: BenchmarkFacts,
  tuning: Tuning = NO_TUNING,
): readonly Judgement[] {
  const contexts = new Map<string, Fields>();
  if (facts.node !== undefined) contexts.set("node", { node: new NodeView(facts.node) });
  if (facts.containers !== undefined) contexts.set("container", { containers: facts.containers.containers });
  if (facts.cluster !== undefined) contexts.set("cluster", clusterContext(linkCluster(facts.cluster)));
  return checks.flatMap((check) => {
    const context = contexts.get(factKindOf(check.subject));
    return context === undefined ? [] : [judgeOne(check, context, tuning)];
  });
}

function judgeOne(check: BenchmarkCheck, known: Fields, tuning: Tuning): Judgement {
  const off = tuning.off.get(check.id);
  if (off !== undefined)
    return answer(check, "not-applicable", off === "" ? "switched off here" : `switched off here: ${off}`);
  const params = { ...check.parameters, ...tuning.parameters.get(check.id) };
  // The lists of a cluster throw when they are asked for: they must not be copied.
  const context = Object.create(known, { params: { value: params, enumerable: true } }) as Fields;
  try {
    if (!appliesTo(check, context))
      return answer(check, "not-applicable", check.program === "" ? "" : `${check.program} does not run here`);
    if (check.fails === "") return answer(check, "manual", "");
    if (check.each !== "") return judgeList(check, context, tuning);
    const isFaulty = run(check, check.fails, context, {}) === true;
    return answer(check, isFaulty ? "fail" : "pass", isFaulty ? rendered(check, context, {}) : "");
  } catch (error) {
    return answer(check, "undetermined", reasonOf(error));
  }
}

function appliesTo(check: BenchmarkCheck, context: Fields): boolean {
  if (check.program !== "" && !(context.node as NodeView).runs(check.program)) return false;
  return check.applies === "" || run(check, check.applies, context, {}) === true;
}

function judgeList(check: BenchmarkCheck, context: Fields, tuning: Tuning): Judgement {
  const list = context[check.each];
  const entries = Array.isArray(list) ? (list as readonly Fields[]) : [];
  const places: Place[] = [];
  let judged = 0;
  let faulty = 0;
  let unread: string | undefined;
  for (const it of entries) {
    const place = { kind: textOf(it.kind), namespace: textOf(it.namespace), name: textOf(it.name) };
    if (tuning.leaveOut(check.id, place)) continue;
    judged++;
    try {
      if (run(check, check.fails, context, it) !== true) continue;
      faulty++;
      if (places.length < MAX_PLACES) places.push({ ...place, evidence: rendered(check, context, it) });
    } catch (error) {
      unread ??= reasonOf(error);
    }
  }
  const outcome =
    faulty > 0 ? "fail" : unread !== undefined ? "undetermined" : judged === 0 ? "not-applicable" : "pass";
  const evidence = faulty > 0 ? `${faulty} of ${judged} are at fault` : (unread ?? "");
  return { ...answer(check, outcome, evidence), judged, faulty, places };
}

function answer(check: BenchmarkCheck, outcome: Outcome, evidence: string): Judgement {
  return { check: check.id, outcome, evidence, judged: 0, faulty: 0, places: [] };
}

function rendered(check: BenchmarkCheck, context: Fields, it: Fields): string {
  const parts = templateParts(check.message).map(({ text, expression }) => {
    if (expression === "") return text;
    try {
      return shown(run(check, expression, context, it));
    } catch {
      // What the message would show may be unread although the verdict is clear without it.
      return "?";
    }
  });
  return printable(parts.join(""));
}

function run(check: BenchmarkCheck, expression: string, context: Fields, it: Fields): unknown {
  const key = `${factKindOf(check.subject)} ${expression}`;
  let evaluate = compiled.get(key);
  if (evaluate === undefined) {
    const parsed = benchmarkEnvironment(check.subject).parse(expression);
    evaluate = (values) => parsed(values);
    compiled.set(key, evaluate);
  }
  return evaluate(Object.create(context, { it: { value: it, enumerable: true } }) as Fields);
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
  return printable(error instanceof UnreadFact ? text : text.replace(/^.*UnreadFact:\s*/, ""));
}

function shown(value: unknown): string {
  const text = Array.isArray(value) ? value.map(shown).join(", ") : String(value);
  return text === "" ? "empty" : text;
}

function printable(text: string): string {
  const clean = text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return clean.length <= MAX_TEXT ? clean : `${clean.slice(0, MAX_TEXT - 1)}…`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

import { fieldsOf, textOf } from "@bulwark/model";
import { matchesGlob } from "@bulwark/policy";
import { brakesOn } from "./brake.ts";
import { BREAK_GLASS_ANNOTATION, type Exception, type Grant } from "./bundle.ts";
import type { CompiledBundle, CompiledPolicy, CompiledRule } from "./compile-bundle.ts";
import { type Context, firstLine } from "./expression.ts";
import { type FactsAnswer, type ImageFacts, unknownImage } from "./facts.ts";
import { clean } from "./message.ts";
import { type Pod, type PodContainer, podOf } from "./pod.ts";
import type { Mode } from "./policy.ts";
import { type SplitReference, splitReference } from "./reference.ts";
import type { AdmissionRequest } from "./review.ts";
import { gradeOf, isExposed, isInScope, type Surroundings, strictnessOf } from "./scope.ts";

/** Steps of one rule, and of a whole review. A hundred rules over a thousand containers take about 1,500,000. */
const MAX_STEPS_OF_RULE = 500_000;
const MAX_STEPS = 5_000_000;
/** Characters of a name that are told. */
const MAX_SHOWN = 300;
/** Long before the API server gives up (`timeoutSeconds`). */
const MAX_MS = 1_500;
const MAX_CONTAINERS = 10_000;
/** More violations than a person reads; the rest is counted. */
const MAX_VIOLATIONS = 100;

/** A rule that an object breaks. */
export interface Violation {
  readonly policy: string;
  readonly rule: string;
  /** `brake`: the emergency brake, which knows no mode. */
  readonly mode: Exclude<Mode, "off"> | "brake";
  readonly message: string;
  /** Empty for what is of the pod or the object. */
  readonly container: string;
  readonly image: string;
  /** The exception that takes it out; empty for none. */
  readonly exception: string;
}

/** What was decided, and why. */
export interface Judgement {
  readonly allowed: boolean;
  /** Something would have been denied if every policy were enforced. */
  readonly wouldDeny: boolean;
  readonly violations: readonly Violation[];
  /** Violations that were not kept because there were too many. */
  readonly more: number;
  /** The grant that let a denied object pass. */
  readonly grant: Grant | undefined;
  /** References of images of which nothing was known. */
  readonly unknown: readonly string[];
  /** Policies that looked at the object. */
  readonly asked: readonly string[];
  readonly exposed: boolean;
}

/** An object about which no policy was asked. */
export const UNTOUCHED: Judgement = {
  ...{ allowed: true, wouldDeny: false, violations: [], more: 0, grant: undefined, unknown: [], asked: [] },
  exposed: false,
};

/**
 * Judges a request. What cannot be evaluated is no pass: the policy says by `onError` what it is.
 *
 * @param clock `now`: milliseconds since 1970. `elapsed`: milliseconds since the review came, to stop what takes too long
 * @example judge(readReview(body), compileBundle(bundle), answer, { now: Date.now(), elapsed: () => 0 }).allowed
 */
export function judge(
  request: AdmissionRequest,
  compiled: CompiledBundle,
  facts: FactsAnswer,
  clock: { readonly now: number; elapsed(): number },
  pod: Pod | undefined = podOf(request),
): Judgement {
  if (request.operation === "DELETE") return UNTOUCHED;
  const { bundle, meter } = compiled;
  const labels = pod?.labels ?? labelsOf(request);
  const exposed = pod !== undefined && isExposed(facts.namespace, labels);
  const at: Surroundings = {
    ...{ kind: request.kind.kind, operation: request.operation, namespace: request.namespace },
    ...{ facts: facts.namespace, cluster: bundle.cluster, labels, exposed },
  };
  const trial: Trial = {
    request,
    pod,
    at,
    facts,
    clock,
    compiled,
    kept: new Map(),
    found: [],
    more: 0,
    isLate: false,
    unknown: new Set(),
    asked: [],
  };
  meter.left = MAX_STEPS;
  meter.values = request.values;
  if (pod !== undefined && pod.containers.length > MAX_CONTAINERS) tooMany(trial, pod.containers.length);
  else {
    if (pod?.isChanged) askBrakes(trial, pod);
    for (const policy of compiled.policies) {
      trial.isLate ||= clock.elapsed() > MAX_MS;
      askPolicy(trial, policy);
    }
  }
  return concluded(trial);
}

interface Trial {
  readonly request: AdmissionRequest;
  readonly pod: Pod | undefined;
  readonly at: Surroundings;
  readonly facts: FactsAnswer;
  readonly clock: { readonly now: number; elapsed(): number };
  readonly compiled: CompiledBundle;
  readonly found: Violation[];
  /** Violations by mode and whether an exception takes them out. */
  readonly kept: Map<string, number>;
  more: number;
  isLate: boolean;
  readonly unknown: Set<string>;
  readonly asked: string[];
}

function concluded(trial: Trial): Judgement {
  const { found, more, unknown, asked, at } = trial;
  const counted = found.filter(({ exception }) => exception === "");
  const denied = counted.filter(({ mode }) => mode !== "audit");
  const isBraked = denied.some(({ mode }) => mode === "brake");
  const grant = denied.length === 0 ? undefined : grantFor(trial, isBraked);
  return {
    allowed: denied.length === 0 || grant !== undefined,
    wouldDeny: counted.length > 0,
    ...{ violations: found, more, grant, unknown: [...unknown], asked, exposed: at.exposed },
  };
}

/** The leave that covers the request: named user or code, namespace, and time. */
function grantFor({ request, pod, clock, compiled }: Trial, isBraked: boolean): Grant | undefined {
  const written = [pod?.annotations, annotationsOf(request)].map((notes) => notes?.[BREAK_GLASS_ANNOTATION] ?? "");
  return compiled.bundle.grants.find(
    ({ code, user, namespace, until, passesBrake }) =>
      clock.now < Date.parse(until) &&
      (code !== "" || (user !== "" && user !== "*")) &&
      (code === "" || written.includes(code)) &&
      matchesGlob(user === "" ? "*" : user, request.user) &&
      matchesGlob(namespace, request.namespace) &&
      (!isBraked || passesBrake),
  );
}

function askBrakes(trial: Trial, pod: Pod): void {
  const { bundle } = trial.compiled;
  if (bundle.brakes.length === 0) return;
  for (const container of pod.containers) {
    if (!container.isChanged) continue;
    const facts = factsOf(trial, container);
    const reference = splitReference(container.image);
    for (const brake of brakesOn(bundle, facts, reference)) {
      const isUnknown = brake.kind !== "digest" && facts.state !== "known";
      const what = `${brake.kind === "flaw" ? "flaw" : brake.kind} ${brake.pattern}`;
      const message = isUnknown
        ? `${named(container)} is not scanned yet, and the emergency brake is on for ${what} (${brake.reason}): try again when it is scanned`
        : `${named(container)} holds ${what}, which the emergency brake denies everywhere: ${brake.reason}`;
      note(
        trial,
        { policy: "emergency-brake", rule: brake.id, mode: "brake", message, ...whose(container) },
        undefined,
      );
    }
  }
}

function askPolicy(trial: Trial, compiled: CompiledPolicy): void {
  const { at, pod, request } = trial;
  const { policy, rules } = compiled;
  if (!isInScope(policy.scope, at)) return;
  const { mode, params } = strictnessOf(compiled, trial.compiled, at);
  if (mode === "off") return;
  const isIdle = pod !== undefined && !pod.isChanged;
  let isAsked = false;
  for (const compiledRule of rules) {
    const { rule } = compiledRule;
    if (rule.on === "object") {
      if (pod !== undefined && request.operation === "UPDATE" && isIdle) continue;
      isAsked = true;
      askRule(trial, compiled, mode, compiledRule, contextOf(trial, params));
    } else if (pod === undefined || isIdle) continue;
    else if (rule.on === "pod") {
      isAsked = true;
      askRule(trial, compiled, mode, compiledRule, contextOf(trial, params));
    } else {
      isAsked = true;
      for (const container of pod.containers) {
        if (!container.isChanged || !rule.containers.includes(container.type)) continue;
        askOfContainer(trial, compiled, mode, compiledRule, params, container);
      }
    }
  }
  if (isAsked) trial.asked.push(policy.name);
}

function askOfContainer(
  trial: Trial,
  compiled: CompiledPolicy,
  mode: Exclude<Mode, "off">,
  rule: CompiledRule,
  params: unknown,
  container: PodContainer,
): void {
  const facts = factsOf(trial, container);
  if (rule.deny.needsReport && facts.state !== "known") {
    trial.unknown.add(container.image);
    const { unknown, name } = compiled.policy;
    if (unknown === "allow") return;
    const why = facts.state === "pending" ? "is being scanned; try again in a moment" : `is unknown: ${facts.problem}`;
    const message = `${named(container)} ${why}`;
    const stated = unknown === "audit" ? "audit" : mode;
    note(trial, { policy: name, rule: rule.rule.id, mode: stated, message, ...whose(container) }, container);
    return;
  }
  askRule(trial, compiled, mode, rule, contextOf(trial, params, container, facts), container);
}

function askRule(
  trial: Trial,
  { policy }: CompiledPolicy,
  mode: Exclude<Mode, "off">,
  { rule, deny, message }: CompiledRule,
  context: Context,
  container?: PodContainer,
): void {
  const { meter } = trial.compiled;
  const all = meter.left;
  meter.left = Math.min(all, MAX_STEPS_OF_RULE);
  meter.isExhausted = false;
  const given = meter.left;
  let value: unknown;
  let problem = "";
  if (trial.isLate) problem = `the review takes longer than ${MAX_MS} ms`;
  try {
    if (problem === "") value = deny.evaluate(context);
    if (problem === "" && typeof value !== "boolean") problem = `it gives ${typeof value}, not true or false`;
  } catch (error) {
    problem = firstLine(error);
  }
  // Loops pass over errors of their turns: what ran out is told by the meter alone.
  if (meter.isExhausted) problem = "it takes more steps than a rule may";
  const spent = given - meter.left;
  const isBroken = problem === "" && value === true;
  if (isBroken || (problem !== "" && policy.onError === "deny")) {
    meter.left = MAX_STEPS_OF_RULE;
    const text = problem === "" ? message.render(context) : `the rule cannot be evaluated: ${clean(problem)}`;
    note(trial, { policy: policy.name, rule: rule.id, mode, message: text, ...whose(container) }, container);
  }
  meter.left = all - spent;
}

type Noted = Omit<Violation, "exception">;

function note(trial: Trial, violation: Noted, container: PodContainer | undefined): void {
  const exception = violation.mode === "brake" ? undefined : exceptionFor(trial, violation, container);
  // Each sort has its own bound: a hundred excused violations must not hide one that denies.
  const sort = `${violation.mode} ${exception !== undefined}`;
  const kept = trial.kept.get(sort) ?? 0;
  trial.kept.set(sort, kept + 1);
  if (kept >= MAX_VIOLATIONS) trial.more++;
  else trial.found.push({ ...violation, exception: exception?.id ?? "" });
}

function exceptionFor(
  { request, clock, compiled }: Trial,
  violation: Noted,
  container: PodContainer | undefined,
): Exception | undefined {
  const name = nameOf(request);
  return compiled.bundle.exceptions.find(
    ({ policy, rule, namespace, object, image, until }) =>
      policy === violation.policy &&
      (rule === "" || rule === violation.rule) &&
      // One of another namespace, or a pattern over many, would let anybody who may write exceptions there pass here.
      namespace === request.namespace &&
      clock.now < Date.parse(until) &&
      matchesGlob(object, name) &&
      (image === "*" || (container !== undefined && matchesGlob(image, container.image))),
  );
}

function tooMany(trial: Trial, count: number): void {
  const message = `the pod has ${count} containers and image volumes; ${MAX_CONTAINERS} at most are judged`;
  trial.found.push({
    ...{ policy: "bounds", rule: "containers", mode: "enforce", message },
    ...{ container: "", image: "", exception: "" },
  });
}

function contextOf(trial: Trial, params: unknown, container?: PodContainer, facts?: ImageFacts): Context {
  const { request, pod, at } = trial;
  return {
    object: request.seenObject ?? {},
    oldObject: request.seenOldObject ?? null,
    request: request.seen,
    pod: pod?.seen ?? {},
    container: container?.seen ?? {},
    image: container === undefined || facts === undefined ? {} : imageContext(container.image, facts),
    ns: { name: at.namespace, known: at.facts.known, labels: at.facts.labels, grade: gradeOf(at) },
    cluster: { name: at.cluster.name, grade: at.cluster.grade },
    exposed: at.exposed,
    params,
  };
}

/** Made once for each pair of facts and reference: a hundred rules ask of the same image. */
const contexts = new WeakMap<ImageFacts, Map<string, unknown>>();
const MAX_SPELLINGS = 8;

function imageContext(text: string, facts: ImageFacts): unknown {
  let made = contexts.get(facts);
  if (made === undefined || made.size > MAX_SPELLINGS) {
    made = new Map();
    contexts.set(facts, made);
  }
  const known = made.get(text);
  if (known !== undefined) return known;
  const context = { ...facts, ...ofReference(text, splitReference(text)) };
  made.set(text, context);
  return context;
}

function ofReference(text: string, reference: SplitReference | undefined) {
  const { registry = "", repository = "", tag = "", digest = "" } = reference ?? {};
  return { reference: text, registry, repository, tag, pinned: digest !== "" };
}

const NOT_ASKED = unknownImage("nobody was asked about it");
const NO_REFERENCE = unknownImage("it is no image reference");

function factsOf({ facts }: Trial, { image }: PodContainer): ImageFacts {
  const known = Object.hasOwn(facts.images, image) ? facts.images[image] : undefined;
  return known ?? (splitReference(image) === undefined ? NO_REFERENCE : NOT_ASKED);
}

function named({ name, image }: PodContainer): string {
  return `image ${shown(image)} of ${shown(name)}`;
}

function whose(container: PodContainer | undefined): { readonly container: string; readonly image: string } {
  return { container: shown(container?.name ?? ""), image: shown(container?.image ?? "") };
}

/** A name may be as long as an object may be. */
function shown(text: string): string {
  return clean(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

/** The object's name, or what the server will make it from. */
export function nameOf({ name, object }: Pick<AdmissionRequest, "name" | "object">): string {
  if (name !== "") return name;
  const metadata = fieldsOf(object?.metadata);
  return textOf(metadata.name) === "" ? textOf(metadata.generateName) : textOf(metadata.name);
}

function labelsOf({ object }: AdmissionRequest): Readonly<Record<string, string>> {
  return fieldsOf(fieldsOf(object?.metadata).labels) as Readonly<Record<string, string>>;
}

function annotationsOf({ object }: AdmissionRequest): Readonly<Record<string, string>> {
  return fieldsOf(fieldsOf(object?.metadata).annotations) as Readonly<Record<string, string>>;
}

import {
  type AdmissionRequest,
  answerTo,
  type CompiledBundle,
  clean,
  compileBundle,
  type FactsAnswer,
  type Judgement,
  judge,
  mutate,
  nameOfRequest,
  type Pod,
  patchAnswer,
  podOf,
  type ReviewAnswer,
  readReview,
  splitReference,
} from "@bulwark/kubernetes";
import { CodedError } from "@bulwark/model";
import type { DecisionBuffer } from "./decision-buffer.ts";
import type { FactsCache } from "./facts-cache.ts";
import type { AdmissionSource, Decision, DecisionVerdict } from "./source.ts";

const MAX_NAME = 300;
/** Violations of one decision that are told: each rule once, whatever number of containers break it. */
const MAX_TOLD = 60;
const MAX_MESSAGE = 400;

export interface DecideDeps {
  readonly source: AdmissionSource;
  readonly cache: FactsCache;
  readonly decisions: DecisionBuffer;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly onProblem: (problem: string) => void;
}

/** Answers reviews by the newest bundle. */
export interface Decider {
  /** @param waitMs how long an image that nobody knows is waited for */
  validate(body: string, waitMs: number): Promise<ReviewAnswer>;
  mutate(body: string, waitMs: number): Promise<ReviewAnswer>;
  /** Why nothing can be judged yet; empty when it can. */
  readonly notReady: string;
  readonly revision: number;
  close(): void;
}

export function createDecider({ source, cache, decisions, clock, onProblem }: DecideDeps): Decider {
  let compiled: CompiledBundle | undefined;
  const take = () => {
    const bundle = source.bundle();
    if (bundle === undefined || bundle === compiled?.bundle) return;
    compiled = compileBundle(bundle);
    for (const problem of compiled.problems) onProblem(problem);
  };
  take();
  const end = source.onChange((change) => {
    if (change.what === "bundle") take();
    else cache.invalidate(change.digests, change.all);
  });
  const current = (): CompiledBundle => {
    if (compiled !== undefined) return compiled;
    throw new CodedError("NOT_READY", "no policies have come from the server yet", "wait until it can be reached");
  };

  return {
    async validate(body, waitMs) {
      const began = clock();
      const request = readReview(body);
      const pod = podOf(request);
      const { needsReports } = current();
      const facts = await factsFor(request, pod, needsReports, waitMs);
      // The wait may have been long: a brake that was pulled meanwhile counts.
      const judgement = judge(request, current(), facts, { now: clock(), elapsed: elapsedSince() }, pod);
      if (judgement.asked.length > 0 || judgement.violations.length > 0)
        decisions.add(decisionOf(request, judgement, began, clock()));
      return answerTo(request.uid, judgement);
    },
    async mutate(body, waitMs) {
      const request = readReview(body);
      const { mutation } = current().bundle;
      const pod = request.operation === "DELETE" ? undefined : podOf(request);
      const facts = await factsFor(request, pod, mutation.pinDigests, waitMs);
      return patchAnswer(request.uid, mutate(request, pod, facts, current().bundle.mutation), (text) =>
        Buffer.from(text, "utf8").toString("base64"),
      );
    },
    get notReady() {
      return compiled === undefined ? "no policies have come from the server yet" : "";
    },
    get revision() {
      return compiled?.bundle.revision ?? 0;
    },
    close: end,
  };

  async function factsFor(
    { namespace }: AdmissionRequest,
    pod: Pod | undefined,
    needsImages: boolean,
    waitMs: number,
  ): Promise<FactsAnswer> {
    const isAsked = needsImages && pod?.isChanged === true;
    const references = isAsked ? referencesOf(pod) : [];
    return cache.known(references, namespace) ?? (await cache.ask(references, namespace, waitMs));
  }
}

/** Judging begins when the facts are there: waiting for them is bounded elsewhere. */
function elapsedSince(): () => number {
  const began = performance.now();
  return () => performance.now() - began;
}

function referencesOf({ containers }: Pod): readonly string[] {
  return [...new Set(containers.filter(({ isChanged }) => isChanged).map(({ image }) => image))].filter(
    // What no runtime would pull nobody can tell anything of, and it may be megabytes long.
    (image) => splitReference(image) !== undefined,
  );
}

function decisionOf(request: AdmissionRequest, judgement: Judgement, began: number, ended: number): Decision {
  const { kind, namespace, operation, subResource, user, dryRun, uid } = request;
  const { allowed, wouldDeny, grant, asked, unknown } = judgement;
  const violations = toldOf(judgement);
  const more = judgement.more + judgement.violations.length - violations.length;
  const at = new Date(ended).toISOString();
  return {
    ...{ uid, firstAt: at, lastAt: at, count: 1, operation, subResource, dryRun, wouldDeny, violations, more },
    ...{ asked, unknown: unknown.map((reference) => clean(reference).slice(0, MAX_NAME)), tookMs: ended - began },
    namespace: shown(namespace),
    kind: shown(kind.kind),
    name: shown(ownerNameOf(request)),
    user: shown(user),
    verdict: verdictOf(allowed, wouldDeny, grant !== undefined),
    grant: grant?.id ?? "",
  };
}

/** One violation for each rule, those that no exception takes out first. */
function toldOf({ violations }: Judgement): Judgement["violations"] {
  const byRule = new Map<string, Judgement["violations"][number]>();
  for (const each of violations) {
    const key = `${each.policy} ${each.rule} ${each.exception === ""}`;
    if (!byRule.has(key)) byRule.set(key, { ...each, message: each.message.slice(0, MAX_MESSAGE) });
  }
  return [...byRule.values()].sort((one, other) => one.exception.localeCompare(other.exception)).slice(0, MAX_TOLD);
}

/** Pods of a controller are told by what their names are made from. */
function ownerNameOf(request: AdmissionRequest): string {
  const metadata = request.object?.metadata;
  const generated =
    typeof metadata === "object" && metadata !== null && "generateName" in metadata ? metadata.generateName : "";
  return typeof generated === "string" && generated !== "" ? generated : nameOfRequest(request);
}

function verdictOf(allowed: boolean, wouldDeny: boolean, isBroken: boolean): DecisionVerdict {
  if (isBroken) return "broken-glass";
  if (!allowed) return "denied";
  return wouldDeny ? "audited" : "allowed";
}

function shown(text: string): string {
  return clean(text).slice(0, MAX_NAME);
}

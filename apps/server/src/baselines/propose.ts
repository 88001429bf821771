import { proposePolicy, TRAIT_KINDS, type Trait, type TraitKind } from "@bulwark/kubernetes";
import {
  type Baseline,
  type BaselineValue,
  baselineValues,
  brokenPolicies,
  getCluster,
  type TenantQueries,
} from "@bulwark/store";
import { ServerError } from "../errors.ts";
import { candidatesOf, tryCandidates } from "./candidates.ts";
import { MAX_DOUBTS, readDoubts } from "./doubts.ts";
import { BROKEN } from "./learn.ts";

/** The longest part of a namespace's name that a policy's name has room for. */
const MAX_PLACE = 40;

/** A policy that is there already, and what enforcing it would have denied. */
interface Enforceable {
  readonly policy: string;
  readonly title: string;
  readonly mode: string;
}

/** What follows from a baseline, for a person to decide on. */
export interface Proposal {
  readonly policy: string;
  readonly content: string;
  /** Kinds of which the policy asks nothing, since too much was seen. */
  readonly tooMany: readonly string[];
  /** Policies that nothing that was seen breaks. */
  readonly enforceable: readonly Enforceable[];
  /** Policies that something that was seen breaks, with the number of pods. */
  readonly broken: readonly { readonly policy: string; readonly pods: number }[];
}

/** The policy's name: the same however often it is proposed. */
function policyNameOf({ id, namespace }: Pick<Baseline, "id" | "namespace">): string {
  return namespace === "" ? `learned-${id}` : `learned-${namespace.slice(0, MAX_PLACE)}-${id}`;
}

export async function proposalOf(db: TenantQueries, baseline: Baseline, now: Date): Promise<Proposal> {
  const values = await trusted(db, baseline);
  const { clusterId, namespace, startedAt } = baseline;
  const name = policyNameOf(baseline);
  const content = proposePolicy({
    ...{ name, scope: scopeOf(baseline), traits: traitsIn(values) },
    tooMany: TRAIT_KINDS.filter((kind) => baseline.tooMany.includes(kind)),
  });
  const isPlaced = namespace !== "";
  const admitted = isPlaced ? await brokenPolicies(db, { clusterId, namespace, since: new Date(startedAt) }) : [];
  const broken = values.filter(({ kind }) => kind === BROKEN).map(({ value, pods }) => ({ policy: value, pods }));
  const isBroken = new Set([...admitted, ...broken.map(({ policy }) => policy)]);
  return {
    ...{ policy: name, content, tooMany: baseline.tooMany, broken },
    enforceable: isPlaced ? await enforceable(db, baseline, isBroken, now) : [],
  };
}

/** What was seen, without what turned out since to be of workloads that raised an alert. */
async function trusted(db: TenantQueries, baseline: Baseline): Promise<readonly BaselineValue[]> {
  const { workloads, isTooMany } = await readDoubts(db, baseline);
  if (isTooMany)
    throw new ServerError("CONFLICT", `more than ${MAX_DOUBTS} alerts of this cluster are open`, "look at them first");
  const values = await baselineValues(db, baseline.id);
  return values.filter(({ sources, more }) => more || sources.some((source) => !workloads.has(source)));
}

/** Only policies that were there, as they are, through the whole observation. */
async function enforceable(
  db: TenantQueries,
  { clusterId, cluster: name, startedAt }: Baseline,
  isBroken: ReadonlySet<string>,
  now: Date,
): Promise<readonly Enforceable[]> {
  const cluster = await getCluster(db, clusterId, now);
  const of = { id: clusterId, uid: "", name, grade: cluster?.grade ?? "" };
  const { candidates } = tryCandidates(await candidatesOf(db, clusterId), of, new Map());
  return candidates
    .filter(({ policy, changedAt }) => {
      const isOld = changedAt === null || Date.parse(changedAt) <= Date.parse(startedAt);
      return isOld && !isBroken.has(policy.name);
    })
    .map(({ policy, mode }) => ({ policy: policy.name, title: policy.title, mode }));
}

function scopeOf({ cluster, namespace, labelName, labelValue }: Baseline) {
  return { cluster, namespace, label: labelName === "" ? null : { name: labelName, value: labelValue } };
}

function traitsIn(values: readonly BaselineValue[]): readonly Trait[] {
  return values.flatMap(({ kind, value }) => {
    const known: TraitKind | undefined = TRAIT_KINDS.find((each) => each === kind);
    return known === undefined ? [] : [{ kind: known, value }];
  });
}

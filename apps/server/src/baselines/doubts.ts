import { POD_KINDS } from "@bulwark/kubernetes";
import { type Baseline, type Doubt, doubtsOf, type LearnablePod, type TenantQueries } from "@bulwark/store";

/** More of these, and nobody can say what is left to be learned from. */
export const MAX_DOUBTS = 10_000;

/** What nothing is learned from. */
export interface Doubts {
  /** There are more than can be looked at. */
  readonly isTooMany: boolean;
  /** As `workloadOf` names them, whether or not they have pods now. */
  readonly workloads: ReadonlySet<string>;
  /** By a pod's own name, its workload's, or what its name was made from. */
  readonly isDoubted: (pod: LearnablePod) => boolean;
}

/** A workload as baselines name it: `Deployment shop/web`. */
export function workloadOf({ workloadKind, workloadName, namespace }: LearnablePod): string {
  return `${workloadKind} ${namespace}/${workloadName}`;
}

/** Reads what raised alerts that nobody allowed, and what break-glass let in, since a baseline began. */
export async function readDoubts(db: TenantQueries, { clusterId, startedAt }: Baseline): Promise<Doubts> {
  const doubts = await doubtsOf(db, clusterId, { since: new Date(startedAt), limit: MAX_DOUBTS });
  return { isTooMany: doubts.length > MAX_DOUBTS, ...known(doubts) };
}

function known(doubts: readonly Doubt[]): Omit<Doubts, "isTooMany"> {
  const workloads = new Set<string>();
  const names = new Set<string>();
  for (const { namespace, workload, name } of doubts) {
    const [kind = "", of = ""] = workload.split(" ");
    if (workload !== "") workloads.add(`${kind} ${namespace}/${of}`);
    if (name === "") continue;
    names.add(`${namespace}/${name}`);
    // Pods that are gone by now are known by what made them alone.
    for (const each of POD_KINDS) workloads.add(`${each} ${namespace}/${name}`);
  }
  return {
    workloads,
    isDoubted: (pod) => {
      const { namespace, name, workloadName } = pod;
      const prefix = name.slice(0, name.lastIndexOf("-") + 1);
      return (
        workloads.has(workloadOf(pod)) ||
        [name, workloadName, prefix].some((each) => each !== "" && names.has(`${namespace}/${each}`))
      );
    },
  };
}

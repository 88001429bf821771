import type { Severity } from "@bulwark/model";
import { type HeldPower, powersOf } from "../access/powers.ts";
import { type Access, readAccess } from "../access/rules.ts";
import type { ExposedBy } from "../exposure/exposure.ts";
import type { Json, KubeObject } from "../objects/kube-object.ts";
import { labelsAt, mapsAt, textAt } from "../objects/read.ts";
import { type Escape, findEscapes } from "./escapes.ts";

/** What an attacker wants. */
export type PathTarget = "node" | "cluster-admin" | "secrets";

/** One thing that leads to the next. */
export interface PathStep {
  /** `internet`, `workload`, `escape`, `node`, `service-account`, `power`, `target` */
  readonly kind: string;
  /** What it is: `shop/cart`, `ClusterRoleBinding ci`. */
  readonly name: string;
  /** How one gets there from the step before; empty for the first. */
  readonly how: string;
  /** What a person changes so that it leads nowhere; empty where it is not to be changed. */
  readonly fix: string;
}

/** A shortest way from a workload to something that an attacker wants. */
export interface AttackPath {
  readonly workload: string;
  readonly target: PathTarget;
  readonly severity: Severity;
  readonly isExposed: boolean;
  readonly steps: readonly PathStep[];
}

/** A workload, with one of its pods' specs and where its pods run. */
export interface PathWorkload {
  readonly uid: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly spec: Json;
  readonly nodes: readonly string[];
  readonly exposure: readonly ExposedBy[];
}

/** A place that somebody may come to hold. */
type Place =
  | { readonly kind: "workload"; readonly workload: PathWorkload }
  | { readonly kind: "account"; readonly namespace: string; readonly name: string }
  | { readonly kind: "node"; readonly name: string }
  | { readonly kind: "target"; readonly target: PathTarget };

interface Edge {
  readonly to: Place;
  readonly steps: readonly PathStep[];
}

/** Places that are looked at from one workload; an estate where more lead on has larger troubles. */
const MAX_PLACES = 5_000;
/** Service accounts of a namespace that are followed when all of them can be had. */
const MAX_ACCOUNTS = 200;

const ESCAPE_FIX: Readonly<Record<string, string>> = {
  privileged: "run it without privileged: true, with the capabilities that it needs",
  capability: "drop the capability",
  "host-path": "mount less of the node, or read-only",
  "runtime-socket": "do not mount the runtime's socket",
  "host-pid": "run it without hostPID",
  "unmasked-proc": "leave procMount at its default",
};

/**
 * Finds, for each workload, the shortest way from inside one of its containers to the node, to all secrets and to the rights of
 * cluster-admin, over what pods are allowed, the tokens that they hold and what these are granted.
 */
export function findAttackPaths(
  objects: readonly KubeObject[],
  workloads: readonly PathWorkload[],
): readonly AttackPath[] {
  const world = survey(objects, workloads);
  return workloads.flatMap((workload) => pathsFrom(workload, world));
}

interface World {
  readonly access: Access;
  readonly workloads: readonly PathWorkload[];
  readonly byNode: ReadonlyMap<string, readonly PathWorkload[]>;
  readonly accounts: ReadonlyMap<string, Json>;
  /** Namespaces where the Pod Security Standards keep pods from asking for their node. */
  readonly guarded: ReadonlySet<string>;
  readonly powers: Map<string, readonly HeldPower[]>;
  readonly escapes: Map<string, readonly Escape[]>;
}

function survey(objects: readonly KubeObject[], workloads: readonly PathWorkload[]): World {
  const byNode = new Map<string, PathWorkload[]>();
  for (const workload of workloads) {
    for (const node of workload.nodes) byNode.set(node, [...(byNode.get(node) ?? []), workload]);
  }
  const guarded = objects.filter(
    ({ kind, document }) =>
      kind === "Namespace" &&
      /^(?:baseline|restricted)$/.test(
        labelsAt(document, "metadata", "labels")["pod-security.kubernetes.io/enforce"] ?? "",
      ),
  );
  const accounts = objects.filter(({ kind }) => kind === "ServiceAccount");
  return {
    access: readAccess(objects),
    workloads,
    byNode,
    accounts: new Map(accounts.map(({ namespace, name, document }) => [`${namespace}/${name}`, document])),
    guarded: new Set(guarded.map(({ name }) => name)),
    powers: new Map(),
    escapes: new Map(),
  };
}

function pathsFrom(workload: PathWorkload, world: World): readonly AttackPath[] {
  const start: Place = { kind: "workload", workload };
  const reached = new Map<string, readonly PathStep[]>([[keyOf(start), []]]);
  const found = new Map<PathTarget, readonly PathStep[]>();
  const queue: Place[] = [start];
  // Breadth first: the first way found is a shortest one.
  for (let at = 0; at < queue.length && reached.size < MAX_PLACES; at++) {
    const place = queue[at]!;
    const before = reached.get(keyOf(place))!;
    for (const { to, steps } of edgesFrom(place, world)) {
      const key = keyOf(to);
      if (reached.has(key)) continue;
      const all = [...before, ...steps];
      reached.set(key, all);
      if (to.kind === "node" && !found.has("node")) found.set("node", all);
      if (to.kind === "target") found.set(to.target, all);
      else queue.push(to);
    }
  }
  return [...found].map(([target, steps]) => described(workload, target, steps));
}

function described(workload: PathWorkload, target: PathTarget, steps: readonly PathStep[]): AttackPath {
  const isExposed = workload.exposure.length > 0;
  const [way] = workload.exposure;
  const name = `${workload.namespace}/${workload.name}`;
  const entry: readonly PathStep[] = [
    ...(way === undefined ? [] : [{ kind: "internet", name: "outside", how: "", fix: "" }]),
    {
      kind: "workload",
      name: `${workload.kind} ${name}`,
      how: way === undefined ? "" : [way.how, ...way.via].join(" · "),
      fix: "",
    },
  ];
  return {
    workload: workload.uid,
    target,
    severity: severityOf(target, isExposed),
    isExposed,
    steps: [...entry, ...steps],
  };
}

function severityOf(target: PathTarget, isExposed: boolean): Severity {
  if (target === "secrets") return isExposed ? "high" : "medium";
  return isExposed ? "critical" : "high";
}

function edgesFrom(place: Place, world: World): readonly Edge[] {
  if (place.kind === "workload") return edgesOfWorkload(place.workload, world);
  if (place.kind === "account") return edgesOfAccount(place, world);
  if (place.kind === "node") return edgesOfNode(place.name, world);
  return [];
}

function edgesOfWorkload(workload: PathWorkload, world: World): readonly Edge[] {
  const way = escapesOf(workload, world)[0];
  const out: readonly Edge[] =
    way === undefined
      ? []
      : workload.nodes.map((name) => ({
          to: { kind: "node", name },
          steps: [
            {
              kind: "escape",
              name: [way.means, way.detail].filter((part) => part !== "").join(" "),
              how: `container ${way.container}`,
              fix: ESCAPE_FIX[way.means] ?? "",
            },
            { kind: "node", name, how: way.means, fix: "" },
          ],
        }));
  return [...out, ...tokenOf(workload, world)];
}

/** The token that is mounted into a workload's pods, if one is (Kubernetes documentation, "Configure Service Accounts for Pods"). */
function tokenOf({ namespace, spec }: PathWorkload, { accounts }: World): readonly Edge[] {
  const name = textAt(spec, "serviceAccountName") || "default";
  const own = spec.automountServiceAccountToken;
  const account = accounts.get(`${namespace}/${name}`);
  const isMounted = typeof own === "boolean" ? own : account?.automountServiceAccountToken !== false;
  const isProjected = mapsAt(spec, "volumes").some((volume) =>
    mapsAt(volume, "projected", "sources").some((source) => "serviceAccountToken" in source),
  );
  if (!isMounted && !isProjected) return [];
  const fix = "set automountServiceAccountToken: false where the API is not needed";
  return [
    {
      to: { kind: "account", namespace, name },
      steps: [{ kind: "service-account", name: `${namespace}/${name}`, how: "its token is mounted", fix }],
    },
  ];
}

/** Whoever has a node has the tokens of all pods on it. */
function edgesOfNode(node: string, world: World): readonly Edge[] {
  return (world.byNode.get(node) ?? []).flatMap((workload) =>
    tokenOf(workload, world).map(({ to, steps }) => ({
      to,
      steps: steps.map((step) => ({
        ...step,
        how: `its token is on the node, in ${workload.namespace}/${workload.name}`,
      })),
    })),
  );
}

function edgesOfAccount({ namespace, name }: Extract<Place, { kind: "account" }>, world: World): readonly Edge[] {
  const key = `${namespace}/${name}`;
  const powers = world.powers.get(key) ?? powersOf(world.access, namespace, name);
  world.powers.set(key, powers);
  return powers.flatMap((held) => edgesOfPower(held, world));
}

function edgesOfPower(held: HeldPower, world: World): readonly Edge[] {
  const { power, namespace, by, what } = held;
  const where = namespace === "" ? "everywhere" : `in ${namespace}`;
  const step: PathStep = {
    kind: "power",
    name: `${what} ${where}`,
    how: `${by.role}, ${by.binding}`,
    fix: `take "${what}" out of ${by.role}, or its subject out of ${by.binding}`,
  };
  const target = (to: PathTarget): Edge => ({
    to: { kind: "target", target: to },
    steps: [step, { kind: "target", name: to, how: "", fix: "" }],
  });
  const accounts = () => accountsIn(namespace, world).map((to): Edge => ({ to, steps: [step, tokenStep(to)] }));
  if (power === "cluster-admin") return [target("cluster-admin")];
  if (power === "read-secrets") return namespace === "" || namespace === "kube-system" ? [target("secrets")] : [];
  if (power === "make-tokens" || power === "enter-pods") return accounts();
  const nodes = nodesOf(world).map(
    (node): Edge => ({
      to: { kind: "node", name: node },
      steps: [step, { kind: "node", name: node, how: "", fix: "" }],
    }),
  );
  if (power === "reach-kubelets") return nodes;
  // A pod that asks for its node gets it, unless something forbids such pods there.
  const isGuarded = namespace !== "" && world.guarded.has(namespace);
  return [...(isGuarded ? [] : nodes), ...accounts()];
}

function tokenStep({ namespace, name }: Extract<Place, { kind: "account" }>): PathStep {
  return { kind: "service-account", name: `${namespace}/${name}`, how: "its token can be had", fix: "" };
}

/** Service accounts whose tokens lead on. */
function accountsIn(namespace: string, world: World): readonly Extract<Place, { kind: "account" }>[] {
  const found: Extract<Place, { kind: "account" }>[] = [];
  for (const key of world.accounts.keys()) {
    const [own = "", name = ""] = key.split("/");
    if (namespace !== "" && own !== namespace) continue;
    const powers = world.powers.get(key) ?? powersOf(world.access, own, name);
    world.powers.set(key, powers);
    if (powers.length > 0) found.push({ kind: "account", namespace: own, name });
    if (found.length === MAX_ACCOUNTS) break;
  }
  return found;
}

function nodesOf({ byNode }: World): readonly string[] {
  return [...byNode.keys()].filter((name) => name !== "");
}

function escapesOf(workload: PathWorkload, { escapes }: World): readonly Escape[] {
  const known = escapes.get(workload.uid) ?? findEscapes(workload.spec);
  escapes.set(workload.uid, known);
  return known;
}

function keyOf(place: Place): string {
  if (place.kind === "workload") return `workload ${place.workload.uid}`;
  if (place.kind === "account") return `account ${place.namespace}/${place.name}`;
  return place.kind === "node" ? `node ${place.name}` : `target ${place.target}`;
}

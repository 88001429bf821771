import { createDetector, type Detector, type Rule } from "@bulwark/detect";
import { listenToEvents, type Store } from "@bulwark/store";
import type { DetectedAlert, Inspect } from "../gateway/batch-writer.ts";
import type { DeepPartial } from "../gateway/contract.ts";
import type { Policy } from "../gateway/gen/wire-types.ts";
import type { MarkContainer } from "../gateway/runtime-events.ts";
import { blockedAlert, detectedAlert } from "./detected-alert.ts";
import { marked, NOWHERE, newlyExposed, openPlaceBook, type Places } from "./places.ts";
import { type SensorPolicy, sensorPolicies } from "./sensor-policy.ts";
import { isUsed, loadTenantRules, modeFor, type TenantRules } from "./tenant-rules.ts";

/** A node that sent nothing for so long is forgotten; what its rules had counted over time begins anew. */
const IDLE_MS = 30 * 60_000;
/** Allow-list entries and indicators end by themselves; those that others changed are told. */
const RELOAD_MS = 10 * 60_000;

/** Keeps each tenant's rules, compiled, for as long as nobody changes them. */
export interface RuleBook {
  rulesOf(tenantId: number): Promise<TenantRules>;
  /** A node's policy: blocks may name containers of its own. */
  policyOf(
    tenantId: number,
    nodeId: number,
  ): Promise<{ readonly revision: number; readonly policy: DeepPartial<Policy> }>;
  /** Calls when the policy of a tenant may have changed, and what was loaded is the new one. */
  watch(onChange: (tenantId: number) => void): void;
  /** What the server knows of a node's containers, for the events of a batch. */
  markerOf(tenantId: number, nodeId: number): Promise<MarkContainer>;
  /** What rules see in a node's events. */
  readonly inspect: Inspect;
  close(): Promise<void>;
}

interface Loaded {
  readonly rules: TenantRules;
  readonly policyAt: (places: Places) => SensorPolicy;
  /** Of nodes whose containers nothing is known of. */
  readonly policy: SensorPolicy;
  /** Of single nodes, where blocks name containers. */
  readonly policies: Map<number, SensorPolicy>;
  /** Of all these, those that hold no more too: what they blocked is told later. */
  readonly ruleOfBlock: Map<string, Rule>;
  readonly loadedAt: number;
  readonly detectors: Map<number, { readonly detector: Detector; usedAt: number }>;
}

export async function openRuleBook(store: Store, clock: () => Date): Promise<RuleBook> {
  const loading = new Map<number, Promise<Loaded>>();
  const ready = new Map<number, Loaded>();
  const watchers = new Set<(tenantId: number) => void>();
  const placed = openPlaceBook(store, clock, (tenantId, nodeIds) => follow(tenantId, nodeIds));
  const reload = (tenantId: number) => {
    loading.delete(tenantId);
    // Loaded at once: until then events are judged by what was known before.
    load(tenantId).then(
      () => {
        for (const tell of watchers) tell(tenantId);
      },
      () => {},
    );
  };
  const load = (tenantId: number): Promise<Loaded> => {
    const before = ready.get(tenantId);
    if (before !== undefined && clock().getTime() - before.loadedAt > RELOAD_MS) loading.delete(tenantId);
    const current = loading.get(tenantId);
    if (current !== undefined) return current;
    const made = store
      .tenant(tenantId, (db) => loadTenantRules(db, clock()))
      .then((rules): Loaded => {
        const policyAt = sensorPolicies(rules);
        const policy = policyAt(NOWHERE);
        const loaded = {
          ...{ rules, policyAt, policy, policies: new Map(), ruleOfBlock: new Map(policy.ruleOfBlock) },
          ...{ loadedAt: clock().getTime(), detectors: new Map() },
        };
        if (loading.get(tenantId) === made) ready.set(tenantId, loaded);
        return loaded;
      });
    loading.set(tenantId, made);
    // One that failed is tried again by whoever asks next.
    made.catch(() => loading.delete(tenantId));
    return made;
  };
  /** Where containers are has changed: blocks that hold for exposed ones are sent anew. */
  const follow = (tenantId: number, nodeIds: readonly number[]) => {
    const loaded = ready.get(tenantId);
    if (loaded === undefined || !blocksByPlace(loaded.rules)) return;
    for (const id of nodeIds) loaded.policies.delete(id);
    for (const tell of watchers) tell(tenantId);
  };
  const policyFor = (loaded: Loaded, tenantId: number, nodeId: number): SensorPolicy => {
    if (!blocksByPlace(loaded.rules)) return loaded.policy;
    const known = loaded.policies.get(nodeId);
    if (known !== undefined) return known;
    const made = loaded.policyAt(placed.of(tenantId, nodeId));
    loaded.policies.set(nodeId, made);
    for (const [id, rule] of made.ruleOfBlock) loaded.ruleOfBlock.set(id, rule);
    return made;
  };
  const listener = await listenToEvents(
    store,
    ({ topic, tenantId, id }) => {
      if (topic === "policies" && loading.has(tenantId)) reload(tenantId);
      if (topic === "containers") placed.containersChanged(tenantId, id === "" ? undefined : Number(id));
      if (topic === "registries") placed.registriesChanged(tenantId);
    },
    () => {
      // Nobody knows what was missed.
      for (const tenantId of [...loading.keys()]) {
        reload(tenantId);
        placed.containersChanged(tenantId, undefined);
      }
    },
  );
  return {
    watch: (onChange) => void watchers.add(onChange),
    rulesOf: async (tenantId) => (await load(tenantId)).rules,
    async policyOf(tenantId, nodeId) {
      const [loaded] = await Promise.all([load(tenantId), placed.load(tenantId, nodeId)]);
      return policyFor(loaded, tenantId, nodeId);
    },
    async markerOf(tenantId, nodeId) {
      const places = await placed.load(tenantId, nodeId);
      return (container) => marked(container, places);
    },
    async inspect(tenantId, nodeId, events) {
      const loaded = ready.get(tenantId) ?? (await load(tenantId));
      const { detect } = detectorOf(loaded, nodeId, clock);
      const found: { position: number; alert: DetectedAlert }[] = [];
      for (const [position, event] of events.entries()) {
        if (event === undefined) continue;
        const reached = newlyExposed(event);
        if (reached !== undefined) placed.hear(tenantId, nodeId, reached);
        if (event.type === "blocked") {
          const rule = loaded.ruleOfBlock.get(event.blockId);
          found.push({ position, alert: blockedAlert(event, nodeId, rule) });
          continue;
        }
        for (const alert of detect(event)) {
          const rule = loaded.policy.ruleByName.get(alert.rule);
          if (rule !== undefined && modeFor(loaded.rules, rule, event) === "off") continue;
          found.push({ position, alert: detectedAlert(alert, nodeId) });
        }
      }
      return found;
    },
    async close() {
      placed.close();
      await listener.close();
    },
  };
}

/** Whether a block holds only for containers that the server alone tells apart. */
function blocksByPlace({ modes }: TenantRules): boolean {
  return [...modes.values()].some((each) =>
    each.some(({ mode, scope }) => mode === "block" && (scope.exposed || scope.selfBuilt)),
  );
}

function detectorOf(loaded: Loaded, nodeId: number, clock: () => Date): Detector {
  const { rules, detectors } = loaded;
  const at = clock().getTime();
  const known = detectors.get(nodeId);
  if (known !== undefined) {
    known.usedAt = at;
    return known.detector;
  }
  for (const [id, { usedAt }] of detectors) if (at - usedAt > IDLE_MS) detectors.delete(id);
  // Repeats are folded in the store, where an alert that somebody closed opens again.
  const detector = createDetector(rules.set, {
    runs: (rule) => isUsed(rules, rule),
    allow: rules.allow,
    indicators: rules.indicators,
    foldUs: 0,
    nowUs: () => clock().getTime() * 1_000,
  });
  detectors.set(nodeId, { detector, usedAt: at });
  return detector;
}

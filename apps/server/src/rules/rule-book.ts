import { createDetector, type Detector } from "@bulwark/detect";
import { listenToEvents, type Store } from "@bulwark/store";
import type { DetectedAlert, Inspect } from "../gateway/batch-writer.ts";
import type { Policy } from "../gateway/gen/wire-types.ts";
import type { DeepPartial } from "../gateway/wire.ts";
import { blockedAlert, detectedAlert } from "./detected-alert.ts";
import { type SensorPolicy, sensorPolicy } from "./sensor-policy.ts";
import { isUsed, loadTenantRules, modeFor, type TenantRules } from "./tenant-rules.ts";

/** A node that sent nothing for so long is forgotten; what its rules had counted over time begins anew. */
const IDLE_MS = 30 * 60_000;
/** Allow-list entries and indicators end by themselves; those that others changed are told. */
const RELOAD_MS = 10 * 60_000;

/** Keeps each tenant's rules, compiled, for as long as nobody changes them. */
export interface RuleBook {
  rulesOf(tenantId: number): Promise<TenantRules>;
  policyOf(tenantId: number): Promise<{ readonly revision: number; readonly policy: DeepPartial<Policy> }>;
  /** Calls when the policy of a tenant may have changed, and what was loaded is the new one. */
  watch(onChange: (tenantId: number) => void): void;
  /** What rules see in a node's events. The tenant's rules must have been loaded: `policyOf` does so at each connect. */
  readonly inspect: Inspect;
  close(): Promise<void>;
}

interface Loaded {
  readonly rules: TenantRules;
  readonly policy: SensorPolicy;
  readonly loadedAt: number;
  readonly detectors: Map<number, { readonly detector: Detector; usedAt: number }>;
}

export async function openRuleBook(store: Store, clock: () => Date): Promise<RuleBook> {
  const loading = new Map<number, Promise<Loaded>>();
  const ready = new Map<number, Loaded>();
  const watchers = new Set<(tenantId: number) => void>();
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
    const known = loading.get(tenantId);
    if (known !== undefined) return known;
    const made = store
      .tenant(tenantId, (db) => loadTenantRules(db, clock()))
      .then((rules): Loaded => {
        const loaded = { rules, policy: sensorPolicy(rules), loadedAt: clock().getTime(), detectors: new Map() };
        if (loading.get(tenantId) === made) ready.set(tenantId, loaded);
        return loaded;
      });
    loading.set(tenantId, made);
    // One that failed is tried again by whoever asks next.
    made.catch(() => loading.delete(tenantId));
    return made;
  };
  const listener = await listenToEvents(
    store,
    ({ topic, tenantId }) => {
      if (topic === "policies" && loading.has(tenantId)) reload(tenantId);
    },
    () => {
      for (const tenantId of [...loading.keys()]) reload(tenantId);
    },
  );
  return {
    watch: (onChange) => void watchers.add(onChange),
    rulesOf: async (tenantId) => (await load(tenantId)).rules,
    policyOf: async (tenantId) => (await load(tenantId)).policy,
    async inspect(tenantId, nodeId, events) {
      const loaded = ready.get(tenantId) ?? (await load(tenantId));
      const { detect } = detectorOf(loaded, nodeId, clock);
      const found: { position: number; alert: DetectedAlert }[] = [];
      for (const [position, event] of events.entries()) {
        if (event === undefined) continue;
        if (event.type === "blocked") {
          const rule = loaded.policy.ruleOfBlock.get(event.blockId);
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
    close: () => listener.close(),
  };
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

import { createHash } from "node:crypto";
import {
  type BlockAction,
  blockFor,
  type EventSelection,
  neededSelections,
  type PathPattern,
  type Rule,
  type RuleScope,
} from "@bulwark/detect";
import type { DeepPartial } from "../gateway/contract.ts";
import type {
  Block,
  Policy,
  PathPattern as WirePattern,
  EventSelection as WireSelection,
} from "../gateway/gen/wire-types.ts";
import { eventTypeNumber } from "../gateway/runtime-events.ts";
import { policy as policyCodec } from "../gateway/wire.ts";
import type { Places } from "./places.ts";
import { isUsed, type TenantRules } from "./tenant-rules.ts";

const MIB = 1024 * 1024;
const SPOOL_BYTES = 256 * MIB;
/** Of one core. */
const CPU_SHARE = 0.05;
const EVENTS_PER_SECOND = 5_000;
/** Programs above it are not hashed: indicators of files are for what attackers bring, which is small. */
const DIGEST_BYTES = 8 * MIB;
const PATTERN_KINDS = { exact: 1, prefix: 2, suffix: 3, contains: 4 } as const;

/** Kept whatever rules need: what a story is made of, and what must never be missed. */
const ALWAYS: readonly EventSelection[] = [
  selection("execve", true),
  selection("procexit", false),
  selection("connect", false),
  selection("accept", false),
  selection("listen", false),
  selection("dns", false),
  selection("flow", false),
  selection("container", true),
  selection("blocked", true),
  selection("tamper", true),
];

/** What nodes of a tenant capture and block. */
export interface SensorPolicy {
  /** Follows from what is in it: equal policies have equal revisions, on whichever server. */
  readonly revision: number;
  readonly policy: DeepPartial<Policy>;
  readonly ruleOfBlock: ReadonlyMap<string, Rule>;
  readonly ruleByName: ReadonlyMap<string, Rule>;
}

/** Compiles a tenant's rules into what its sensors are to do. @returns what each is to do, by the containers that it has */
export function sensorPolicies(rules: TenantRules): (places: Places) => SensorPolicy {
  const used = rules.set.rules.filter((rule) => isUsed(rules, rule));
  const selections = [...ALWAYS, ...neededSelections(rules.set, used)].map(wireSelection);
  const ruleByName = new Map(rules.set.rules.map((rule) => [rule.name, rule]));
  return (places) => policyAt(rules, { used, selections, ruleByName }, places);
}

interface Compiled {
  readonly used: readonly Rule[];
  readonly selections: DeepPartial<WireSelection>[];
  readonly ruleByName: ReadonlyMap<string, Rule>;
}

function policyAt(rules: TenantRules, { used, selections, ruleByName }: Compiled, places: Places): SensorPolicy {
  const ruleOfBlock = new Map<string, Rule>();
  const blocks: DeepPartial<Block>[] = [];
  for (const rule of used) {
    for (const { mode, scope } of rules.modes.get(rule.name) ?? []) {
      const placed = mode === "block" ? scopeOnNodes(scope, places) : undefined;
      if (placed === undefined) continue;
      const able = blockFor(rules.set, rule);
      if (!("blocks" in able)) continue;
      for (const action of able.blocks) {
        const block = wireBlock(rule, placed, action);
        if (ruleOfBlock.has(block.id)) continue;
        ruleOfBlock.set(block.id, rule);
        blocks.push(block);
      }
    }
  }
  const policy: DeepPartial<Policy> = {
    selections,
    blocks,
    limits: { cpuShare: CPU_SHARE, spoolBytes: SPOOL_BYTES, eventsPerSecondPerContainer: EVENTS_PER_SECOND },
    digestFilesUpToBytes: rules.indicators.size > 0 ? DIGEST_BYTES : 0,
  };
  const digest = createHash("sha256").update(policyCodec.encode(policy)).digest();
  return { revision: digest.readUIntBE(0, 6), policy, ruleOfBlock, ruleByName };
}

/** The scope as nodes can judge it: containers that only the server tells apart are named. Undefined where there are none. */
function scopeOnNodes(scope: RuleScope, { exposed, selfBuilt }: Places): RuleScope | undefined {
  if (!scope.exposed && !scope.selfBuilt) return scope;
  const meant = [scope.exposed ? [exposed] : [], scope.selfBuilt ? [selfBuilt] : []].flat();
  const given = scope.containerIds.length === 0 ? [...meant[0]!] : scope.containerIds;
  const containerIds = given.filter((id) => meant.every((ids) => ids.has(id))).toSorted();
  return containerIds.length === 0 ? undefined : { ...scope, containerIds };
}

function selection(type: EventSelection["type"], fromHost: boolean): EventSelection {
  return { type, fromContainers: true, fromHost, paths: [], reads: false, calls: [], failures: false };
}

function wireSelection({ type, paths, ...rest }: EventSelection): DeepPartial<WireSelection> {
  return { ...rest, type: eventTypeNumber(type), paths: paths.map(wirePattern) };
}

function wirePattern({ kind, value }: PathPattern): DeepPartial<WirePattern> {
  return { kind: PATTERN_KINDS[kind], value };
}

function wireBlock(rule: Rule, scope: RuleScope, action: BlockAction): DeepPartial<Block> & { readonly id: string } {
  const id = createHash("sha256")
    .update(JSON.stringify([rule.name, scope, action]))
    .digest("base64url")
    .slice(0, 16);
  // In containers alone: a host that cannot start a program any more is not helped by being safe.
  return { id, rule: rule.name, scope: { ...scope, host: false }, ...wireAction(action) };
}

function wireAction(action: BlockAction): DeepPartial<Block> {
  switch (action.kind) {
    case "exec":
      return { exec: { ...action, paths: action.paths.map(wirePattern) } };
    case "file":
      return { file: { ...action, paths: action.paths.map(wirePattern) } };
    case "connect":
      return { connect: action };
    case "syscall":
      return { syscall: action };
  }
}

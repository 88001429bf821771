import {
  type AllowEntry,
  type AuditAllowEntry,
  type AuditAllowList,
  compileAuditAllowList,
  compileAuditFilter,
  compileFilter,
  compileScope,
  createIndicatorMatcher,
  type Filter,
  type IndicatorMatcher,
  loadRules,
  type Rule,
  type RuleScope,
  type RuleSet,
} from "@bulwark/detect";
import {
  listAllowEntries,
  listIndicators,
  listRuleFiles,
  listRuleModes,
  type RuleMode,
  type StoredAllowEntry,
  type TenantQueries,
} from "@bulwark/store";
import { auditScopeOf, isEverywhere, isOfRequests, scopeOf } from "./scope.ts";
import { shippedRules } from "./shipped-rules.ts";

const MAX_INDICATORS = 1_000_000;

/** What a rule does in a place. */
interface ScopedMode {
  readonly mode: RuleMode;
  readonly scope: RuleScope;
  readonly holds: Filter;
}

/** All that decides what a tenant's events mean. */
export interface TenantRules {
  readonly set: RuleSet;
  /** Rules that are shipped and not added. */
  readonly shipped: ReadonlySet<string>;
  /** Of each rule, exceptions before what holds everywhere. */
  readonly modes: ReadonlyMap<string, readonly ScopedMode[]>;
  readonly allow: readonly AllowEntry[];
  /** The same over what API servers were asked. */
  readonly auditAllow: AuditAllowList;
  readonly indicators: IndicatorMatcher;
}

/** Loads a tenant's rules, shipped ones first, so that a file of the tenant's may change and override them. */
export async function loadTenantRules(db: TenantQueries, now: Date): Promise<TenantRules> {
  const shipped = shippedRules();
  const files = (await listRuleFiles(db)).filter(({ enabled }) => enabled);
  const set = loadRules([...shipped, ...files.map(({ name, content }) => ({ name, text: content }))]);
  const names = new Set(shipped.map(({ name }) => name));
  const modes = new Map<string, ScopedMode[]>();
  for (const { rule, scope: stored, mode } of await listRuleModes(db)) {
    const scope = scopeOf(stored);
    const entry = { mode, scope, holds: compileScope(scope) };
    const known = modes.get(rule) ?? [];
    modes.set(rule, isEverywhere(scope) ? [...known, entry] : [entry, ...known]);
  }
  const usable = (await listAllowEntries(db)).filter(isUsable);
  const indicators = await listIndicators(db, { limit: MAX_INDICATORS, now });
  return {
    set,
    shipped: new Set(
      [...set.rules, ...set.auditRules].filter(({ place }) => names.has(place.file)).map(({ name }) => name),
    ),
    modes,
    allow: usable.filter(({ scope }) => !isOfRequests(scope)).map(allowEntry),
    auditAllow: compileAuditAllowList(usable.filter(({ scope }) => isOfRequests(scope)).map(auditAllowEntry)),
    indicators: createIndicatorMatcher(
      indicators.map(({ kind, value, source, expiresAt }) => ({
        kind,
        value,
        source,
        untilUs: microseconds(expiresAt),
      })),
    ),
  };
}

/** What the rule does for an event; by its file where nobody decided. */
export function modeFor(rules: TenantRules, rule: Rule, event: Parameters<Filter>[0]): RuleMode {
  const decided = rules.modes.get(rule.name)?.find(({ holds }) => holds(event));
  return decided?.mode ?? (rule.enabled ? "alert" : "off");
}

/** Whether the rule does anything anywhere. */
export function isUsed(rules: TenantRules, rule: Rule): boolean {
  const modes = rules.modes.get(rule.name) ?? [];
  const everywhere = modes.find(({ scope }) => isEverywhere(scope))?.mode ?? (rule.enabled ? "alert" : "off");
  return everywhere !== "off" || modes.some(({ mode }) => mode !== "off");
}

function allowEntry({ id, rule, condition, scope, reason, expiresAt }: StoredAllowEntry): AllowEntry {
  return { id: String(id), rule, condition, scope: scopeOf(scope), reason, untilUs: microseconds(expiresAt) };
}

function auditAllowEntry({ id, rule, condition, scope, expiresAt }: StoredAllowEntry): AuditAllowEntry {
  return { id: String(id), rule, condition, scope: auditScopeOf(scope), untilUs: microseconds(expiresAt) };
}

/** An entry that was fine when it was made may name a field that a later version has no more. */
function isUsable({ condition, scope }: StoredAllowEntry): boolean {
  if (condition.trim() === "") return true;
  try {
    if (isOfRequests(scope)) compileAuditFilter(condition);
    else compileFilter(condition);
    return true;
  } catch {
    return false;
  }
}

function microseconds(at: string | null): number | null {
  return at === null ? null : Date.parse(at) * 1_000;
}

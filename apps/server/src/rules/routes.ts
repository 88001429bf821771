import {
  AUDIT_SOURCE,
  type AuditRule,
  blockFor,
  compileAuditFilter,
  compileFilter,
  loadRules,
  type Rule,
  type RuleProblem,
} from "@bulwark/detect";
import {
  addAllowEntry,
  announce,
  listAllowEntries,
  listRuleFiles,
  listRuleModes,
  putRuleFile,
  removeAllowEntry,
  removeRuleFile,
  removeRuleMode,
  type StoredScope,
  setRuleMode,
  type TenantQueries,
} from "@bulwark/store";
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { IdParams } from "../id.ts";
import { List } from "../list.ts";
import type { Routes } from "../routes.ts";
import { AuditScopeBody, isOfRequests, ScopeBody } from "./scope.ts";
import { loadTenantRules, type TenantRules } from "./tenant-rules.ts";

const MAX_FILE_CHARACTERS = 900_000;
const Text = Type.String();
const Mode = Type.Enum(["off", "alert", "block"]);
const Scope = Type.Record(Text, Type.Unknown());

const ProblemShape = Type.Object({
  level: Type.Enum(["error", "warning"]),
  message: Text,
  rule: Text,
  file: Text,
  line: Type.Integer(),
  column: Type.Integer(),
});

const ModeShape = Type.Object({
  id: Type.Integer(),
  rule: Text,
  scope: Scope,
  mode: Mode,
  changedBy: Text,
  changedAt: Text,
});

const RuleShape = Type.Object({
  name: Text,
  description: Text,
  condition: Text,
  severity: Text,
  priority: Text,
  tags: List(Text),
  techniques: List(Type.Object({ id: Text, name: Text })),
  tactics: List(Text),
  advice: Text,
  shipped: Type.Boolean(),
  mode: Mode,
  blockable: Type.Boolean(),
  whyNotBlockable: Text,
  notBlocked: Type.String({
    description: "why its block leaves some of what it sees to alerts; empty when it leaves nothing",
  }),
  exceptions: List(ModeShape),
  file: Text,
});

const FileShape = Type.Object({
  id: Type.Integer(),
  name: Text,
  content: Text,
  enabled: Type.Boolean(),
  changedBy: Text,
  changedAt: Text,
});

const AllowShape = Type.Object({
  id: Type.Integer(),
  rule: Text,
  condition: Text,
  scope: Scope,
  reason: Text,
  createdBy: Text,
  createdAt: Text,
  expiresAt: Type.Union([Text, Type.Null()]),
});

/** Runtime rules: what is shipped and added, what each does where, and what is accepted. */
export const runtimeRuleRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["runtime rules"];
  const read = { scope: "runtime:read" } as const;
  const write = { scope: "runtime:write" } as const;
  /** A rule says by itself whether it is about containers or about requests to API servers. */
  const scopeOfEntry = async (db: TenantQueries, rule: string, given: StoredScope = {}): Promise<StoredScope> => {
    if (rule === "" || isOfRequests(given)) return given;
    const { set } = await loadTenantRules(db, clock());
    if (!set.auditRules.some(({ name }) => name === rule)) return given;
    if (Object.keys(given).length === 0) return { source: AUDIT_SOURCE };
    const why = `the rule "${rule}" is about requests to API servers, which no scope of containers holds for`;
    throw new ServerError("INVALID_REQUEST", why, `give a scope with "source": "${AUDIT_SOURCE}"`);
  };
  /** A change of what rules do: gateways are told when it is kept. */
  const change = <Result>(request: FastifyRequest, work: (db: TenantQueries) => Promise<Result>): Promise<Result> =>
    store.tenant(principalOf(request).tenantId, async (db) => {
      const result = await work(db);
      await announce(db, { topic: "policies", id: "" });
      return result;
    });

  app.get(
    "/api/v1/runtime-rules",
    {
      config: read,
      schema: {
        tags,
        operationId: "listRuntimeRules",
        summary: "All rules with what they do, and what of their files cannot be used",
        response: { 200: Type.Object({ items: List(RuleShape), problems: List(ProblemShape) }) },
      },
    },
    async (request) =>
      store.tenant(principalOf(request).tenantId, async (db) => {
        const rules = await loadTenantRules(db, clock());
        const modes = await listRuleModes(db);
        const problems = [...rules.set.problems, ...rules.set.reports.flatMap((report) => report.problems)];
        return {
          items: [...rules.set.rules, ...rules.set.auditRules].map((rule) =>
            shownRule(
              rules,
              rule,
              modes.filter((each) => each.rule === rule.name),
            ),
          ),
          problems: problems.map(shownProblem),
        };
      }),
  );

  app.put(
    "/api/v1/runtime-rules/modes",
    {
      config: write,
      schema: {
        tags,
        operationId: "setRuleMode",
        summary: "Let a rule alert, block or be off: everywhere, or in a scope as an exception",
        body: Type.Object(
          {
            rule: Type.String({ minLength: 1, maxLength: 300 }),
            mode: Mode,
            scope: Type.Optional(ScopeBody),
          },
          { additionalProperties: false },
        ),
        response: { 200: ModeShape },
      },
    },
    async (request) => {
      const { rule, mode, scope = {} } = request.body;
      return change(request, async (db) => {
        const rules = await loadTenantRules(db, clock());
        const known = [...rules.set.rules, ...rules.set.auditRules].find(({ name }) => name === rule);
        if (known === undefined) throw notFound("rule", rule);
        if (mode === "block") checkBlockable(rules, known);
        if (!("plans" in known) && Object.keys(scope).length > 0) {
          const why = `the rule "${rule}" is about requests to API servers, which no scope of containers holds for`;
          throw new ServerError("INVALID_REQUEST", why, "switch it everywhere, or allow what is known (allow-entries)");
        }
        const set = await setRuleMode(db, { rule, scope, mode, by: principalOf(request).name, now: clock() });
        await audit(db, request, "rule.mode", `rule/${rule}`, { mode, scope: JSON.stringify(scope) });
        return set;
      });
    },
  );

  app.delete(
    "/api/v1/runtime-rules/modes/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "removeRuleMode",
        summary: "Take a decision back: the rule does what its file says, or what holds everywhere",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await change(request, async (db) => {
        const rule = await removeRuleMode(db, id);
        if (rule === undefined) throw notFound("mode", id);
        await audit(db, request, "rule.mode-remove", `rule/${rule}`, {});
      });
      return reply.status(204).send(null);
    },
  );

  app.get(
    "/api/v1/rule-files",
    {
      config: read,
      schema: {
        tags,
        operationId: "listRuleFiles",
        summary: "Files of rules that were added",
        response: { 200: Type.Object({ items: List(FileShape) }) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listRuleFiles) }),
  );

  app.put(
    "/api/v1/rule-files",
    {
      config: write,
      schema: {
        tags,
        operationId: "putRuleFile",
        summary: "Add a file in Falco's rule language, or replace the one of the same name; `dryRun` only checks it",
        body: Type.Object(
          {
            name: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$" }),
            content: Type.String({ maxLength: MAX_FILE_CHARACTERS }),
            enabled: Type.Optional(Type.Boolean({ default: true })),
            dryRun: Type.Optional(Type.Boolean()),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            file: Type.Union([FileShape, Type.Null()]),
            rules: Type.Integer({ description: "rules of the file that work" }),
            problems: List(ProblemShape),
          }),
        },
      },
    },
    async (request) => {
      const { name, content, enabled = true, dryRun = false } = request.body;
      const { rules, problems } = check(name, content);
      if (dryRun) {
        await store.tenant(principalOf(request).tenantId, (db) =>
          audit(db, request, "rule-file.check", `rule-file/${name}`, { problems: problems.length }),
        );
        return { file: null, rules, problems };
      }
      return change(request, async (db) => {
        const file = await putRuleFile(db, { name, content, enabled, by: principalOf(request).name, now: clock() });
        await audit(db, request, "rule-file.put", `rule-file/${name}`, { enabled, rules, problems: problems.length });
        return { file, rules, problems };
      });
    },
  );

  app.delete(
    "/api/v1/rule-files/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "removeRuleFile",
        summary: "Take a file of rules out",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await change(request, async (db) => {
        const name = await removeRuleFile(db, id);
        if (name === undefined) throw notFound("rule file", id);
        await audit(db, request, "rule-file.remove", `rule-file/${name}`, {});
      });
      return reply.status(204).send(null);
    },
  );

  app.get(
    "/api/v1/allow-entries",
    {
      config: read,
      schema: {
        tags,
        operationId: "listAllowEntries",
        summary: "What is accepted and raises no alert",
        response: { 200: Type.Object({ items: List(AllowShape) }) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listAllowEntries) }),
  );

  app.post(
    "/api/v1/allow-entries",
    {
      config: write,
      schema: {
        tags,
        operationId: "addAllowEntry",
        summary: "Accept what meets a condition in the rules' language",
        body: Type.Object(
          {
            rule: Type.Optional(Type.String({ maxLength: 300, description: "of this rule alone" })),
            condition: Type.String({ minLength: 1, maxLength: 10_000 }),
            scope: Type.Optional(Type.Union([ScopeBody, AuditScopeBody])),
            reason: Type.String({ minLength: 1, maxLength: 2_000 }),
            expiresAt: Type.Optional(Type.String({ format: "date-time" })),
          },
          { additionalProperties: false },
        ),
        response: { 201: AllowShape },
      },
    },
    async (request, reply) => {
      const { rule = "", condition, reason, expiresAt } = request.body;
      const until = expiresAt === undefined ? null : new Date(expiresAt);
      const made = await change(request, async (db) => {
        const by = principalOf(request).name;
        const scope = await scopeOfEntry(db, rule, request.body.scope);
        checkCondition(condition, scope);
        const entry = await addAllowEntry(db, { rule, condition, scope, reason, by, now: clock(), expiresAt: until });
        await audit(db, request, "allow-entry.create", `allow-entry/${entry.id}`, { rule, condition, reason });
        return entry;
      });
      return reply.status(201).send(made);
    },
  );

  app.delete(
    "/api/v1/allow-entries/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "removeAllowEntry",
        summary: "Accept it no longer",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await change(request, async (db) => {
        const rule = await removeAllowEntry(db, id);
        if (rule === undefined) throw notFound("allow entry", id);
        await audit(db, request, "allow-entry.remove", `allow-entry/${id}`, { rule });
      });
      return reply.status(204).send(null);
    },
  );
};

type Modes = Awaited<ReturnType<typeof listRuleModes>>;

function shownRule(rules: TenantRules, rule: Rule | AuditRule, modes: Modes) {
  const { name, description, condition, severity, priority, tags, techniques, tactics, advice, place } = rule;
  const everywhere = modes.find(({ scope }) => Object.keys(scope).length === 0);
  const able = blockOf(rules, rule);
  return {
    ...{ name, description, condition, severity, priority, tags, techniques, tactics, advice, file: place.file },
    shipped: rules.shipped.has(name),
    mode: everywhere?.mode ?? (rule.enabled ? ("alert" as const) : ("off" as const)),
    blockable: "blocks" in able,
    whyNotBlockable: "why" in able ? able.why : "",
    notBlocked: "blocks" in able ? able.besides.join("; ") : "",
    exceptions: modes.filter((each) => each !== everywhere),
  };
}

function shownProblem({ level, message, rule, place }: RuleProblem) {
  return { level, message, rule, file: place.file, line: place.line, column: place.column };
}

function check(name: string, content: string) {
  const { rules, auditRules, problems, reports } = loadRules([{ name, text: content }]);
  return {
    rules: rules.length + auditRules.length,
    problems: [...problems, ...reports.flatMap((each) => each.problems)].map(shownProblem),
  };
}

/** What a node can do against it. */
function blockOf({ set }: TenantRules, rule: Rule | AuditRule): ReturnType<typeof blockFor> {
  if ("plans" in rule) return blockFor(set, rule);
  return { why: "a request is over when the API server tells of it; admission policies refuse what is asked" };
}

function checkBlockable(rules: TenantRules, rule: Rule | AuditRule): void {
  const able = blockOf(rules, rule);
  if ("blocks" in able) return;
  throw new ServerError("CONFLICT", `the rule "${rule.name}" cannot block: ${able.why}`, "let it alert instead");
}

function checkCondition(condition: string, scope: StoredScope): void {
  try {
    if (isOfRequests(scope)) compileAuditFilter(condition);
    else compileFilter(condition);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ServerError("INVALID_REQUEST", why, "correct the condition", cause);
  }
}

import {
  addBaseline,
  announce,
  type Baseline,
  type BaselineState,
  baselineValues,
  countBaselines,
  endLearning,
  getBaseline,
  listAdmissionPolicies,
  listBaselines,
  moveBaseline,
  putAdmissionPolicy,
  removeAdmissionPolicy,
  roughlyCountPods,
  setAdmissionMode,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { changed } from "../admission/policy-routes.ts";
import { Namespace, PolicyName } from "../admission/shapes.ts";
import { audit } from "../audit/audit.ts";
import { demandCluster } from "../clusters/demand-cluster.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { look } from "./learn.ts";
import { type Proposal, proposalOf } from "./propose.ts";
import { BaselineDetailShape, BaselineShape, LabelBody, ProposalShape } from "./shapes.ts";

const tags = ["admission"];
const read = { scope: "runtime:read" } as const;
const write = { scope: "runtime:write" } as const;
const MAX_BASELINES = 500;
const MAX_DAYS = 90;
const DEFAULT_DAYS = 7;
const DAY_MS = 86_400_000;
/** Pods that are looked at while somebody waits. */
const MAX_AT_ONCE = 5_000;

/** Baselines: what pods of a scope were seen to be, and the policies that follow from it. */
export const baselineRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  /** Looks while somebody waits, where that is soon done; all others are looked at within a minute. */
  const lookSoon = async (baseline: Baseline, tenantId: number): Promise<boolean> => {
    const pods = await store.tenant(tenantId, (db) => roughlyCountPods(db, baseline, MAX_AT_ONCE + 1));
    return pods <= MAX_AT_ONCE && look(deps, tenantId, baseline, true);
  };

  app.get(
    "/api/v1/admission/baselines",
    {
      config: read,
      schema: {
        tags,
        operationId: "listBaselines",
        summary: "Baselines, the newest first",
        querystring: Type.Object({ ...PageQuery, cluster: Type.Optional(Id) }),
        response: { 200: PageOf(BaselineShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, cluster } = request.query;
      const filter = { clusterId: cluster, before: idOfCursor(cursor), limit: limit + 1 };
      const rows = await store.tenant(principalOf(request).tenantId, (db) => listBaselines(db, filter));
      return pageById(rows.map(shown), limit);
    },
  );

  app.get(
    "/api/v1/admission/baselines/:id",
    {
      config: read,
      schema: {
        tags,
        operationId: "getBaseline",
        summary: "A baseline: what was seen, how often, where and when last",
        params: IdParams,
        response: { 200: BaselineDetailShape },
      },
    },
    async (request) => store.tenant(principalOf(request).tenantId, (db) => detail(db, request.params.id)),
  );

  app.post(
    "/api/v1/admission/baselines",
    {
      config: write,
      schema: {
        tags,
        operationId: "learnBaseline",
        summary: "Learn what the pods of a namespace, of a label, or of both are, over an observation period",
        body: Type.Object(
          {
            cluster: Id,
            namespace: Type.Optional(Namespace),
            label: Type.Optional(LabelBody),
            days: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_DAYS, default: DEFAULT_DAYS })),
          },
          { additionalProperties: false },
        ),
        response: { 201: BaselineDetailShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name: by } = principalOf(request);
      const { cluster, namespace = "", label, days = DEFAULT_DAYS } = request.body;
      if (namespace === "" && label === undefined)
        throw new ServerError("INVALID_REQUEST", "a baseline is of a namespace or a label", "name one of them");
      const made = await store.tenant(tenantId, async (db) => {
        const now = clock();
        await demandCluster(db, cluster, now);
        if ((await countBaselines(db)) >= MAX_BASELINES)
          throw new ServerError("CONFLICT", `there are ${MAX_BASELINES} baselines already`, "retire some of them");
        const scope = { namespace, labelName: label?.name ?? "", labelValue: label?.value ?? "" };
        const until = new Date(now.getTime() + days * DAY_MS);
        const added = await addBaseline(db, { clusterId: cluster, ...scope, by, now, until });
        if (added === undefined)
          throw new ServerError("CONFLICT", "there is a baseline of this scope already", "retire it to learn anew");
        await audit(db, request, "baseline.learn", `baseline/${added.id}`, { cluster: added.cluster, ...scope, days });
        return added;
      });
      await lookSoon(made, tenantId);
      return reply.status(201).send(await store.tenant(tenantId, (db) => detail(db, made.id)));
    },
  );

  app.post(
    "/api/v1/admission/baselines/:id/propose",
    {
      config: write,
      schema: {
        tags,
        operationId: "endLearning",
        summary: "End the observation period now; what was seen is proposed, of very many pods within a minute",
        params: IdParams,
        response: { 200: BaselineDetailShape },
      },
    },
    async (request) => {
      const { tenantId, name: by } = principalOf(request);
      const { id } = request.params;
      const baseline = await store.tenant(tenantId, (db) => found(db, id));
      demand(baseline, ["learning"], "does not learn");
      const isLarge = !(await lookSoon(baseline, tenantId));
      return store.tenant(tenantId, async (db) => {
        if (isLarge) await endLearning(db, id, clock());
        else await move(db, baseline, { from: ["learning"], to: "proposed", by, now: clock() });
        await audit(db, request, "baseline.propose", `baseline/${id}`, {});
        return detail(db, id);
      });
    },
  );

  app.get(
    "/api/v1/admission/baselines/:id/proposal",
    {
      config: read,
      schema: {
        tags,
        operationId: "getProposal",
        summary: "The policy that admits what was seen and names what is new, and policies that could be enforced",
        params: IdParams,
        response: { 200: ProposalShape },
      },
    },
    async (request) =>
      store.tenant(principalOf(request).tenantId, async (db) =>
        plain(await proposalOf(db, await found(db, request.params.id), clock())),
      ),
  );

  app.post(
    "/api/v1/admission/baselines/:id/activate",
    {
      config: { scope: "findings:approve" },
      schema: {
        tags,
        operationId: "activateBaseline",
        summary:
          "Approve what is proposed: the policy watches from now on, and those that are named are enforced in the namespace",
        params: IdParams,
        body: Type.Object(
          { enforce: Type.Optional(Type.Array(PolicyName, { maxItems: 200, uniqueItems: true })) },
          { additionalProperties: false },
        ),
        response: { 200: BaselineDetailShape },
      },
    },
    async (request) => {
      const { tenantId, name: by } = principalOf(request);
      const { id } = request.params;
      const { enforce = [] } = request.body;
      return store.tenant(tenantId, async (db) => {
        const baseline = await found(db, id);
        demand(baseline, ["proposed"], "is not proposed");
        if (baseline.pods === 0)
          throw new ServerError("CONFLICT", "no pod was seen: the policy would name everything new", "learn longer");
        const proposal = await proposalOf(db, baseline, clock());
        demandEnforceable(proposal, enforce);
        const { policy, content } = proposal;
        await move(db, baseline, { from: ["proposed"], to: "active", by, now: clock(), policy });
        await putAdmissionPolicy(db, { name: policy, content, by, now: clock() });
        for (const each of enforce)
          await setAdmissionMode(db, {
            ...{ policy: each, clusterId: baseline.clusterId, namespace: baseline.namespace },
            ...{ mode: "enforce" as const, by, now: clock() },
          });
        const revision = await changed(db);
        const about = { policy, enforced: enforce.join(","), revision };
        await audit(db, request, "baseline.activate", `baseline/${id}`, about);
        return detail(db, id);
      });
    },
  );

  app.post(
    "/api/v1/admission/baselines/:id/retire",
    {
      config: write,
      schema: {
        tags,
        operationId: "retireBaseline",
        summary: "Put a baseline aside; its policy is removed, and modes that were set with it stay",
        params: IdParams,
        response: { 200: BaselineDetailShape },
      },
    },
    async (request) => {
      const { tenantId, name: by } = principalOf(request);
      const { id } = request.params;
      return store.tenant(tenantId, async (db) => {
        const baseline = await found(db, id);
        await move(db, baseline, { from: ["learning", "proposed", "active"], to: "retired", by, now: clock() });
        const own = await listAdmissionPolicies(db);
        const policy = own.find(({ name }) => name === baseline.policy);
        if (policy !== undefined) await removeAdmissionPolicy(db, policy.id);
        if (policy !== undefined) await changed(db);
        await audit(db, request, "baseline.retire", `baseline/${id}`, { policy: baseline.policy });
        return detail(db, id);
      });
    },
  );
};

async function found(db: TenantQueries, id: number): Promise<Baseline> {
  const baseline = await getBaseline(db, id);
  if (baseline === undefined) throw notFound("baseline", id);
  return baseline;
}

/** @throws ServerError `CONFLICT` where somebody else was quicker */
async function move(db: TenantQueries, baseline: Baseline, to: Parameters<typeof moveBaseline>[2]): Promise<void> {
  if (!(await moveBaseline(db, baseline.id, to))) demand(baseline, [], `is ${baseline.state} already, or was changed`);
  await announce(db, { topic: "admission", id: baseline.id });
}

function demand(baseline: Baseline, states: readonly BaselineState[], what: string): void {
  if (states.includes(baseline.state)) return;
  const next = "see bulwark policy baselines";
  throw new ServerError("CONFLICT", `baseline ${baseline.id} ${what}: it is ${baseline.state}`, next);
}

/** @throws ServerError `CONFLICT` for a policy that would deny something that was seen */
function demandEnforceable({ enforceable }: Proposal, enforce: readonly string[]): void {
  const other = enforce.find((name) => !enforceable.some(({ policy }) => policy === name));
  if (other !== undefined)
    throw new ServerError(
      "CONFLICT",
      `policy ${other} is none that nothing breaks`,
      "leave it out, or set its mode yourself",
    );
}

function shown({ clusterId, cluster, labelName, labelValue, lookedAt: _, ...rest }: Baseline) {
  return {
    ...rest,
    cluster: { id: clusterId, name: cluster },
    label: labelName === "" ? null : { name: labelName, value: labelValue },
    ...{ excludedWorkloads: [...rest.excludedWorkloads], tooMany: [...rest.tooMany] },
  };
}

async function detail(db: TenantQueries, id: number) {
  const values = (await baselineValues(db, id)).map((value) => ({ ...value, sources: [...value.sources] }));
  return { ...shown(await found(db, id)), values };
}

function plain({ tooMany, enforceable, broken, ...rest }: Proposal) {
  return { ...rest, tooMany: [...tooMany], enforceable: [...enforceable], broken: [...broken] };
}

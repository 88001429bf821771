import { AdmissionError, exportPolicy, mistakesIn, readAdmissionPolicy } from "@bulwark/kubernetes";
import { SignatureError } from "@bulwark/signature";
import {
  admissionPolicyVersions,
  admissionState,
  announce,
  bumpAdmission,
  countPolicies,
  listAdmissionPolicies,
  namespacesOfPolicy,
  type PolicyCounts,
  putAdmissionPolicy,
  removeAdmissionPolicy,
  setAdmissionMode,
  type TenantQueries,
  writeSetting,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { demandCluster } from "../clusters/demand-cluster.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { List } from "../list.ts";
import type { Routes } from "../routes.ts";
import { policiesOf, policyNamed, type TenantPolicy } from "./policy-set.ts";
import { ADMISSION_SETTING, admissionSettings } from "./settings.ts";
import { ModeEnum, Namespace, PolicyDetailShape, PolicyName, PolicyShape, SettingsShape } from "./shapes.ts";
import { demandSignaturePolicy } from "./verify-signature.ts";

const tags = ["admission"];
const read = { scope: "runtime:read" } as const;
const write = { scope: "runtime:write" } as const;
const MAX_CONTENT = 256 * 1024;
const MAX_OWN = 500;
const OBSERVED_DAYS = 90;
const DAY_MS = 86_400_000;
const NO_COUNTS = { asked: 0, wouldDeny: 0, denied: 0, excepted: 0 };
const EXAMPLE =
  "name: ours\ntitle: No host network\nrules:\n  - id: host-network\n    on: pod\n    deny: pod.spec.?hostNetwork.orValue(false)\n    title: no host network\n";

/** Policies of admission: what is shipped and what a tenant wrote, their modes, and what they came to. */
export const admissionPolicyRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;

  app.get(
    "/api/v1/admission/policies",
    {
      config: read,
      schema: {
        tags,
        operationId: "listAdmissionPolicies",
        summary: "Policies by name, with their modes and what they denied, or would have, in 90 days",
        response: {
          200: Type.Object({
            revision: Type.Integer(),
            dropped: Type.Integer({ description: "decisions that replicas threw away" }),
            items: List(PolicyShape),
          }),
        },
      },
    },
    async (request) =>
      store.tenant(principalOf(request).tenantId, async (db) => {
        const counts = await countPolicies(db, since(clock()));
        const items = (await policiesOf(db)).map((each) => shown(each, countOf(counts, each)));
        return { ...(await admissionState(db)), items };
      }),
  );

  app.get(
    "/api/v1/admission/policy",
    {
      config: read,
      schema: {
        tags,
        operationId: "getAdmissionPolicy",
        summary: "One policy: its text, its versions, and where it denied",
        querystring: Type.Object({ name: PolicyName }),
        response: { 200: PolicyDetailShape },
      },
    },
    async (request) => store.tenant(principalOf(request).tenantId, (db) => detail(db, request.query.name, clock())),
  );

  app.post(
    "/api/v1/admission/policies",
    {
      config: write,
      bodyLimit: 2 * MAX_CONTENT,
      schema: {
        tags,
        operationId: "putAdmissionPolicy",
        summary: "Add a policy, or a new version of one of the same name; one named like a shipped one takes its place",
        body: Type.Object(
          { content: Type.String({ minLength: 1, maxLength: MAX_CONTENT, examples: [EXAMPLE] }) },
          { additionalProperties: false },
        ),
        response: { 200: PolicyDetailShape },
      },
    },
    async (request) => {
      const { tenantId, name: by } = principalOf(request);
      const { content } = request.body;
      const { name } = demandPolicy(content);
      return store.tenant(tenantId, async (db) => {
        const own = await listAdmissionPolicies(db);
        if (own.length >= MAX_OWN && !own.some((each) => each.name === name))
          throw new ServerError("CONFLICT", `there are ${MAX_OWN} policies already`, "put rules into one of them");
        const { version } = await putAdmissionPolicy(db, { name, content, by, now: clock() });
        const revision = await changed(db);
        await audit(db, request, "admission.policy", `admission-policy/${name}`, { name, version, revision });
        return detail(db, name, clock());
      });
    },
  );

  app.delete(
    "/api/v1/admission/policies/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "deleteAdmissionPolicy",
        summary: "Remove a policy of your own; a shipped one of the same name holds again",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const name = await removeAdmissionPolicy(db, id);
        if (name === undefined) throw notFound("policy of your own", id);
        await changed(db);
        await audit(db, request, "admission.policy-delete", `admission-policy/${name}`, { name });
      });
      return reply.status(204).send(null);
    },
  );

  app.post(
    "/api/v1/admission/modes",
    {
      config: write,
      schema: {
        tags,
        operationId: "setAdmissionMode",
        summary:
          "Let a policy watch, deny or rest: everywhere, in one cluster, in one namespace, or in one of a cluster",
        body: Type.Object(
          {
            policy: Type.String({ maxLength: 63, examples: ["no-privileged"] }),
            cluster: Type.Optional({ ...Id, description: "all clusters where it is left out" }),
            namespace: Type.Optional(Namespace),
            mode: Type.Union([ModeEnum, Type.Null()], {
              description: "null: as what the place lies in, or the file, has it",
            }),
          },
          { additionalProperties: false },
        ),
        response: { 200: PolicyDetailShape },
      },
    },
    async (request) => {
      const { tenantId, name: by } = principalOf(request);
      const { policy, cluster, namespace = "", mode } = request.body;
      return store.tenant(tenantId, async (db) => {
        if ((await policyNamed(db, policy)) === undefined) throw notFound("policy", policy);
        await demandCluster(db, cluster, clock());
        const place = { policy, clusterId: cluster ?? null, namespace };
        await setAdmissionMode(db, { ...place, mode: mode ?? undefined, by, now: clock() });
        const revision = await changed(db);
        const about = { policy, cluster: cluster ?? "", namespace, mode: mode ?? "", revision };
        await audit(db, request, "admission.mode", `admission-policy/${policy}`, about);
        return detail(db, policy, clock());
      });
    },
  );

  app.get(
    "/api/v1/admission/settings",
    {
      config: read,
      schema: {
        tags,
        operationId: "getAdmissionSettings",
        summary: "What is changed about pods on their way in, and whose signatures images need",
        response: { 200: SettingsShape },
      },
    },
    async (request) => store.tenant(principalOf(request).tenantId, async (db) => plain(await admissionSettings(db))),
  );

  app.post(
    "/api/v1/admission/settings",
    {
      config: write,
      schema: {
        tags,
        operationId: "putAdmissionSettings",
        summary: "Set what is changed about pods on their way in, and whose signatures images need",
        body: SettingsShape,
        response: { 200: SettingsShape },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const { mutation, signature } = request.body;
      await demandSignatures(signature);
      return store.tenant(tenantId, async (db) => {
        await writeSetting(db, tenantId, ADMISSION_SETTING, { mutation, signature });
        await changed(db);
        const about = { ...mutation, signed: signature.policy !== "", keys: signature.keys.length };
        await audit(db, request, "admission.settings", "admission/settings", about);
        return plain(await admissionSettings(db));
      });
    },
  );
};

/** Counts a change and tells every gateway, which tells its replicas. */
export async function changed(db: TenantQueries): Promise<number> {
  const revision = await bumpAdmission(db);
  await announce(db, { topic: "admission", id: revision });
  return revision;
}

function since(now: Date): Date {
  return new Date(now.getTime() - OBSERVED_DAYS * DAY_MS);
}

async function detail(db: TenantQueries, name: string, now: Date) {
  const found = await policyNamed(db, name);
  if (found === undefined) throw notFound("policy", name);
  const counts = await countPolicies(db, since(now));
  const versions = await admissionPolicyVersions(db, name);
  return {
    ...shown(found, countOf(counts, found)),
    content: found.text,
    versions: versions.map(({ version, content, changedBy, changedAt }) => ({
      version,
      content,
      changedBy,
      changedAt,
    })),
    byNamespace: [...(await namespacesOfPolicy(db, name, since(now)))],
  };
}

function countOf(counts: readonly PolicyCounts[], { policy }: TenantPolicy): PolicyCounts | undefined {
  return counts.find((each) => each.policy === policy.name);
}

function shown(each: TenantPolicy, counts: PolicyCounts | undefined) {
  const { id, policy, source, version, changedBy, changedAt, mode, chosen, modes } = each;
  const { name, title, description, category, onError, unknown } = policy;
  const { asked, wouldDeny, denied, excepted } = counts ?? NO_COUNTS;
  return {
    ...{ id, name, title, description, category, source, version, changedBy, changedAt, mode, onError, unknown },
    declaredMode: policy.mode,
    modes: modes.map(({ policy: _, ...own }) => own),
    exportable: isExportable(each),
    rules: policy.rules.map(({ id: rule, on, title: asks, deny, message }) => ({
      id: rule,
      on,
      title: asks,
      deny,
      message,
    })),
    counts: { asked, wouldDeny, denied, excepted },
    observedSince: chosen?.changedAt ?? counts?.since ?? null,
  };
}

function isExportable({ policy }: TenantPolicy): boolean {
  try {
    exportPolicy(policy, "audit", []);
    return true;
  } catch (error) {
    if (error instanceof AdmissionError) return false;
    throw error;
  }
}

/** @throws ServerError `INVALID_REQUEST` that says where the mistake is */
function demandPolicy(content: string) {
  try {
    const policy = readAdmissionPolicy(content, "that was sent");
    const [mistake] = mistakesIn(policy);
    if (mistake !== undefined)
      throw new ServerError("INVALID_REQUEST", `admission policy ${policy.name}: ${mistake}`, "correct the policy");
    return policy;
  } catch (error) {
    if (!(error instanceof AdmissionError)) throw error;
    throw new ServerError("INVALID_REQUEST", error.message, error.next, error);
  }
}

/** @throws ServerError `INVALID_REQUEST` that says where the mistake is */
async function demandSignatures(signature: Parameters<typeof demandSignaturePolicy>[0]): Promise<void> {
  try {
    await demandSignaturePolicy(signature);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new ServerError("INVALID_REQUEST", error.message, error.next, error);
  }
}

function plain({ mutation, signature }: Awaited<ReturnType<typeof admissionSettings>>) {
  return { mutation, signature: { policy: signature.policy, keys: [...signature.keys] } };
}

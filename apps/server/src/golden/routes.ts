import {
  announce,
  approveGolden,
  diffImages,
  endGolden,
  findOwner,
  type Golden,
  type GoldenVersion,
  getGolden,
  goldenCandidates,
  goldenConsumers,
  goldenEvents,
  goldenVersions,
  hasGoldenPlace,
  listGolden,
  lockAssessments,
  proposeGolden,
  staleInRepository,
  staleOnChains,
  type TenantQueries,
  tellOfGolden,
  withdrawGolden,
} from "@bulwark/store";
import { Type } from "typebox";
import { type Principal, principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { Digest } from "../images/shapes.ts";
import { listOf } from "../list-parameter.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { assessImages } from "./assess-images.ts";
import { publishTag } from "./publish.ts";
import { DiffShape, GOLDEN_STATES, GoldenDetailShape, GoldenShape } from "./shapes.ts";

const tags = ["golden"];
const read = { scope: "images:read" } as const;
const write = { scope: "findings:write" } as const;
const approve = { scope: "findings:approve" } as const;
const Reason = Type.String({ minLength: 1, maxLength: 2_000 });

/** Golden images: proposed by one person, approved by another, published, re-assessed, deprecated, revoked. */
export const goldenRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;

  app.get(
    "/api/v1/golden",
    {
      config: read,
      schema: {
        tags,
        operationId: "listGolden",
        summary: "Golden images and those that are proposed, the newest first",
        querystring: Type.Object({
          ...PageQuery,
          state: Type.Optional(Type.String({ maxLength: 100, description: "states, separated by commas" })),
          owner: Type.Optional(Id),
          search: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
        }),
        response: { 200: PageOf(GoldenShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, state, owner, search } = request.query;
      const after = idOfCursor(cursor);
      const filter = {
        states: listOf(state, GOLDEN_STATES),
        limit: limit + 1,
        ...(owner === undefined ? {} : { ownerId: owner }),
        ...(search === undefined ? {} : { search }),
        ...(after === undefined ? {} : { after }),
      };
      const rows = await store.tenant(principalOf(request).tenantId, (db) => listGolden(db, filter));
      return pageById(rows, limit);
    },
  );

  app.post(
    "/api/v1/golden",
    {
      config: write,
      schema: {
        tags,
        operationId: "proposeGolden",
        summary: "Propose a repository, or one image of it, as golden; a second person has to approve",
        body: Type.Object(
          {
            repository: Id,
            digest: Type.Optional(Digest),
            purpose: Type.String({ minLength: 1, maxLength: 2_000, description: "what it is for" }),
            owner: Type.Optional(Id),
          },
          { additionalProperties: false },
        ),
        response: { 201: GoldenDetailShape },
      },
    },
    async (request, reply) => {
      const { tenantId, accountId, name, owners } = principalOf(request);
      const { repository, digest = "", purpose, owner } = request.body;
      const now = clock();
      const made = await store.tenant(tenantId, async (db) => {
        if (!(await hasGoldenPlace(db, repository, digest, owners)))
          throw notFound(digest === "" ? "repository" : "image of it", digest === "" ? repository : digest);
        if (owner !== undefined && (await findOwner(db, owner)) === undefined) throw notFound("owner", owner);
        const proposal = { repositoryId: repository, digest, purpose, ownerId: owner ?? null, accountId, name, now };
        const id = await proposeGolden(db, proposal);
        if (id === undefined)
          throw new ServerError("CONFLICT", "it was proposed already", "look at the list of golden images");
        await staleInRepository(db, repository);
        await assessCandidates(db, id, now);
        await audit(db, request, "golden.propose", `golden/${id}`, { repository, digest, purpose });
        await announce(db, { topic: "golden", id });
        return detail(db, id);
      });
      return reply.status(201).send(made);
    },
  );

  app.get(
    "/api/v1/golden/:id",
    {
      config: read,
      schema: {
        tags,
        operationId: "getGolden",
        summary: "One golden image: its versions, what could be published, who stands on it, what happened",
        params: IdParams,
        response: { 200: GoldenDetailShape },
      },
    },
    async (request) => store.tenant(principalOf(request).tenantId, (db) => detail(db, request.params.id)),
  );

  app.delete(
    "/api/v1/golden/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "withdrawGolden",
        summary: "Take back, or refuse, what was not published yet",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { id } = request.params;
      await store.tenant(principal.tenantId, async (db) => {
        // Before its row is held: who publishes it holds this one and waits for the row.
        await lockAssessments(db);
        const golden = await foundOwn(db, id, principal);
        if (golden.proposedBy.id !== principal.accountId && !principal.scopes.has("findings:approve"))
          throw new ServerError("FORBIDDEN", "somebody else proposed it", "ask who may approve golden images");
        if (!(await withdrawGolden(db, id)))
          throw new ServerError("CONFLICT", `golden image ${id} is ${golden.state}`, "deprecate or revoke it");
        await staleInRepository(db, golden.repository.id);
        await audit(db, request, "golden.withdraw", `golden/${id}`, { repository: golden.repository.name });
        await announce(db, { topic: "golden", id });
      });
      return reply.status(204).send(null);
    },
  );

  app.post(
    "/api/v1/golden/:id/approve",
    {
      config: approve,
      schema: {
        tags,
        operationId: "approveGolden",
        summary: "Approve what somebody else proposed",
        params: IdParams,
        response: { 200: GoldenDetailShape },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { tenantId, accountId, name } = principal;
      const { id } = request.params;
      return store.tenant(tenantId, async (db) => {
        const golden = await foundOwn(db, id, principal);
        if (!(await approveGolden(db, id, { accountId, name, now: clock() }))) throw refusal(golden, accountId);
        await audit(db, request, "golden.approve", `golden/${id}`, { repository: golden.repository.name });
        await announce(db, { topic: "golden", id });
        return detail(db, id);
      });
    },
  );

  app.post(
    "/api/v1/golden/:id/publish",
    {
      config: write,
      schema: {
        tags,
        operationId: "publishGolden",
        summary: "Publish what a tag names now as a version; it has to pass the build rules and to say what changed",
        params: IdParams,
        body: Type.Object(
          {
            tag: Type.String({ minLength: 1, maxLength: 128 }),
            description: Type.Optional(
              Type.String({ maxLength: 4_000, description: "what changed; left out: what a label of the image says" }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: GoldenDetailShape },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { tenantId, name } = principal;
      const { id } = request.params;
      const { tag, description = "" } = request.body;
      return store.tenant(tenantId, async (db) => {
        await lockAssessments(db);
        const golden = await foundOwn(db, id, principal);
        const versions = await publishTag(db, golden, { tag, description, name, now: clock() });
        await audit(db, request, "golden.publish", `golden/${id}`, { tag, versions: versions.join(", ") });
        await announce(db, { topic: "golden", id });
        return detail(db, id);
      });
    },
  );

  const end = (state: "deprecated" | "revoked", verb: "deprecate" | "revoke", summary: string) =>
    app.post(
      `/api/v1/golden/:id/${verb}`,
      {
        config: state === "revoked" ? approve : write,
        schema: {
          tags,
          operationId: `${verb}Golden`,
          summary,
          params: IdParams,
          body: Type.Object(
            {
              reason: Reason,
              version: Type.Optional(Id),
              successor: Type.Optional(Type.Integer({ minimum: 1, description: "golden image to use instead" })),
            },
            { additionalProperties: false },
          ),
          response: { 200: GoldenDetailShape },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        const { tenantId, name } = principal;
        const { id } = request.params;
        const { reason, version, successor } = request.body;
        const now = clock();
        return store.tenant(tenantId, async (db) => {
          await lockAssessments(db);
          await foundOwn(db, id, principal);
          await demandEndable(db, id, { state, version, successor });
          const given = { state, reason, successorId: successor ?? null, name, now };
          const chains = await endGolden(db, id, version === undefined ? given : { ...given, versionId: version });
          await staleOnChains(db, chains);
          const about = version === undefined ? { reason } : { reason, versionId: version };
          await tellOfGolden(db, id, `golden.${state}`, about, now);
          await audit(db, request, `golden.${verb}`, `golden/${id}`, { reason, version, successor });
          await announce(db, { topic: "golden", id });
          return detail(db, id);
        });
      },
    );
  end("deprecated", "deprecate", "Tell those who stand on it, or on one version of it, to move on");
  end("revoked", "revoke", "Forbid it, or one version of it, as a base; there is no way back");

  app.get(
    "/api/v1/golden/:id/diff",
    {
      config: read,
      schema: {
        tags,
        operationId: "diffGolden",
        summary: "What changed between two versions: packages and findings. Without `from`: since the version before",
        params: IdParams,
        querystring: Type.Object({ version: Type.Optional(Id), from: Type.Optional(Id) }),
        response: { 200: DiffShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { version, from } = request.query;
      return store.tenant(principalOf(request).tenantId, async (db) => {
        await found(db, id);
        const versions = await goldenVersions(db, id);
        const to = version === undefined ? versions[0] : versions.find((each) => each.id === version);
        if (to === undefined) throw notFound("version", version ?? "of it");
        const before = versions.find((each) => each.id === (from ?? to.previousId)) ?? priorOf(versions, to);
        if (from !== undefined && before?.id !== from) throw notFound("version", from);
        if (before === undefined) return { ...NO_DIFF, from: null, to };
        return { from: before, to, ...(await diffImages(db, before.imageId, to.imageId)) };
      });
    },
  );
};

const NO_DIFF = {
  ...{ added: [], removed: [], changed: [], findingsGone: [], findingsNew: [], cut: false },
  sizeBytes: { from: 0, to: 0 },
};

/** A first version of a line still differs from what was published before it. */
function priorOf(versions: readonly GoldenVersion[], to: GoldenVersion): GoldenVersion | undefined {
  return versions.find(({ id, platform }) => id < to.id && platform === to.platform);
}

async function found(db: TenantQueries, id: number): Promise<Golden> {
  const golden = await getGolden(db, id);
  if (golden === undefined) throw notFound("golden image", id);
  return golden;
}

/** To be changed: all golden images are seen by everybody, and those of other owners are left alone by who is held to some. */
async function foundOwn(db: TenantQueries, id: number, { owners, name }: Principal): Promise<Golden> {
  const golden = await found(db, id);
  if (owners === undefined || (golden.owner !== null && owners.includes(golden.owner.id))) return golden;
  throw new ServerError("FORBIDDEN", `golden image ${id} is not of ${name}'s owners`, "ask its owner");
}

async function detail(db: TenantQueries, id: number) {
  const golden = await found(db, id);
  return {
    golden,
    versions: await goldenVersions(db, id),
    candidates: await goldenCandidates(db, id),
    consumers: await goldenConsumers(db, id),
    history: await goldenEvents(db, id),
  };
}

async function assessCandidates(db: TenantQueries, id: number, now: Date): Promise<void> {
  const scanned = (await goldenCandidates(db, id)).filter(({ isScanned }) => isScanned);
  const images = scanned.map(({ imageId }) => imageId);
  await assessImages(db, [...new Set(images)], now);
}

function refusal({ id, state, proposedBy }: Golden, accountId: number): ServerError {
  if (state === "proposed" && proposedBy.id === accountId)
    return new ServerError(
      "FORBIDDEN",
      "nobody approves what they proposed themselves",
      "let somebody else approve it",
    );
  return new ServerError("CONFLICT", `golden image ${id} is ${state}`, "look at its history");
}

async function demandEndable(
  db: TenantQueries,
  id: number,
  end: {
    readonly state: "deprecated" | "revoked";
    readonly version?: number | undefined;
    readonly successor?: number | undefined;
  },
): Promise<void> {
  const golden = await found(db, id);
  const { version, successor } = end;
  if (golden.state === "proposed" || golden.state === "approved")
    throw new ServerError("CONFLICT", `golden image ${id} was not published`, "take it back with DELETE");
  if (
    golden.state === "revoked" ||
    (golden.state === "deprecated" && end.state === "deprecated" && version === undefined)
  )
    throw new ServerError("CONFLICT", `golden image ${id} is ${golden.state}`, "look at its history");
  if (version !== undefined && !(await goldenVersions(db, id)).some((each) => each.id === version))
    throw notFound("version", version);
  if (successor === undefined) return;
  const other = successor === id ? undefined : await getGolden(db, successor);
  if (other === undefined) throw notFound("other golden image", successor);
  if (other.state !== "published")
    throw new ServerError("CONFLICT", `golden image ${successor} is ${other.state}`, "name one that is published");
}

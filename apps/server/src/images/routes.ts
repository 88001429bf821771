import { SEVERITIES } from "@bulwark/model";
import { IMAGE_SORTS, type ImageSort, imageFindings, imagePackages, listImages, setPlace } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { listOf } from "../list-parameter.ts";
import { demandOwner } from "../owners/demand-owner.ts";
import { DEFAULT_PAGE, decodeCursor, encodeCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { itemOf } from "./reference.ts";
import { sbomOf } from "./sbom.ts";
import { seenImage } from "./seen-image.ts";
import { Digest, FindingShape, ImageDetailShape, ImageItemShape, PackageShape } from "./shapes.ts";

const Search = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }));
const Flag = Type.Optional(Type.Boolean());
const Params = Type.Object({ digest: Digest });

/** Images: lists, one image, its findings and packages. */
export const imageRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const read = { scope: "images:read" } as const;
  const tags = ["images"];

  app.get(
    "/api/v1/images",
    {
      config: read,
      schema: {
        tags,
        operationId: "listImages",
        summary: "Images of the estate, the riskiest first",
        querystring: Type.Object({ ...PageQuery, ...IMAGE_FILTERS, sort: Type.Optional(sortOf(IMAGE_SORTS)) }),
        response: { 200: PageOf(ImageItemShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, sort = "-risk", owner, ...filter } = request.query;
      const after = decodeCursor(cursor, ["number", "number"]) as readonly [number, number] | undefined;
      const principal = principalOf(request);
      const page = await store.tenant(principal.tenantId, (db) =>
        listImages(db, {
          ...filter,
          ...(owner === undefined ? {} : { ownerId: owner }),
          sight: principal.owners,
          sort: sort.replace(/^-/, "") as ImageSort,
          descending: sort.startsWith("-"),
          limit,
          ...(after === undefined ? {} : { after }),
        }),
      );
      return { items: page.items.map(itemOf), ...(page.next === undefined ? {} : { next: encodeCursor(page.next) }) };
    },
  );

  app.get(
    "/api/v1/images/:digest",
    {
      config: read,
      schema: {
        tags,
        operationId: "getImage",
        summary: "One image, with its layers",
        params: Params,
        response: { 200: ImageDetailShape },
      },
    },
    async (request) => {
      const { principal, digest } = asked(request);
      return store.tenant(principal.tenantId, async (db) => itemOf(await seenImage(db, digest, principal)));
    },
  );

  app.patch(
    "/api/v1/images/:digest",
    {
      config: { scope: "images:write" },
      schema: {
        tags,
        operationId: "changeImage",
        summary: "Set an image's owner, business grade or labels",
        params: Params,
        body: PlaceChange,
        response: { 200: ImageDetailShape },
      },
    },
    async (request) => {
      const { principal, digest } = asked(request);
      return store.tenant(principal.tenantId, async (db) => {
        const image = await seenImage(db, digest, principal);
        await demandOwner(db, request.body.ownerId);
        await setPlace(db, "image", image.id, request.body);
        const changed = itemOf(await seenImage(db, digest, principal));
        await audit(db, request, "image.change", `image/${digest}`, { ...request.body });
        return changed;
      });
    },
  );

  app.get(
    "/api/v1/images/:digest/findings",
    {
      config: read,
      schema: {
        tags,
        operationId: "listImageFindings",
        summary: "What is wrong with an image, most urgent first",
        params: Params,
        querystring: Type.Object({
          ...PageQuery,
          kind: Type.Optional(Type.String({ description: "kinds, separated by commas" })),
          severity: Type.Optional(Type.String({ description: "severities, separated by commas" })),
          origin: Type.Optional(Type.Union([Type.Literal("base"), Type.Literal("own")])),
          layer: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
          search: Search,
          exploited: Flag,
          fixable: Flag,
        }),
        response: { 200: PageOf(FindingShape) },
      },
    },
    async (request) => {
      const { principal, digest } = asked(request);
      const { cursor, limit = DEFAULT_PAGE, kind, severity, ...filter } = request.query;
      const after = decodeCursor(cursor, ["number", "string"]) as readonly [number, string] | undefined;
      const rows = await store.tenant(principal.tenantId, async (db) =>
        imageFindings(db, await seenImage(db, digest, principal), {
          ...filter,
          now: deps.clock(),
          kinds: listOf(kind, ["vulnerability", "secret", "malware", "webshell", "misconfiguration"]),
          severities: listOf(severity, SEVERITIES),
          limit: limit + 1,
          ...(after === undefined ? {} : { after }),
        }),
      );
      return pageOf(
        rows,
        limit,
        ({ rank, key }) => [rank, key],
        ({ firstSeen, ...row }) => ({ ...row, firstSeen: firstSeen.toISOString() }),
      );
    },
  );

  app.get(
    "/api/v1/images/:digest/packages",
    {
      config: read,
      schema: {
        tags,
        operationId: "listImagePackages",
        summary: "The packages of an image, by name",
        params: Params,
        querystring: Type.Object({
          ...PageQuery,
          search: Search,
          type: Type.Optional(Type.String({ maxLength: 20 })),
          layer: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
        }),
        response: { 200: PageOf(PackageShape) },
      },
    },
    async (request) => {
      const { principal, digest } = asked(request);
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const after = decodeCursor(cursor, ["string", "number", "string"]) as
        | readonly [string, number, string]
        | undefined;
      const rows = await store.tenant(principal.tenantId, async (db) => {
        const { id } = await seenImage(db, digest, principal);
        return imagePackages(db, id, { ...filter, limit: limit + 1, ...(after === undefined ? {} : { after }) });
      });
      return pageOf(
        rows,
        limit,
        ({ name, id, path }) => [name, id, path],
        (row) => ({ ...row, licenses: [...row.licenses] }),
      );
    },
  );

  app.get(
    "/api/v1/images/:digest/sbom",
    {
      config: read,
      schema: {
        tags,
        operationId: "getImageSbom",
        summary: "The software bill of materials of an image",
        params: Params,
        querystring: Type.Object({
          format: Type.Optional(
            Type.Union([Type.Literal("cyclonedx"), Type.Literal("spdx")], { default: "cyclonedx" }),
          ),
        }),
        response: { 200: Type.Unknown() },
      },
    },
    async (request, reply) => {
      const { principal, digest } = asked(request);
      const { format = "cyclonedx" } = request.query;
      const text = await store.tenant(principal.tenantId, async (db) =>
        sbomOf(db, await seenImage(db, digest, principal), format, deps.clock()),
      );
      reply.type("application/json").header("content-disposition", `attachment; filename="${format}.json"`);
      return reply.serializer((value: unknown) => String(value)).send(text);
    },
  );
};

const IMAGE_FILTERS = {
  search: Search,
  registry: Search,
  repository: Search,
  os: Search,
  state: Type.Optional(Type.Enum(["known", "scanned", "failed", "gone"])),
  severity: Type.Optional(
    Type.Union([Type.Literal("critical"), Type.Literal("high"), Type.Literal("medium"), Type.Literal("low")], {
      description: "has flaws at least this severe",
    }),
  ),
  kind: Type.Optional(
    Type.Union([
      Type.Literal("vulnerability"),
      Type.Literal("secret"),
      Type.Literal("malware"),
      Type.Literal("misconfiguration"),
    ]),
  ),
  exploited: Flag,
  unowned: Flag,
  owner: Type.Optional(Type.Integer()),
  grade: Search,
  vulnerability: Search,
  base: Type.Optional(Digest),
};

/** What a place passes on to everything below it; null takes it away. */
const PlaceChange = Type.Object(
  {
    ownerId: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
    grade: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 40 }), Type.Null()])),
    labels: Type.Optional(Type.Record(Type.String({ maxLength: 100 }), Type.String({ maxLength: 1_000 }))),
  },
  { additionalProperties: false },
);

/** Sort parameter: a field, with `-` before it for descending order. */
function sortOf<Field extends string>(fields: readonly Field[]) {
  return Type.Enum(fields.flatMap((field) => [field, `-${field}` as const]));
}

function asked(request: { readonly params: { readonly digest: string } } & Parameters<typeof principalOf>[0]) {
  return { principal: principalOf(request), digest: request.params.digest };
}

import { SEVERITIES } from "@bulwark/model";
import { getVulnerability, listPackages, listVulnerabilities, vulnerabilityKey } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { notFound } from "../errors.ts";
import { Severity } from "../images/shapes.ts";
import { List } from "../list.ts";
import { listOf } from "../list-parameter.ts";
import { DEFAULT_PAGE, decodeCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";

const Search = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }));
const Flag = Type.Optional(Type.Boolean());

const Item = Type.Object({
  id: Type.String(),
  title: Type.String(),
  severity: Severity,
  cvss: Type.Union([Type.Number(), Type.Null()]),
  epss: Type.Union([Type.Number(), Type.Null()]),
  exploited: Type.Boolean(),
  fixable: Type.Boolean(),
  images: Type.Integer(),
  packages: List(Type.String()),
  fixedVersions: List(Type.String()),
  firstSeen: Type.String(),
});

const Detail = Type.Object({
  id: Type.String(),
  title: Type.String(),
  severity: Severity,
  cvss: Type.Unknown(),
  kev: Type.Unknown(),
  epss: Type.Unknown(),
  publicExploit: Type.Boolean(),
  aliases: List(Type.String()),
  references: List(Type.String()),
  subjects: List(
    Type.Object({
      ecosystem: Type.String(),
      name: Type.String(),
      version: Type.String(),
      fixedVersion: Type.String(),
      status: Type.String(),
      severity: Severity,
      images: Type.Integer(),
    }),
  ),
});

/** Vulnerabilities and packages over the estate. The images of one are `/images?vulnerability=ID`. */
export const vulnerabilityRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const config = { scope: "findings:read" } as const;

  app.get(
    "/api/v1/vulnerabilities",
    {
      config,
      schema: {
        tags: ["vulnerabilities"],
        operationId: "listVulnerabilities",
        summary: "Vulnerabilities of the estate as counted last, the most urgent first",
        querystring: Type.Object({
          ...PageQuery,
          search: Search,
          severity: Type.Optional(Type.String({ description: "severities, separated by commas" })),
          exploited: Flag,
          fixable: Flag,
          sort: Type.Optional(Type.Enum(["rank", "-images", "-firstSeen"])),
        }),
        response: { 200: PageOf(Item) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, severity, sort = "rank", ...filter } = request.query;
      const after = decodeCursor(cursor, ["number", "string"]) as readonly [number, string] | undefined;
      const by = sort.replace("-", "") as "rank" | "images" | "firstSeen";
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listVulnerabilities(db, {
          ...filter,
          severities: listOf(severity, SEVERITIES),
          sort: by,
          limit: limit + 1,
          ...(after === undefined ? {} : { after }),
        }),
      );
      return pageOf(
        rows,
        limit,
        (row) => vulnerabilityKey(row, by),
        (row) => row,
      );
    },
  );

  app.get(
    "/api/v1/vulnerabilities/:id",
    {
      config,
      schema: {
        tags: ["vulnerabilities"],
        operationId: "getVulnerability",
        summary: "What is known of a vulnerability, and where the estate has it",
        params: Type.Object({ id: Type.String({ maxLength: 100 }) }),
        response: { 200: Detail },
      },
    },
    async (request) => {
      const { id } = request.params;
      const found = await store.tenant(principalOf(request).tenantId, (db) => getVulnerability(db, id));
      if (found === undefined) throw notFound("vulnerability", id);
      return found;
    },
  );

  app.get(
    "/api/v1/packages",
    {
      config,
      schema: {
        tags: ["packages"],
        operationId: "listPackages",
        summary: "Packages of the estate, by name",
        querystring: Type.Object({ ...PageQuery, search: Search, type: Type.Optional(Type.String({ maxLength: 20 })) }),
        response: {
          200: PageOf(
            Type.Object({
              type: Type.String(),
              name: Type.String(),
              versions: Type.Integer(),
              worst: Type.Union([Type.String(), Type.Null()]),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const after = decodeCursor(cursor, ["string", "string"]) as readonly [string, string] | undefined;
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listPackages(db, { ...filter, limit: limit + 1, ...(after === undefined ? {} : { after }) }),
      );
      return pageOf(
        rows,
        limit,
        ({ name, type }) => [name, type],
        (row) => row,
      );
    },
  );
};

import { PolicyError, readBuildRules } from "@bulwark/policy";
import { listBuildRules, putBuildRules, removeBuildRules } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { IdParams } from "../id.ts";
import { List } from "../list.ts";
import type { Routes } from "../routes.ts";
import { rulesOf } from "./rule-files.ts";

const tags = ["golden"];
const MAX_FILES = 50;
const MAX_CONTENT = 256 * 1024;
const Text = Type.String();

const RuleShape = Type.Object({
  file: Text,
  id: Text,
  for: Type.Enum(["all", "base", "leaf"]),
  level: Type.Enum(["deny", "warn"]),
  about: Type.Enum(["image", "base"]),
  deny: Text,
  message: Text,
  off: Type.Boolean({ description: "a later file took it out" }),
});
const FileShape = Type.Object({
  id: Type.Integer(),
  name: Text,
  content: Text,
  enabled: Type.Boolean(),
  changedBy: Text,
  changedAt: Text,
});

/** Build rules: those that are shipped, and files that a tenant adds to them. */
export const buildRuleRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;

  app.get(
    "/api/v1/build-rules",
    {
      config: { scope: "images:read" },
      schema: {
        tags,
        operationId: "listBuildRules",
        summary: "Rules for how images are built, as they hold now, and the files that were added to those shipped",
        response: { 200: Type.Object({ version: Text, items: List(FileShape), rules: List(RuleShape) }) },
      },
    },
    async (request) =>
      store.tenant(principalOf(request).tenantId, async (db) => {
        const { files, version } = await rulesOf(db);
        const rules = files.flatMap(({ name: file, rules: own }, at) => {
          const off = new Set(files.slice(at + 1).flatMap((later) => later.off));
          return own.map((rule) => ({ file, ...rule, off: off.has(rule.id) }));
        });
        return { version, items: await listBuildRules(db), rules };
      }),
  );

  app.post(
    "/api/v1/build-rules",
    {
      config: { scope: "findings:approve" },
      bodyLimit: 2 * MAX_CONTENT,
      schema: {
        tags,
        operationId: "putBuildRules",
        summary: "Add a file of build rules, or put other content in the place of one of the same name",
        body: Type.Object(
          {
            name: Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,99}$", examples: ["ours.yaml"] }),
            content: Type.String({
              minLength: 1,
              maxLength: MAX_CONTENT,
              examples: [
                "name: ours\nrules:\n  - id: small\n    deny: image.layers > 200\n    message: too many layers\n",
              ],
            }),
            enabled: Type.Optional(Type.Boolean()),
          },
          { additionalProperties: false },
        ),
        response: { 200: FileShape },
      },
    },
    async (request) => {
      const { tenantId, name: by } = principalOf(request);
      const { name, content, enabled = true } = request.body;
      demandRules(content, name);
      return store.tenant(tenantId, async (db) => {
        const files = await listBuildRules(db);
        if (files.length >= MAX_FILES && !files.some((file) => file.name === name))
          throw new ServerError("CONFLICT", `there are ${MAX_FILES} files already`, "put rules into one of them");
        const file = await putBuildRules(db, { name, content, enabled, by, now: clock() });
        await audit(db, request, "build-rules.put", `build-rules/${file.id}`, { name, enabled });
        return file;
      });
    },
  );

  app.delete(
    "/api/v1/build-rules/:id",
    {
      config: { scope: "findings:approve" },
      schema: {
        tags,
        operationId: "deleteBuildRules",
        summary: "Remove a file of build rules",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const name = await removeBuildRules(db, id);
        if (name === undefined) throw notFound("file of build rules", id);
        await audit(db, request, "build-rules.delete", `build-rules/${id}`, { name });
      });
      return reply.status(204).send(null);
    },
  );
};

/** @throws ServerError `INVALID_REQUEST` that says where the mistake is */
function demandRules(content: string, name: string): void {
  try {
    readBuildRules(content, name);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new ServerError("INVALID_REQUEST", error.message, error.next, error);
  }
}

import { MAX_LAYERS } from "@bulwark/lineage";
import { type BaseOnPath, basesOfImages, exportGolden, getAssessment } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { seenImage } from "../images/seen-image.ts";
import { Digest } from "../images/shapes.ts";
import type { Routes } from "../routes.ts";
import { checkBase } from "./check-base.ts";
import { rulesOf } from "./rule-files.ts";
import { AssessmentShape, CheckShape } from "./shapes.ts";
import { signExport } from "./sign-export.ts";

const tags = ["golden"];
const read = { scope: "images:read" } as const;
const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 7;
const MAX_DAYS = 90;
/** Versions in a list for CI. */
const MAX_EXPORTED = 100_000;

/** Judging images by what they stand on: for CI, with a server and without one. */
export const goldenCheckRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;

  app.post(
    "/api/v1/golden/check",
    {
      config: { ...read, unaudited: "it only looks; the image need not exist" },
      schema: {
        tags,
        operationId: "checkGolden",
        summary: "Judge by its layers what an image stands on that need not have been pushed",
        body: Type.Object(
          {
            diffIds: Type.Array(Type.String({ pattern: "^sha(256:[a-f0-9]{64}|512:[a-f0-9]{128})$", maxLength: 135 }), {
              minItems: 1,
              maxItems: MAX_LAYERS,
              description: "digests of its uncompressed layers, the lowest first",
              examples: [[`sha256:${"0".repeat(64)}`]],
            }),
            platform: Type.Optional(Type.String({ maxLength: 100 })),
            reference: Type.Optional(
              Type.String({
                maxLength: 1_000,
                description: "its name; older builds of the same repository are no bases",
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: CheckShape },
      },
    },
    async (request) => {
      const { diffIds, platform = "", reference = "" } = request.body;
      const checked = await store.tenant(principalOf(request).tenantId, (db) =>
        checkBase(db, { diffIds, platform, reference }, clock()),
      );
      return { ...checked, path: checked.path.map(shownBase) };
    },
  );

  app.get(
    "/api/v1/golden/export",
    {
      config: read,
      schema: {
        tags,
        operationId: "exportGolden",
        summary:
          "Chains of all golden versions with their standing, and the rules, signed: for CI that reaches no server",
        querystring: Type.Object({
          days: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: MAX_DAYS,
              description: `how long it holds; ${DEFAULT_DAYS} if left out`,
            }),
          ),
        }),
        response: {
          200: Type.Object({
            payload: Type.String({ description: "JSON text that the signature is over" }),
            signature: Type.String({ description: "Ed25519, Base64" }),
            publicKey: Type.String({ description: "PEM" }),
          }),
        },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const now = clock();
      const { days = DEFAULT_DAYS } = request.query;
      const told = await store.tenant(tenantId, async (db) => ({
        bases: await exportGolden(db, MAX_EXPORTED),
        rules: (await rulesOf(db)).texts,
      }));
      const times = { madeAt: now.toISOString(), expiresAt: new Date(now.getTime() + days * DAY_MS).toISOString() };
      return signExport(
        deps,
        tenantId,
        JSON.stringify({ kind: "bulwark-golden", schemaVersion: 1, ...times, ...told }),
      );
    },
  );

  app.get(
    "/api/v1/images/:digest/assessment",
    {
      config: read,
      schema: {
        tags,
        operationId: "getImageAssessment",
        summary: "What the build rules say of an image, and what it stands on by its layers",
        params: Type.Object({ digest: Digest }),
        response: { 200: AssessmentShape },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      return store.tenant(principal.tenantId, async (db) => {
        const image = await seenImage(db, request.params.digest, principal);
        const path = (await basesOfImages(db, [image.id])).get(image.id) ?? [];
        const kept = (await getAssessment(db, image.id)) ?? NOT_ASSESSED;
        return { ...kept, path: path.map(shownBase) };
      });
    },
  );
};

const NOT_ASSESSED = { passed: null, violations: [], rulesVersion: "", assessedAt: null, baseState: "none" };

function shownBase({ chain, layers, reference, digest, tags, golden, goldenId, versionId }: BaseOnPath) {
  return { chain, layers, reference, digest, tags, golden, goldenId, versionId };
}

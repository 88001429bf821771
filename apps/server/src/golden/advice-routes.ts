import { adviseBase, type BaseNeed } from "@bulwark/lineage";
import {
  basesOfImages,
  type ImageDetail,
  imageItems,
  publishedBases,
  systemPackages,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { itemOf } from "../images/reference.ts";
import { seenImage } from "../images/seen-image.ts";
import { Digest, ImageItemShape } from "../images/shapes.ts";
import { List } from "../list.ts";
import type { Routes } from "../routes.ts";
import { candidateOf, libcOf, runtimesOf } from "./base-needs.ts";
import { Nullable } from "./shapes.ts";

const Text = Type.String();
/** Misfits that are told of one base. */
const MAX_MISFITS = 50;

const BaseShape = Type.Object({
  goldenId: Type.Integer(),
  versionId: Type.Integer(),
  purpose: Text,
  image: ImageItemShape,
});

const AdviceShape = Type.Object({
  needs: Type.Object({
    platform: Text,
    os: Nullable(Type.Object({ id: Text, versionId: Text })),
    libc: Nullable(Type.Enum(["glibc", "musl"])),
    runtimes: List(Type.Object({ name: Text, version: Text })),
    packages: List(Text),
  }),
  present: Nullable(Type.Object({ reference: Text, digest: Text, golden: Nullable(Text) })),
  fitting: List(BaseShape),
  refused: List(
    Type.Object({
      base: BaseShape,
      misfits: List(
        Type.Object({ what: Type.Enum(["platform", "os", "libc", "runtime", "package"]), needed: Text, found: Text }),
      ),
    }),
  ),
});

/** Which golden image an image would best stand on. */
export const baseAdviceRoutes: Routes = async (app, { deps }) => {
  app.get(
    "/api/v1/images/:digest/base-advice",
    {
      config: { scope: "images:read" },
      schema: {
        tags: ["golden"],
        operationId: "adviseBase",
        summary: "Golden images that bring what an image needs of its base, those with the least risk and size first",
        params: Type.Object({ digest: Digest }),
        querystring: Type.Object({
          packages: Type.Optional(
            Type.Enum(["base", "none"], {
              description: "whether it needs every package that its base brings now; base if left out",
            }),
          ),
        }),
        response: { 200: AdviceShape },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { packages = "base" } = request.query;
      return deps.store.tenant(principal.tenantId, async (db) =>
        advise(db, await seenImage(db, request.params.digest, principal), packages === "base"),
      );
    },
  );
};

async function advise(db: TenantQueries, image: ImageDetail, withPackages: boolean) {
  const present = (await basesOfImages(db, [image.id])).get(image.id)?.at(-1);
  const brought = await systemPackages(db, image.id, present?.layers ?? image.baseLayers);
  const libc = libcOf(brought);
  const os = image.os === null ? undefined : { id: image.os.id, versionId: image.os.version };
  // A patch release may differ: what is needed is the line of a runtime.
  const runtimes = runtimesOf(brought).map(({ name, version = "" }) => ({ name, version: lineOf(version) }));
  const packages = withPackages ? [...new Set(brought.filter(isSystem).map(({ name }) => name))] : [];
  const need: BaseNeed = { platform: image.platform, os, libc, runtimes, packages };
  const bases = await publishedBases(db);
  const items = new Map(
    (
      await imageItems(
        db,
        bases.map(({ imageId }) => imageId),
      )
    ).map((item) => [item.id, item]),
  );
  const candidates = [];
  for (const base of bases) {
    const item = items.get(base.imageId);
    if (item === undefined || item.id === image.id) continue;
    candidates.push(candidateOf({ ...base, item }, item, await systemPackages(db, base.imageId)));
  }
  const { fitting, refused } = adviseBase(need, candidates);
  type Told = (typeof candidates)[number];
  const shown = ({ id: { goldenId, versionId, purpose, item } }: Told) => ({
    ...{ goldenId, versionId, purpose },
    image: itemOf(item),
  });
  return {
    needs: { platform: image.platform, os: os ?? null, libc: libc ?? null, runtimes, packages },
    present:
      present === undefined ? null : { reference: present.reference, digest: present.digest, golden: present.golden },
    fitting: fitting.map(shown),
    refused: refused.map(({ candidate, misfits }) => ({
      base: shown(candidate),
      misfits: misfits.slice(0, MAX_MISFITS),
    })),
  };
}

const isSystem = ({ type }: { readonly type: string }) => type !== "generic";

/** Two numbers name a line of most runtimes; Node and Java have one. */
function lineOf(version: string): string {
  return version
    .split(".")
    .slice(0, Number(version.split(".")[0]) >= 8 ? 1 : 2)
    .join(".");
}

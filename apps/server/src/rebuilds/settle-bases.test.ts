import type { ImageInput } from "@bulwark/image/testing";
import { getAssessment } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assessPending } from "../golden/assess-images.ts";
import { growWhole } from "../lineage/grow.ts";
import { keepForests, measureTenant } from "../lineage/keep-forest.ts";
import { type ScannedImages, scannedImages } from "../testing/scanned-images.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";
import { settleBases } from "./settle-bases.ts";

let server: TestApp;
let images: ScannedImages;
beforeAll(async () => {
  server = await openTestApp();
  images = await scannedImages(server.store, 1, () => server.clock.now);
});
afterAll(async () => {
  images.close();
  await server.close();
});

const clock = () => server.clock.now;
const os = { files: { "etc/os-release": 'ID=debian\nVERSION_ID="12"\n' }, createdBy: "ADD rootfs.tar /" };
const lodash = {
  files: { "usr/lib/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version: "4.17.4" }) },
  createdBy: "RUN npm install -g lodash",
};
const file = (path: string) => ({ files: { [path]: path }, createdBy: `COPY ${path} /` });

/** An image comes first, and is settled; then what it stands on comes, and its scan ends before it is settled. */
async function pushBaseLate(name: string): Promise<void> {
  const base: ImageInput = { layers: [os, file(`opt/${name}`), lodash] };
  await images.push(`team/${name}`, "1", { layers: [...base.layers, file(`srv/${name}`)] });
  const { id } = await server.store.tenant(1, (db) =>
    db.selectFrom("image").select("id").orderBy("id", "desc").executeTakeFirstOrThrow(),
  );
  await settleBases(server.store, 1, { images: [id] }, clock());
  expect(await standingOf(name)).toEqual({ base: "none", verdicts: ["own"] });
  await images.push(`platform/${name}`, "1", base);
}

/** What an image stands on by its assessment, and who acts on the risks of its repository. */
async function standingOf(name: string): Promise<unknown> {
  await assessPending(server.store, 1, clock);
  return server.store.tenant(1, async (db) => {
    const image = await db
      .selectFrom("repository as r")
      .innerJoin("image_location as l", "l.repository_id", "r.id")
      .select(["r.id as repository", "l.image_id as id"])
      .where("r.name", "=", `team/${name}`)
      .executeTakeFirstOrThrow();
    const risks = await db
      .selectFrom("risk")
      .select("verdict")
      .distinct()
      .where("repository_id", "=", image.repository)
      .execute();
    const assessment = await getAssessment(db, image.id);
    return { base: assessment?.baseState, verdicts: risks.map(({ verdict }) => verdict) };
  });
}

const ON_BASE = { base: "unapproved", verdicts: ["base"] };

test("a base that is found when the forest is built anew is settled as well", async () => {
  await pushBaseLate("built");
  await keepForests({ store: server.store, clock });
  expect(await standingOf("built")).toEqual(ON_BASE);
});

test("a base that is found when the forest is brought up to date is settled as well", async () => {
  await pushBaseLate("grown");
  await keepForests({ store: server.store, clock });
  expect(await standingOf("grown")).toEqual(ON_BASE);
});

test("a base whose finder died before it was settled is settled a minute later", async () => {
  await pushBaseLate("died");
  await growWhole(server.store, 1);
  await keepForests({ store: server.store, clock });
  expect(await standingOf("died")).toEqual(ON_BASE);
  await pushBaseLate("measured");
  await measureTenant({ store: server.store, clock }, 1);
  await keepForests({ store: server.store, clock });
  expect(await standingOf("measured")).toEqual(ON_BASE);
});

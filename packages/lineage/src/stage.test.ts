import { expect, test } from "vitest";
import { buildForest } from "./build-forest.ts";
import { pathOf, stageOf, verdictOf } from "./stage.ts";
import { asColumns } from "./testing/small-estate.ts";

const image = (layers: string, repository: number, declared = -1) => ({ layers, repository, alive: true, declared });

/** os (1 layer) → platform (3) → two builds of an application that share two layers; a squashed image that declares the os. */
function estate() {
  const images = [
    image("o", 0),
    image("opp", 1),
    image("oppccx", 2),
    image("oppccy", 2),
    image("s", 3, 0),
    image("st", 4),
  ];
  const { chains, images: columns } = asColumns(images);
  const forest = buildForest(chains, columns);
  const [os, platform, app, , squashed, above] = forest.images.node;
  return { forest, os: os!, platform: platform!, app: app!, squashed: squashed!, above: above! };
}

test("a layer belongs to the lowest stage that has it, and what builds share to the image", () => {
  const { forest, os, platform, app } = estate();
  const path = pathOf(forest, app);
  expect(path).toEqual([
    { node: os, layers: 1 },
    { node: platform, layers: 3 },
    { node: app, layers: 6 },
  ]);
  expect([0, 1, 2, 3, 5].map((layer) => stageOf(path, layer)?.node)).toEqual([os, platform, platform, app, app]);
  expect([-1, 6].map((layer) => stageOf(path, layer))).toEqual([undefined, undefined]);
});

test("the verdict names the stage that acts", () => {
  const { forest, os, platform, app } = estate();
  expect(verdictOf(forest, app, 0)).toEqual({ verdict: "base", node: os });
  expect(verdictOf(forest, app, 2)).toEqual({ verdict: "base", node: platform });
  expect(verdictOf(forest, app, 3)).toEqual({ verdict: "own", node: app });
  expect(verdictOf(forest, os, 0)).toEqual({ verdict: "own", node: os });
  expect(verdictOf(forest, app, 6)).toBeUndefined();
});

test("of a squashed image's findings those are its declared base's that the base has too", () => {
  const { forest, os, squashed, above } = estate();
  expect(pathOf(forest, above).map(({ node }) => node)).toEqual([squashed, above]);
  expect(verdictOf(forest, squashed, 0, true)).toEqual({ verdict: "base", node: os });
  expect(verdictOf(forest, squashed, 0, false)).toEqual({ verdict: "own", node: squashed });
  expect(verdictOf(forest, above, 0, true)).toEqual({ verdict: "base", node: os });
  expect(verdictOf(forest, above, 1, true)).toEqual({ verdict: "own", node: above });
});

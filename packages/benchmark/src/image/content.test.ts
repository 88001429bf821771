import type { Fields } from "@bulwark/model";
import { fieldsOf } from "@bulwark/model";
import { expect, test } from "vitest";
import { SHIPPED_CHECKS } from "../testing/content.ts";
import { checkImage } from "./check-image.ts";
import { EMPTY_IMAGE, type ImageSubject } from "./subject.ts";

const CHECKS = SHIPPED_CHECKS.filter(({ subject }) => subject === "image");

function subjectOf(fields: Fields): ImageSubject {
  return { ...EMPTY_IMAGE, ...fields, config: { ...EMPTY_IMAGE.config, ...fieldsOf(fields.config) } };
}

test("there are checks for images", () => {
  expect(CHECKS.length).toBeGreaterThanOrEqual(30);
});

test.each(CHECKS)("$id finds its bad samples and passes its good ones", (check) => {
  expect(check.samples.bad.length).toBeGreaterThan(0);
  expect(check.samples.good.length).toBeGreaterThan(0);
  for (const { fields } of check.samples.bad) {
    const { facts, problems } = checkImage(subjectOf(fields), [check]);
    expect(problems).toEqual([]);
    expect(
      facts.map(({ id }) => id),
      JSON.stringify(fields),
    ).toContain(check.id);
  }
  for (const { fields } of check.samples.good) {
    const { facts, problems } = checkImage(subjectOf(fields), [check]);
    expect(problems).toEqual([]);
    expect(facts, JSON.stringify(fields)).toEqual([]);
  }
});

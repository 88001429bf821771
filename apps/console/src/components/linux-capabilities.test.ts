import { expect, test } from "vitest";
import { capabilityNames } from "./linux-capabilities.ts";

const names = (set: number) => capabilityNames(set).map(({ name }) => name);

test("strong capabilities stand first, also those beyond the 32nd bit", () => {
  expect(names(2 ** 0 + 2 ** 21 + 2 ** 39)).toEqual(["CAP_SYS_ADMIN", "CAP_BPF", "CAP_CHOWN"]);
});

test("an empty set has no names, a full one all of them", () => {
  expect(names(0)).toEqual([]);
  expect(names(2 ** 41 - 1)).toHaveLength(41);
});

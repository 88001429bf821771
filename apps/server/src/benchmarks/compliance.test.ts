import { expect, test } from "vitest";
import { complianceOf } from "./compliance.ts";
import { benchmarkContent } from "./content.ts";

const { checks } = benchmarkContent();
const of = (outcomes: Parameters<typeof complianceOf>[2], section: string) =>
  complianceOf("cis-docker", checks, outcomes).find((each) => each.section === section);

test("a section is met when all of its checks that apply passed or are excepted, and never by what nobody judged", () => {
  const check = "docker-icc";
  expect(of([], "2.2")).toMatchObject({ state: "not-judged", checks: [check] });
  expect(of([{ check, outcome: "not-applicable", places: 3 }], "2.2")?.state).toBe("not-judged");
  expect(of([{ check, outcome: "pass", places: 3 }], "2.2")).toMatchObject({ state: "met", pass: 3 });
  expect(
    of(
      [
        { check, outcome: "pass", places: 3 },
        { check, outcome: "undetermined", places: 1 },
      ],
      "2.2",
    )?.state,
  ).toBe("undetermined");
  expect(of([{ check, outcome: "excepted", places: 1 }], "2.2")?.state).toBe("met");
  expect(
    of(
      [
        { check, outcome: "fail", places: 1 },
        { check, outcome: "undetermined", places: 1 },
      ],
      "2.2",
    )?.state,
  ).toBe("not-met");
});

test("sections stand in their order", () => {
  const sections = complianceOf("cis-kubernetes", checks, []).map(({ section }) => section);
  expect(sections.indexOf("1.2.9")).toBeLessThan(sections.indexOf("1.2.10"));
  expect(new Set(sections).size).toBe(sections.length);
});

import { expect, test } from "vitest";
import { tacticsOf, techniquesOf } from "./attack.ts";

test("tactics are those that the tags name, else those of the techniques, in the order of an attack", () => {
  expect(tacticsOf(["mitre_persistence", "T1611", "mitre_execution"])).toEqual(["execution", "persistence"]);
  expect(tacticsOf(["t1611", "T1552.005"])).toEqual(["privilege-escalation", "credential-access"]);
  expect(tacticsOf(["T1059.099"])).toEqual(["execution"]);
  expect(tacticsOf(["container", "mitre_nonsense"])).toEqual([]);
});

test("techniques keep an id that is not known, without a name", () => {
  expect(techniquesOf(["T1611", "T9999", "T16", "x"])).toEqual([
    { id: "T1611", name: "Escape to Host" },
    { id: "T9999", name: "" },
  ]);
});

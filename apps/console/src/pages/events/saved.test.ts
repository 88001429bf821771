import { expect, test } from "vitest";
import { parsedSearches, withoutSearch, withSearch } from "./saved.ts";

test("a search is kept without the event that is open, in the place of one of its name", () => {
  const first = withSearch([], { name: "shells", query: "?types=execve&text=sh&event=4-1" });
  expect(first).toEqual([{ name: "shells", query: "types=execve&text=sh" }]);
  const both = withSearch(first, { name: "dns", query: "types=dns" });
  expect(both.map(({ name }) => name)).toEqual(["dns", "shells"]);
  expect(withSearch(both, { name: "dns", query: "types=dns&pid=7" })[0]?.query).toBe("types=dns&pid=7");
  expect(withoutSearch(both, "dns")).toEqual(first);
});

test("what is stored but is no list of searches counts as nothing", () => {
  for (const text of ["", "{}", "null", "[null,1,{}]", '[{"name":1,"query":""}]', "[[[["]) {
    expect(parsedSearches(text), text).toEqual([]);
  }
  expect(parsedSearches('[{"name":"a","query":"b"}]')).toEqual([{ name: "a", query: "b" }]);
});

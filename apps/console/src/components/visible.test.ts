import { expect, test } from "vitest";
import { fitted, visible } from "./visible.ts";

test("control characters and direction overrides are shown as their code", () => {
  expect(visible("a\u202Eb\u0000c\u200B", 100)).toBe("a⟨U+202E⟩b⟨U+0000⟩c⟨U+200B⟩");
});

test("ordinary names in any script stay as they are", () => {
  for (const name of ["docker.io/library/nginx:1.29", "镜像/应用:最新", "שלום", "<b>bold</b>"]) {
    expect(visible(name, 100)).toBe(name);
  }
});

test("the length is bounded without cutting a character in two", () => {
  expect(visible("x".repeat(5_000), 10)).toBe(`${"x".repeat(10)}…`);
  expect(visible("ab😀", 3)).toBe("ab…");
});

test("towers of combining marks are cut down", () => {
  expect(visible(`e${"\u0301".repeat(50)}`, 100)).toBe(`e${"\u0301".repeat(4)}`);
});

test("text is cut where it becomes wider than its place, however wide its letters are", () => {
  expect(fitted("bulwark-agent/bulwark-agent", 27)).toBe("bulwark-agent/bulwark-agent");
  expect(fitted("bulwark-agent/bulwark-agents", 27)).toBe("bulwark-agent/bulwark-age…");
  expect(fitted("它的令牌 on the node", 10)).toBe("它的令牌…");
  expect(fitted("它的令牌", 8)).toBe("它的令牌");
});

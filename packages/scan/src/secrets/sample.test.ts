import { describe, expect, it } from "vitest";
import { expandSample } from "./sample.ts";

describe("samples", () => {
  it("fill slots out of classes and named classes", () => {
    expect(expandSample("AKIA{A-Z2-7:16}-{hex:8}.{x:3}", "a")).toMatch(/^AKIA[A-Z2-7]{16}-[0-9a-f]{8}\.xxx$/);
  });

  it("give the same for the same seed, and something else for another", () => {
    expect(expandSample("{alnum:40}", "a")).toBe(expandSample("{alnum:40}", "a"));
    expect(expandSample("{alnum:40}", "a")).not.toBe(expandSample("{alnum:40}", "b"));
  });

  it("leave other braces alone", () => {
    const text = `{"a": {"b": 1}} \${VAR} {{ .Values.x }} {x}`;
    expect(expandSample(text, "a")).toBe(text);
  });
});

import { expect, test } from "vitest";
import { describeInvalid } from "./invalid-request.ts";
import { openTestApp } from "./testing/test-app.ts";

const fault = (keyword: string, instancePath: string, params: Readonly<Record<string, unknown>>) => ({
  keyword,
  instancePath,
  params,
});

test("a word that is none of those that are taken is answered with those that are", () => {
  const choices = ["high", "low"].map((allowedValue) => fault("const", "/severity", { allowedValue }));
  expect(describeInvalid([...choices, fault("anyOf", "/severity", {})], "querystring").title).toBe(
    "severity is none of high, low",
  );
  const listed = fault("enum", "/scopes/0", { allowedValues: ["a:read", "b:read"] });
  expect(describeInvalid([listed], "body").title).toBe("scopes.0 is none of a:read, b:read");
});

test("text that has to be written in a certain way is answered with how, and an example", () => {
  const parentSchema = { description: "HOST:PORT of the gateway", examples: ["gateway.example.com:9443"] };
  const answer = describeInvalid([{ ...fault("pattern", "/gateway", { pattern: "^x$" }), parentSchema }], "body");
  expect(answer).toEqual({
    title: "gateway is not written as it has to be",
    next: "give HOST:PORT of the gateway, such as gateway.example.com:9443",
  });
  expect(describeInvalid([fault("pattern", "/a~1b", { pattern: "^x$" })], "body")).toEqual({
    title: "a/b is not written as it has to be",
    next: "it has to match ^x$",
  });
});

test("what is missing, too much, or of another type is named", () => {
  const title = (keyword: string, path: string, params: Readonly<Record<string, unknown>>, place = "body") =>
    describeInvalid([fault(keyword, path, params)], place).title;
  expect(title("required", "", { missingProperty: "name" })).toBe("the body needs name");
  expect(title("additionalProperties", "", { additionalProperty: "x" }, "querystring")).toBe(
    "the query takes no parameter x",
  );
  expect(title("type", "/limit", { type: "integer" }, "querystring")).toBe("limit must be a whole number");
  expect(title("minimum", "/hours", { limit: 1 })).toBe("hours must be 1 or more");
  expect(title("minLength", "/reason", { limit: 1 })).toBe("reason must not be empty");
});

test("the server says in these words what its schemas refuse, and tells a token that it does not know from none", async () => {
  const opened = await openTestApp();
  try {
    const ask = async (url: string, headers: Readonly<Record<string, string>>) =>
      (await opened.app.inject({ url, headers })).json();
    const { bearer } = await opened.account("admin");
    const refused = await ask("/api/v1/images?severity=bad", bearer);
    expect(refused).toMatchObject({ status: 400, code: "INVALID_REQUEST", next: "check the spelling" });
    expect(refused.title).toMatch(/^severity is none of critical, /);
    const json = { ...bearer, "content-type": "application/json" };
    const empty = async (url: string) => (await opened.app.inject({ method: "POST", url, headers: json })).json();
    expect(await empty("/api/v1/registries/7/webhook")).toMatchObject({ status: 404, title: "there is no registry 7" });
    expect(await empty("/api/v1/registries")).toMatchObject({ status: 400, title: "the body must be an object" });
    expect(await ask("/api/v1/images", { authorization: "Bearer bwk_wrong" })).toMatchObject({
      status: 401,
      title: "the API token is not known here, or has ended",
    });
    expect(await ask("/api/v1/images", {})).toMatchObject({ status: 401, title: "nobody is logged in" });
  } finally {
    await opened.close();
  }
});

import { afterAll, beforeAll, expect, test } from "vitest";
import type { App } from "./app.ts";
import { openTestApp, type TestApp } from "./testing/test-app.ts";

let opened: TestApp;
let app: App;
beforeAll(async () => {
  opened = await openTestApp();
  app = opened.app;
});
afterAll(() => opened.close());

test("anybody may ask whether the server is ready, and read its contract", async () => {
  expect((await app.inject("/readyz")).json()).toEqual({ status: "ok" });
  const contract = (await app.inject("/openapi.json")).json();
  expect(contract.openapi).toBe("3.1.0");
});

test("an unknown page is a problem document", async () => {
  const answer = await app.inject("/api/v1/nothing");
  expect(answer.statusCode).toBe(404);
  expect(answer.headers["content-type"]).toContain("application/problem+json");
  expect(answer.json()).toMatchObject({ code: "NOT_FOUND", status: 404 });
});

test("an answer that did not change is not sent again", async () => {
  const first = await app.inject("/openapi.json");
  const again = await app.inject({ url: "/openapi.json", headers: { "if-none-match": String(first.headers.etag) } });
  expect([again.statusCode, again.body]).toEqual([304, ""]);
});

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { auditEndpoint } from "./audit-endpoint.ts";

const TOKEN = "a token of the test";
const taken: Record<string, unknown>[] = [];
let lost = 0;
let server: Server;
let url = "";

beforeAll(async () => {
  const taker = {
    take: (event: Buffer) => void taken.push(JSON.parse(event.toString("utf8"))),
    lost: (count: number) => {
      lost += count;
    },
  };
  server = createServer(auditEndpoint(TOKEN, taker, pino({ level: "silent" })).handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  taken.length = 0;
  lost = 0;
});

async function post(body: string, token = TOKEN): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return (await fetch(url, { method: "POST", headers, body })).status;
}
const event = (given: object = {}) => ({ auditID: "a", stage: "ResponseComplete", verb: "create", ...given });
const list = (...items: readonly unknown[]) => JSON.stringify({ kind: "EventList", items });

test("what a pod is made of is passed on from behind 67,000 variables, and without their values", async () => {
  const env = Array.from({ length: 67_000 }, (_, n) => ({ name: `A${n}`, value: "correct-horse" }));
  const requestObject = {
    kind: "Pod",
    spec: {
      initContainers: [{ name: "first", image: "i", env }],
      containers: [{ name: "main", image: "i", securityContext: { privileged: true } }],
      hostNetwork: true,
    },
  };
  expect(await post(list(event({ objectRef: { resource: "pods" }, requestObject })))).toBe(200);
  expect(taken).toMatchObject([
    {
      omitted: "detail",
      requestObject: { spec: { hostNetwork: true, containers: [{ securityContext: { privileged: true } }, {}] } },
    },
  ]);
  expect(JSON.stringify(taken)).not.toContain("correct-horse");
  expect(lost).toBe(0);
});

test("what cannot be read is counted as lost, and what lies beside it is passed on", async () => {
  expect(await post(list(event(), { no: "event" }, event({ auditID: "b" }), 7))).toBe(200);
  expect(taken.map(({ auditID }) => auditID)).toEqual(["a", "b"]);
  expect(lost).toBe(1);
  expect(await post("{")).toBe(400);
  expect(lost).toBe(2);
});

test("a request that is too large to be taken is told, not only refused", async () => {
  expect(await post(`{"items":[${" ".repeat(33 * 1024 * 1024)}]}`)).toBe(413);
  expect([taken, lost]).toEqual([[], 1]);
});

test("who does not know the token can neither add events nor count any as lost", async () => {
  expect(await post(list(event()), "another")).toBe(401);
  expect(await post("{", "another")).toBe(401);
  expect([taken, lost]).toEqual([[], 0]);
});

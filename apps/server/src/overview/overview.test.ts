import { disconnectNode } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seedAttack } from "../testing/seed-attack.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";

let server: TestApp;
beforeAll(async () => {
  server = await openTestApp();
});
afterAll(async () => server.close());

async function notCovered(): Promise<readonly string[]> {
  const { bearer } = await server.account("developer");
  const answer = await server.app.inject({ method: "GET", url: "/api/v1/overview", headers: bearer });
  const { notCovered } = answer.json() as { notCovered: readonly { function: string; area: string }[] };
  return notCovered.map((part) => `${part.function}/${part.area}`);
}

test("what is not covered follows from the sensors: none, all connected, one away", async () => {
  const never = ["identify/clusters", "protect/admission", "detect/network", "recover/rollout"];
  expect(await notCovered()).toEqual([
    ...["identify/clusters", "identify/running-containers", "protect/admission", "detect/network", "detect/runtime"],
    ...["respond/containment", "recover/rollout"],
  ]);
  const { nodeId } = await seedAttack(server.store, 1, { now: server.clock.now });
  expect(await notCovered()).toEqual(never);
  await server.store.tenant(1, (db) => disconnectNode(db, nodeId, "seed", server.clock.now));
  expect(await notCovered()).toEqual([
    ...["identify/clusters", "protect/admission", "detect/network", "detect/nodes-away", "recover/rollout"],
  ]);
});

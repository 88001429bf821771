import { expect, test } from "vitest";
import { startAgentProbes } from "./agent-probes.ts";

test("a replica is alive from the start, ready when it says so, and tells its figures", async () => {
  let isReady = false;
  const probes = await startAgentProbes({ host: "127.0.0.1", port: 0 }, () => ({
    isReady,
    figures: { bulwark_agent_connected: 1 },
  }));
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${probes.port}${path}`)).status;
  expect([await status("/healthz"), await status("/readyz"), await status("/other")]).toEqual([200, 503, 404]);
  isReady = true;
  expect(await status("/readyz")).toBe(200);
  expect(await (await fetch(`http://127.0.0.1:${probes.port}/metrics`)).text()).toBe("bulwark_agent_connected 1\n");
  await probes.close();
});

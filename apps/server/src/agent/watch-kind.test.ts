import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import pino from "pino";
import { afterEach, expect, test } from "vitest";
import { openKubeApi } from "./kube-api.ts";
import { createOutbox, type OutboxBatch } from "./outbox.ts";
import { type KindWatch, watchKind } from "./watch-kind.ts";

const PODS = { apiVersion: "v1", kind: "Pod", plural: "pods", optional: false };
const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

type Answer = (response: ServerResponse, isWatch: boolean) => void;

/** A watch of pods at an API server that answers as a test says. */
async function watching(answer: Answer): Promise<{ readonly watch: KindWatch; take(): OutboxBatch | undefined }> {
  const server = createServer((request, response) => answer(response, request.url?.includes("watch=1") === true));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const api = openKubeApi({
    ...{ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, namespace: "bulwark-agent" },
    ...{ ca: undefined, cert: undefined, key: undefined, token: () => undefined },
  });
  const outbox = createOutbox(100);
  const ending = new AbortController();
  const watch = watchKind(api, PODS, { outbox, signal: ending.signal, log: pino({ level: "silent" }) });
  ended.push(async () => {
    ending.abort();
    await watch.ended;
    api.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { watch, take: outbox.take };
}

const pod = (uid: string, spec: object = {}, metadata: object = {}) => ({
  metadata: { uid, name: uid, namespace: "shop", ...metadata },
  spec,
});
const list = (...items: readonly object[]) => JSON.stringify({ metadata: { resourceVersion: "7" }, items });
const refusal = (response: ServerResponse, status: number) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ message: "no" }));

test("what was known of a kind stays when it may not be read any more", async () => {
  const { watch, take } = await watching((response, isWatch) =>
    isWatch ? refusal(response, 403) : response.end(list(pod("a"))),
  );
  await expect.poll(() => watch.state().state).toBe("refused");
  expect(watch.state().count).toBe(1);
  expect(take()).toMatchObject({ changed: [{ uid: "a" }], removed: [], synced: ["v1/Pod"] });
});

test("a kind that the cluster does not have any more has no objects", async () => {
  const { watch, take } = await watching((response, isWatch) =>
    isWatch ? refusal(response, 404) : response.end(list(pod("a"))),
  );
  await expect.poll(() => watch.state().state).toBe("absent");
  expect(take()).toMatchObject({ changed: [], removed: ["a"], synced: ["v1/Pod"] });
});

test("a pod that is larger than one message is told with what is judged of it", async () => {
  const args = Array.from({ length: 100 }, () => "\u0001".repeat(16_384));
  const large = pod("a", { nodeName: "n1", containers: [{ name: "app", image: "a:1", args }] });
  const { watch, take } = await watching((response, isWatch) =>
    isWatch ? refusal(response, 403) : response.end(list(large, pod("b"))),
  );
  await watch.listed;
  const { changed = [] } = take() ?? {};
  expect(changed.map(({ uid }) => uid)).toEqual(["a", "b"]);
  expect(changed[0]?.document.byteLength).toBeLessThan(2 * 1024 * 1024);
  expect(JSON.parse(Buffer.from(changed[0]?.document ?? []).toString())).toMatchObject({
    ...{ cut: true, spec: { nodeName: "n1", containers: [{ name: "app", image: "a:1" }] } },
  });
});

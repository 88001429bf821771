import { UNKNOWN_NAMESPACE, unknownImage } from "@bulwark/kubernetes";
import { pino } from "pino";
import { expect, test } from "vitest";
import { admissionSource } from "./admission-source.ts";
import type { AgentListener } from "./start-agent.ts";

/** An agent whose stream does what a test says. */
function agentOf(isOpen = true) {
  const listeners: AgentListener[] = [];
  const asked: number[] = [];
  const source = admissionSource(
    {
      isConnected: isOpen,
      ask({ id }: { readonly id: number }) {
        asked.push(id);
        return isOpen;
      },
      listen: (listener: AgentListener) => void listeners.push(listener),
      decided: () => {},
      undecided: () => {},
    } as unknown as Parameters<typeof admissionSource>[0],
    pino({ level: "silent" }),
  );
  const answer = (id: number, document: unknown, last: boolean) => {
    for (const listener of listeners) listener.answer({ id, document: Buffer.from(JSON.stringify(document)), last });
  };
  return { source, asked, answer, cut: () => listeners[0]?.cut() };
}

const namespace = { ...UNKNOWN_NAMESPACE, known: true };

test("an answer in parts is given whole", async () => {
  const { source, asked, answer } = agentOf();
  const facts = source.facts(["a:1"], "shop", AbortSignal.timeout(5_000));
  answer(asked[0] ?? 0, { namespace, images: { "a:1": unknownImage("being scanned", "pending") } }, false);
  answer(asked[0] ?? 0, {}, true);
  expect(await facts).toMatchObject({ namespace: { known: true }, images: { "a:1": { state: "pending" } } });
});

test("no answer is told as such, and never as an image that is unknown: what was known of it still counts", async () => {
  const { source, cut, asked, answer } = agentOf();
  const lost = source.facts(["a:1"], "shop", AbortSignal.timeout(5_000));
  cut();
  await expect(lost).rejects.toThrow("the server did not answer");
  const empty = source.facts(["a:1"], "shop", AbortSignal.timeout(5_000));
  answer(asked[1] ?? 0, {}, true);
  await expect(empty).rejects.toThrow("the server did not answer");
  await expect(source.facts([], "shop", AbortSignal.timeout(1))).rejects.toThrow("the server did not answer");
  await expect(agentOf(false).source.facts(["a:1"], "shop", AbortSignal.timeout(5_000))).rejects.toThrow();
});

import { type AdmissionBundle, type FactsAnswer, UNKNOWN_NAMESPACE } from "@bulwark/kubernetes";
import type { FastifyBaseLogger } from "fastify";
import type { AdmissionSource, SourceChange } from "../admission/source.ts";
import { AgentError } from "./errors.ts";
import type { RunningAgent } from "./start-agent.ts";

interface Waiting {
  readonly take: (answer: Partial<FactsAnswer>, isLast: boolean) => void;
}

/** What admission judges by, over the agent's stream. What the server sends is taken as it is: it is the server that judges. */
export function admissionSource(agent: RunningAgent, log: FastifyBaseLogger): AdmissionSource {
  const listeners = new Set<(change: SourceChange) => void>();
  const questions = new Map<number, Waiting>();
  let newest: AdmissionBundle | undefined;
  let asked = 0;
  const tell = (change: SourceChange) => {
    for (const listener of listeners) listener(change);
  };
  agent.listen({
    bundle({ document }) {
      try {
        newest = JSON.parse(Buffer.from(document).toString("utf8")) as AdmissionBundle;
        tell({ what: "bundle" });
      } catch (err) {
        log.error({ err }, "the server's policies are no JSON; what was before still holds");
      }
    },
    answer({ id, document, last }) {
      try {
        questions.get(id)?.take(JSON.parse(Buffer.from(document).toString("utf8")) as Partial<FactsAnswer>, last);
      } catch (err) {
        log.error({ err }, "the server's answer is no JSON");
      }
    },
    imagesChanged: ({ digests, all }) => tell({ what: "images", digests, all }),
    cut() {
      for (const { take } of questions.values()) take({}, true);
    },
  });
  return {
    bundle: () => newest,
    isConnected: () => agent.isConnected,
    facts(references, namespace, signal) {
      const id = ++asked;
      let isAnswered = false;
      let found: FactsAnswer = { namespace: UNKNOWN_NAMESPACE, images: {} };
      return new Promise((resolve, reject) => {
        const end = () => {
          questions.delete(id);
          signal.removeEventListener("abort", end);
          // What came before the stream was cut counts; nothing at all is no answer, and must not take the place of what was known.
          if (isAnswered) resolve(found);
          else reject(new AgentError("NO_ANSWER", "the server did not answer"));
        };
        const take: Waiting["take"] = (answer, isLast) => {
          isAnswered ||= answer.namespace !== undefined;
          found = { namespace: answer.namespace ?? found.namespace, images: { ...found.images, ...answer.images } };
          if (isLast) end();
        };
        if (signal.aborted || !agent.ask({ id, references, namespace })) return end();
        questions.set(id, { take });
        signal.addEventListener("abort", end, { once: true });
      });
    },
    report({ decisions, dropped }) {
      for (const decision of decisions) agent.decided(decision);
      agent.undecided(dropped);
      return true;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

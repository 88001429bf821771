import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { GATHER_MS, nextWait } from "./gather.ts";

const TOPICS = [
  "jobs",
  "images",
  "registries",
  "risks",
  "cases",
  "alerts",
  "nodes",
  "containers",
  "responses",
  "rebuilds",
  "golden",
  "admission",
  "decisions",
  "benchmarks",
  "clusters",
] as const;
/** In a large estate these never end: while they go on they are read more and more seldom. */
const CEASELESS: ReadonlySet<string> = new Set(["images", "risks", "nodes", "containers"]);

/** What is read again when an event of the topic arrives. */
const CHANGES: Readonly<Record<(typeof TOPICS)[number], readonly string[]>> = {
  jobs: ["jobs"],
  registries: ["registries"],
  cases: ["cases"],
  images: ["images", "image", "repositories", "overview"],
  risks: ["risks", "overview"],
  alerts: ["alerts", "containers"],
  nodes: ["nodes", "assets"],
  containers: ["containers", "assets"],
  // What was done to a container also stands in its alert's history.
  responses: ["responses", "alerts"],
  rebuilds: ["rebuilds"],
  golden: ["golden"],
  admission: ["admission"],
  decisions: ["admission"],
  benchmarks: ["benchmarks"],
  clusters: ["clusters"],
};

/**
 * Keeps lists live by the server's events. True while the connection stands; the browser connects again by itself.
 */
export function useLiveEvents(): boolean {
  const client = useQueryClient();
  const [connected, setConnected] = useState(false);
  useEffect(() => {
    const source = new EventSource(`/api/v1/events?topics=${TOPICS.join(",")}`);
    const timers = new Map<string, number>();
    const last = new Map<string, { readonly at: number; readonly waitMs: number }>();
    const readSoon = (topic: (typeof TOPICS)[number]) => {
      if (timers.has(topic)) return;
      const waitMs = CEASELESS.has(topic) ? nextWait(last.get(topic), performance.now()) : GATHER_MS;
      const readAgain = () => {
        timers.delete(topic);
        last.set(topic, { at: performance.now(), waitMs });
        for (const noun of CHANGES[topic]) void client.invalidateQueries({ queryKey: [noun] });
      };
      timers.set(topic, window.setTimeout(readAgain, waitMs));
    };
    source.onopen = () => {
      setConnected(true);
      // What happened before the stream was there was told to nobody.
      for (const topic of TOPICS) readSoon(topic);
    };
    source.onerror = () => setConnected(false);
    for (const topic of TOPICS) source.addEventListener(topic, () => readSoon(topic));
    return () => {
      source.close();
      for (const timer of timers.values()) window.clearTimeout(timer);
    };
  }, [client]);
  return connected;
}

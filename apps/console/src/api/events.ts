import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

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
] as const;
/** Events of one topic that arrive within this time cause one reading. */
const GATHER_MS = 400;

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
    source.onopen = () => setConnected(true);
    source.onerror = () => setConnected(false);
    for (const topic of TOPICS) {
      source.addEventListener(topic, () => {
        if (timers.has(topic)) return;
        const readAgain = () => {
          timers.delete(topic);
          for (const noun of CHANGES[topic]) void client.invalidateQueries({ queryKey: [noun] });
        };
        timers.set(topic, window.setTimeout(readAgain, GATHER_MS));
      });
    }
    return () => {
      source.close();
      for (const timer of timers.values()) window.clearTimeout(timer);
    };
  }, [client]);
  return connected;
}

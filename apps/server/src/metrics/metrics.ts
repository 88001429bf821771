import { type Count, type InstallationMeasures, measureInstallation, type Store } from "@bulwark/store";
import type { FastifyReply, FastifyRequest } from "fastify";
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** From an answer out of a cache to an export of everything. */
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** The estate is counted this often at most, however many ask. */
const COUNTED_EVERY_MS = 15_000;

/** What operators watch, as Prometheus reads it. */
export interface Metrics {
  readonly contentType: string;
  /** Notes a request that was answered. */
  observe(request: FastifyRequest, reply: FastifyReply): void;
  /** All figures (Prometheus, "Exposition formats"). */
  text(): Promise<string>;
}

/** Makes the metrics of one server. Each has its own: figures of the estate are the same from all of them. */
export function createMetrics(store: Store, clock: () => Date): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "bulwark_http_request_duration_seconds",
    help: "Requests by route and status, with the time they took",
    labelNames: ["method", "route", "status"] as const,
    buckets: BUCKETS_S,
    registers: [registry],
  });
  const measure = counting(store, clock);
  estateGauges(registry, measure);
  poolGauge(registry, store);
  return {
    contentType: registry.contentType,
    observe(request, reply) {
      const labels = { method: request.method, route: routeOf(request), status: String(reply.statusCode) };
      requests.observe(labels, reply.elapsedTime / 1_000);
    },
    text: () => registry.metrics(),
  };
}

/** The route's pattern, never the address itself: figures must not grow with what is asked for. */
export function routeOf(request: FastifyRequest): string {
  return request.is404 ? "none" : (request.routeOptions.url ?? "none");
}

function counting(store: Store, clock: () => Date): () => Promise<InstallationMeasures> {
  let counted: { readonly at: number; readonly measures: Promise<InstallationMeasures> } | undefined;
  return () => {
    const at = clock().getTime();
    if (counted === undefined || at - counted.at >= COUNTED_EVERY_MS) {
      const measures = measureInstallation(store);
      measures.catch(() => {
        counted = undefined;
      });
      counted = { at, measures };
    }
    return counted.measures;
  };
}

function estateGauges(registry: Registry, measure: () => Promise<InstallationMeasures>): void {
  const gauge = (
    name: string,
    help: string,
    of: (measures: InstallationMeasures) => readonly Count[],
    labelsOf: (count: Count) => Record<string, string>,
  ) => {
    const labelNames = Object.keys(labelsOf({ kind: "", state: "", count: 0 }));
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const counts = of(await measure());
        made.reset();
        for (const each of counts) made.set(labelsOf(each), each.count);
      },
    });
  };
  gauge(
    "bulwark_queue_depth",
    "Tasks that wait for a worker, by kind",
    ({ tasks }) => tasks.filter(({ state }) => state === "waiting"),
    ({ kind }) => ({ kind }),
  );
  gauge(
    "bulwark_tasks",
    "Tasks by kind and state, without those that are done or cancelled",
    ({ tasks }) => tasks,
    ({ kind, state }) => ({ kind, state }),
  );
  gauge(
    "bulwark_images",
    "Images by state",
    ({ images }) => images,
    ({ state }) => ({ state }),
  );
  gauge(
    "bulwark_open_risks",
    "Risks that are neither fixed nor accepted, by severity",
    ({ risks }) => risks,
    ({ state }) => ({ severity: state }),
  );
  gauge(
    "bulwark_notifications",
    "Notifications by state; noticed: no message was made of it yet",
    ({ notifications }) => notifications,
    ({ state }) => ({ state }),
  );
}

function poolGauge(registry: Registry, store: Store): void {
  const gauge: Gauge = new Gauge({
    name: "bulwark_database_connections",
    help: "Connections of this server's pool, and requests that wait for one",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      const { pool } = store;
      gauge.set({ state: "used" }, pool.totalCount - pool.idleCount);
      gauge.set({ state: "idle" }, pool.idleCount);
      gauge.set({ state: "waited-for" }, pool.waitingCount);
    },
  });
}

import { useQuery } from "@tanstack/react-query";
import { answer, api } from "./client.ts";
import type {
  BenchmarkResultFilters,
  NewBenchmarkException,
  NewBenchmarkSchedule,
  NewBenchmarkTuning,
  Standard,
} from "./contract.ts";
import { pageQuery, usePaged } from "./paged.ts";
import { useSend } from "./send.ts";

const at = (id: number) => ({ params: { path: { id } } });
const CHANGED = ["benchmarks"] as const;

export function useBenchmarkPlaces() {
  return useQuery({ queryKey: ["benchmarks", "places"], queryFn: () => answer(api.GET("/api/v1/benchmark-places")) });
}

/** Checks and profiles change only with the server. */
export function useBenchmarkChecks() {
  return useQuery({
    queryKey: ["benchmark-checks"],
    queryFn: () => answer(api.GET("/api/v1/benchmark-checks")),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useBenchmarkRuns() {
  return usePaged(["benchmarks", "runs"], (cursor) =>
    answer(api.GET("/api/v1/benchmark-runs", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useStartBenchmark() {
  return useSend(
    (body: { profile: string; nodes?: number[]; clusters?: number[] }) =>
      answer(api.POST("/api/v1/benchmark-runs", { body })),
    CHANGED,
  );
}

export function useBenchmarkResults(filters: BenchmarkResultFilters) {
  return usePaged(["benchmarks", "results", filters], (cursor) =>
    answer(api.GET("/api/v1/benchmark-results", { params: { query: pageQuery(filters, cursor) } })),
  );
}

/** Where the browser downloads results as CSV. */
export function resultsAddress(filters: BenchmarkResultFilters): string {
  const query = new URLSearchParams(Object.entries(filters).map(([name, value]) => [name, String(value)]));
  return `/api/v1/benchmark-results.csv?${query}`;
}

export function useCompliance(standard: Standard) {
  return usePaged(["benchmarks", "compliance", standard], async () =>
    answer(api.GET("/api/v1/benchmark-compliance", { params: { query: { standard } } })),
  );
}

export function useAlertHardening(id: number) {
  return usePaged(["benchmarks", "alert", id], async () => answer(api.GET("/api/v1/alerts/{id}/hardening", at(id))));
}

export function useComponentFlaws(flawed: boolean) {
  const filters = flawed ? { flawed } : {};
  return usePaged(["benchmarks", "components", filters], (cursor) =>
    answer(api.GET("/api/v1/component-flaws", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function useBenchmarkFixes(nodeId?: number) {
  const filters = nodeId === undefined ? {} : { nodeId };
  return usePaged(["benchmarks", "fixes", filters], (cursor) =>
    answer(api.GET("/api/v1/benchmark-fixes", { params: { query: pageQuery(filters, cursor) } })),
  );
}

export function usePreviewFix() {
  return useSend(
    (body: { nodeId: number; check: string; reason?: string }) => answer(api.POST("/api/v1/benchmark-fixes", { body })),
    CHANGED,
  );
}

export function useApplyFix() {
  return useSend(
    (id: number) => answer(api.POST("/api/v1/benchmark-fixes/{id}/apply", at(id))),
    [...CHANGED, "responses"],
  );
}

export function useUndoFix() {
  return useSend(
    (id: number) => answer(api.POST("/api/v1/benchmark-fixes/{id}/undo", at(id))),
    [...CHANGED, "responses"],
  );
}

export function useBenchmarkExceptions() {
  return usePaged(["benchmarks", "exceptions"], (cursor) =>
    answer(api.GET("/api/v1/benchmark-exceptions", { params: { query: pageQuery({}, cursor) } })),
  );
}

export function useAskException() {
  return useSend((body: NewBenchmarkException) => answer(api.POST("/api/v1/benchmark-exceptions", { body })), CHANGED);
}

export function useApproveException() {
  return useSend((id: number) => answer(api.POST("/api/v1/benchmark-exceptions/{id}/approve", at(id))), CHANGED);
}

export function useRemoveException() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/benchmark-exceptions/{id}", at(id))), CHANGED);
}

export function useBenchmarkTunings() {
  return usePaged(["benchmarks", "tunings"], async () => answer(api.GET("/api/v1/benchmark-tunings")));
}

export function useSetTuning() {
  return useSend((body: NewBenchmarkTuning) => answer(api.POST("/api/v1/benchmark-tunings", { body })), CHANGED);
}

export function useRemoveTuning() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/benchmark-tunings/{id}", at(id))), CHANGED);
}

export function useBenchmarkSchedules() {
  return usePaged(["benchmarks", "schedules"], async () => answer(api.GET("/api/v1/benchmark-schedules")));
}

export function useSetBenchmarkSchedule() {
  return useSend((body: NewBenchmarkSchedule) => answer(api.POST("/api/v1/benchmark-schedules", { body })), CHANGED);
}

export function useRemoveBenchmarkSchedule() {
  return useSend((id: number) => answer(api.DELETE("/api/v1/benchmark-schedules/{id}", at(id))), CHANGED);
}

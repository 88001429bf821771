import { addBenchmarkRun, announce, type BenchmarkCause, type TenantQueries } from "@bulwark/store";

/** A node that was not there for so long is asked again by the next run. */
const EXPIRES_MS = 10 * 60_000;

interface Started {
  readonly profile: string;
  readonly cause: BenchmarkCause;
  readonly createdBy: string;
  readonly nodes?: readonly number[] | undefined;
  readonly clusters?: readonly number[] | undefined;
}

/** Begins a run: nodes are asked at once where they are connected, clusters are judged by `judgeWaiting`. */
export async function startRun(db: TenantQueries, started: Started, now: Date): Promise<number> {
  const expiresAt = new Date(now.getTime() + EXPIRES_MS);
  const { id, nodes } = await addBenchmarkRun(db, { ...started, now, expiresAt });
  for (const node of nodes) await announce(db, { topic: "orders", id: node });
  await announce(db, { topic: "benchmarks", id });
  return id;
}

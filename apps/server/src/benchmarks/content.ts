import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type BenchmarkCheck,
  type BenchmarkProfile,
  checksOf,
  compileFactRequest,
  type FactRequest,
  readBenchmarks,
  readProfiles,
  readTechniques,
} from "@bulwark/benchmark/benchmark";
import { ServerError } from "../errors.ts";

const ROOT = join(import.meta.dirname, "../../../../content/benchmarks");

/** What ships: checks by id, and profiles. */
export interface BenchmarkContent {
  readonly checks: readonly BenchmarkCheck[];
  readonly byId: ReadonlyMap<string, BenchmarkCheck>;
  readonly profiles: readonly BenchmarkProfile[];
  /** Checks that make a technique of an attack harder, by its id. */
  readonly techniques: ReadonlyMap<string, readonly string[]>;
}

let loaded: BenchmarkContent | undefined;
const requests = new Map<string, FactRequest>();

/** The checks that ship, read when they are first needed. */
export function benchmarkContent(): BenchmarkContent {
  if (loaded !== undefined) return loaded;
  const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((path) => /[/\\].*\.yaml$/.test(path));
  const text = (path: string) => readFileSync(join(ROOT, path), "utf8");
  const checks = files.sort().flatMap((path) => readBenchmarks(text(path), `content/benchmarks/${path}`));
  const profiles = readProfiles(text("profiles.yaml"), "content/benchmarks/profiles.yaml");
  const techniques = readTechniques(text("techniques.yaml"), "content/benchmarks/techniques.yaml");
  loaded = { checks, byId: new Map(checks.map((check) => [check.id, check])), profiles, techniques };
  return loaded;
}

/**
 * The profile of a name.
 *
 * @throws ServerError `INVALID_REQUEST`
 */
export function profileNamed(id: string): BenchmarkProfile {
  const { profiles } = benchmarkContent();
  const found = profiles.find((profile) => profile.id === id);
  if (found !== undefined) return found;
  const known = profiles.map((profile) => profile.id).join(", ");
  throw new ServerError("INVALID_REQUEST", `there is no profile "${id.slice(0, 60)}"`, `choose one of ${known}`);
}

/** What a sensor is asked for so that the checks of a profile can be judged; an unknown profile asks for all. */
export function factRequestOf(profile: string): FactRequest {
  const known = requests.get(profile);
  if (known !== undefined) return known;
  const { checks, profiles } = benchmarkContent();
  const found = profiles.find(({ id }) => id === profile);
  const made = compileFactRequest(found === undefined ? checks : checksOf(found, checks));
  requests.set(profile, made);
  return made;
}

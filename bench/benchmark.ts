import { execFileSync } from "node:child_process";
import { checksOf, judge, scoreOf } from "@bulwark/benchmark/benchmark";
import { benchmarkContent, factRequestOf } from "../apps/server/src/benchmarks/content.ts";
import { gatheredFacts } from "../apps/server/src/benchmarks/gathered-facts.ts";
import { order, upstream } from "../apps/server/src/gateway/wire.ts";
import { SENSOR, whyNoSensor } from "../test/support/sensor-process.ts";
import { type BenchResult, compared, limited, median, smoke } from "./result.ts";

const ROUNDS = smoke ? 1 : 5;
const NODES = smoke ? 10 : 1_000;
const FEW = smoke ? 2 : 100;
/** A run of the strict profile, of all checks. */
const PROFILE = "strict";
/** What judging an estate of a thousand nodes may take of one core. */
const JUDGING_SECONDS = 30;
const MAX_ANSWER = 16 * 1024 * 1024;
/** The field of the contract's Upstream that facts are. */
const FACTS_TAG = Buffer.from([0x3a]);

/** What a benchmark costs a node, and what judging an estate costs the server. */
export async function benchmarkBench(): Promise<readonly BenchResult[]> {
  const why = whyNoSensor();
  if (why !== "") {
    process.stderr.write(`no node is judged: ${why}\n`);
    return [];
  }
  const runs = Array.from({ length: ROUNDS }, gather);
  const wall = median(runs.map(({ wallUs }) => wallUs)) / 1_000_000;
  const share = median(runs.map(({ cpuUs, wallUs }) => (100 * cpuUs) / wallUs));
  const [first] = runs;
  if (first === undefined) throw new Error("nothing was gathered");
  const { checks, profiles } = benchmarkContent();
  const chosen = checksOf(profiles.find(({ id }) => id === PROFILE)!, checks);
  const judgeOnce = () => {
    const results = judge(chosen, { node: gatheredFacts(first) });
    return scoreOf(results.map((result) => ({ ...result, severity: "low" as const, excepted: false })));
  };
  judgeOnce();
  const few = timed(() => repeat(FEW, judgeOnce));
  const all = timed(() => repeat(NODES, judgeOnce));
  return [
    limited(`benchmark: run of a node, ${first.files.length} files and ${first.sysctls.length} settings`, wall, "s", 5),
    limited("benchmark: share of one core while it runs", share, "%", 2),
    limited(
      `benchmark: judging ${NODES} nodes by ${chosen.length} checks`,
      all,
      "s",
      (JUDGING_SECONDS * NODES) / 1_000,
    ),
    compared(
      `benchmark: judging a node of ${NODES}`,
      (1_000 * all) / NODES,
      "ms",
      `a node of ${FEW}`,
      (1_000 * few) / FEW,
    ),
  ];
}

function gather() {
  const whole = order.encode({ gatherFacts: { ...factRequestOf(PROFILE) } });
  const answer = execFileSync(SENSOR, ["facts"], {
    input: bodyOf(whole),
    maxBuffer: MAX_ANSWER,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const facts = upstream.decode(Buffer.concat([FACTS_TAG, varint(answer.length), answer])).facts;
  if (facts === null) throw new Error("the sensor sent no facts");
  return facts;
}

/** The message within a message of one field: what follows its tag of two bytes and its length. */
function bodyOf(message: Buffer): Buffer {
  let at = 2;
  while ((message[at]! & 0x80) !== 0) at++;
  return message.subarray(at + 1);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function repeat(times: number, work: () => unknown): void {
  for (let n = 0; n < times; n++) work();
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1_000;
}

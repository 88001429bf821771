import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { importAdvisories } from "@bulwark/advisory/maintain";
import { catalog } from "@bulwark/ecosystems";
import { admissionBench } from "./admission.ts";
import { advisoryBench } from "./advisory.ts";
import { agentBench } from "./agent.ts";
import { alertBench } from "./alert.ts";
import { benchmarkBench } from "./benchmark.ts";
import { contentBench } from "./content.ts";
import { detectBench } from "./detect.ts";
import { estateBench } from "./estate.ts";
import { gatewayBench } from "./gateway.ts";
import { impactBench } from "./impact.ts";
import { lineageBench } from "./lineage.ts";
import { malwareBench } from "./malware.ts";
import { type BenchResult, smoke } from "./result.ts";
import { scanBench } from "./scan.ts";
import { secretsBench } from "./secrets.ts";
import { sensorBench } from "./sensor.ts";

const work = mkdtempSync(join(process.env.BULWARK_BENCH_DIR ?? tmpdir(), "bulwark-bench-"));
try {
  const seed = join(work, "seed.db");
  await importAdvisories({
    database: seed,
    catalog,
    files: [join(import.meta.dirname, "../content/advisories")],
    seed: true,
  });
  const benches = {
    scan: () => scanBench(work, seed),
    content: () => contentBench(work, seed),
    secrets: () => secretsBench(work),
    malware: () => malwareBench(work),
    advisory: () => advisoryBench(work),
    estate: () => estateBench(work),
    lineage: () => lineageBench(work),
    impact: () => impactBench(work),
    agent: () => agentBench(work),
    gateway: () => gatewayBench(work),
    sensor: () => sensorBench(work),
    alert: () => alertBench(work),
    detect: () => detectBench(),
    admission: () => admissionBench(),
    benchmark: () => benchmarkBench(),
  } as const;
  const wanted = process.argv.slice(2);
  const results: BenchResult[] = [];
  printHead();
  for (const [name, bench] of Object.entries(benches)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    process.stderr.write(`measuring ${name}${smoke ? " (small sizes: the figures mean nothing)" : ""}\n`);
    const measured = await bench();
    print(measured);
    results.push(...measured);
  }
  writeFileSync(join(import.meta.dirname, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function printHead(): void {
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
  console.log(`${machine}\n\n| what | measured | against | ratio |\n|---|---|---|---|`);
}

function print(results: readonly BenchResult[]): void {
  for (const { name, value, unit, against, ratio } of results) {
    console.log(`| ${[name, `${value} ${unit}`, against, String(ratio)].join(" | ")} |`);
  }
}

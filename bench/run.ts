import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { importAdvisories } from "@bulwark/advisory/maintain";
import { catalog } from "@bulwark/ecosystems";
import { advisoryBench } from "./advisory.ts";
import { type BenchResult, smoke } from "./result.ts";
import { scanBench } from "./scan.ts";

const work = mkdtempSync(join(process.env.BULWARK_BENCH_DIR ?? tmpdir(), "bulwark-bench-"));
try {
  const seed = join(work, "seed.db");
  await importAdvisories({
    database: seed,
    catalog,
    files: [join(import.meta.dirname, "../content/advisories")],
    seed: true,
  });
  const results: BenchResult[] = [];
  for (const [name, bench] of [
    ["scan", () => scanBench(work, seed)],
    ["advisory", () => advisoryBench(work)],
  ] as const) {
    process.stderr.write(`measuring ${name}${smoke ? " (small sizes: the figures mean nothing)" : ""}\n`);
    results.push(...(await bench()));
  }
  print(results);
  mkdirSync(import.meta.dirname, { recursive: true });
  writeFileSync(join(import.meta.dirname, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function print(results: readonly BenchResult[]): void {
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
  const rows = results.map(({ name, value, unit, against, ratio }) => [
    name,
    `${value} ${unit}`,
    against,
    String(ratio),
  ]);
  console.log(`${machine}\n\n| what | measured | against | ratio |\n|---|---|---|---|`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}

import { measureConfig } from "./config.ts";
import { malwareAccuracy } from "./malware.ts";
import { measureSecrets } from "./secrets.ts";

/** Below these the run fails: a change that loses what was found, or cries wolf, has to say so. */
const LEAST_PRECISION = 0.98;
const LEAST_RECALL = 0.95;

/** One line of the table. */
interface Row {
  readonly what: string;
  readonly positives: number;
  readonly negatives: number;
  readonly precision: number;
  readonly recall: number;
  readonly mistakes: readonly string[];
}

async function measure(): Promise<readonly Row[]> {
  const secrets = await measureSecrets();
  const malware = malwareAccuracy();
  const config = measureConfig();
  return [
    { ...secrets, what: "secrets", mistakes: [...secrets.missed, ...secrets.wrong] },
    { ...malware, what: "malware and web shells", mistakes: [...malware.missed, ...malware.wrong] },
    { ...config, what: "configuration and Dockerfiles", mistakes: config.wrong },
  ];
}

const rows = await measure();
console.log("| corpus | positive | negative | precision | recall |\n|---|---|---|---|---|");
for (const { what, positives, negatives, precision, recall } of rows) {
  console.log(`| ${what} | ${positives} | ${negatives} | ${precision.toFixed(4)} | ${recall.toFixed(4)} |`);
}
const sum = (key: "positives" | "negatives") => rows.reduce((total, row) => total + row[key], 0);
console.log(`\n${sum("positives")} positive and ${sum("negatives")} negative samples`);
for (const { what, mistakes } of rows) for (const mistake of mistakes) console.log(`${what}: ${mistake}`);
const failing = rows.filter(({ precision, recall }) => precision < LEAST_PRECISION || recall < LEAST_RECALL);
for (const { what } of failing) console.error(`${what}: below precision ${LEAST_PRECISION} or recall ${LEAST_RECALL}`);
process.exitCode = failing.length > 0 ? 1 : 0;

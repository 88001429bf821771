import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { wholeFile } from "@bulwark/model";
import { createSecretScanner, loadSecretRules } from "@bulwark/scan/secrets";
import { runProcess } from "./process.ts";
import { type BenchResult, compared, limited, median, smoke } from "./result.ts";

const MB = 1_000_000;
const RUNS = smoke ? 1 : 3;
const TEXT_BYTES = (smoke ? 10 : 150) * MB;
const BINARY_BYTES = (smoke ? 10 : 100) * MB;
const MAX_FILE_BYTES = 8 * MB;
const HEAD_BYTES = 8_000;
/** What a scan hands to its scanners at once. */
const PIECE_BYTES = 4 * 1024 * 1024;
const TARGET_MB_PER_SECOND = 80;
const PEAK_MIB = 250;
const RULES = join(import.meta.dirname, "../content/secrets");
const TEXT_FOLDERS = [
  "/usr/share/doc",
  "/usr/lib/python3",
  "/usr/lib/python3.11",
  join(import.meta.dirname, "../node_modules"),
];
const BINARY_FOLDERS = ["/usr/bin", "/usr/lib/x86_64-linux-gnu"];

interface TestFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * Secrets: throughput on real text and real programs beside `grep -c -F -f` with the same keywords (and with `-i`, as ours
 * fold case), and peak memory.
 */
export async function secretsBench(work: string): Promise<readonly BenchResult[]> {
  const rules = await loadSecretRules(RULES);
  const scanner = createSecretScanner([rules]);
  const results: BenchResult[] = [];
  for (const [kind, folders, bytes] of [
    ["text", TEXT_FOLDERS, TEXT_BYTES],
    ["programs", BINARY_FOLDERS, BINARY_BYTES],
  ] as const) {
    const files = filesOf(folders, bytes, kind === "programs", (path) =>
      scanner.wants({ path, mode: 0o644, sizeBytes: 1 }),
    );
    const megabytes = files.reduce((sum, file) => sum + file.bytes.length, 0) / MB;
    const keywords = rules.rules.filter(({ binary }) => binary || kind === "text").flatMap((rule) => rule.keywords);
    const [ours, grep, folding]: [number[], number[], number[]] = [[], [], []];
    for (let run = 0; run < RUNS; run++) {
      ours.push(megabytes / secondsOf(() => scanAll(scanner, files)));
      grep.push(megabytes / grepSeconds(work, files, keywords, []));
      folding.push(megabytes / grepSeconds(work, files, keywords, ["-i"]));
    }
    const name = `secrets, ${Math.round(megabytes)} MB of ${kind} in ${files.length} files`;
    const peer = `-f with ${new Set(keywords).size} keywords`;
    results.push(compared(name, median(ours), "MB/s", `grep -c -F ${peer}`, median(grep)));
    results.push(compared(name, median(ours), "MB/s", `grep -c -F -i ${peer}`, median(folding)));
    results.push(compared(name, median(ours), "MB/s", "target", TARGET_MB_PER_SECOND));
  }
  results.push(limited("secrets, peak memory of a process", await peakMib(work), "MiB", PEAK_MIB));
  return results;
}

function filesOf(
  folders: readonly string[],
  bytes: number,
  binary: boolean,
  wants: (path: string) => boolean,
): readonly TestFile[] {
  const list = execFileSync(
    "sh",
    ["-c", 'find "$@" -xdev -type f -size +0 -print0 2>/dev/null || true', "sh", ...folders],
    {
      maxBuffer: 256 * MB,
    },
  );
  const files: TestFile[] = [];
  let total = 0;
  for (const name of list.toString().split("\0")) {
    const path = name.slice(1);
    if (total >= bytes) break;
    if (name === "" || !wants(path)) continue;
    const content = readFileSync(name);
    if (content.length > MAX_FILE_BYTES || content.subarray(0, HEAD_BYTES).includes(0) !== binary) continue;
    total += content.length;
    files.push({ path, bytes: content });
  }
  return files;
}

function scanAll(scanner: ReturnType<typeof createSecretScanner>, files: readonly TestFile[]): void {
  for (const { path, bytes } of files) scanner.scan(wholeFile(path, bytes));
}

function secondsOf(work: () => void): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}

/** The same bytes as one file, so that grep is not charged for opening them. */
function grepSeconds(
  work: string,
  files: readonly TestFile[],
  keywords: readonly string[],
  more: readonly string[],
): number {
  const [all, list] = [join(work, "secrets.data"), join(work, "secrets.keywords")];
  const handle = openSync(all, "w");
  for (const { bytes } of files) writeSync(handle, bytes);
  closeSync(handle);
  writeFileSync(list, [...new Set(keywords)].join("\n"));
  const seconds = secondsOf(() => {
    const { status } = spawnSync("grep", ["-c", "-a", "-F", ...more, "-f", list, all], {
      env: { ...process.env, LC_ALL: "C" },
    });
    if (status !== 0 && status !== 1) throw new Error(`grep ended with ${status}`);
  });
  rmSync(all);
  return seconds;
}

/** Resident memory of a process of its own that scans sixteen large files one after the other. */
async function peakMib(work: string): Promise<number> {
  const script = join(work, "secrets-memory.ts");
  const entry = join(import.meta.dirname, "../packages/scan/src/secrets/index.ts");
  writeFileSync(
    script,
    `import { createSecretScanner, loadSecretRules } from ${JSON.stringify(entry)};
const pieceBytes = ${PIECE_BYTES};
const scanner = createSecretScanner([await loadSecretRules(${JSON.stringify(RULES)})]);
const bytes = Buffer.alloc(pieceBytes, "a line of text with a password and a token in it\\n");
const head = bytes.subarray(0, 4096);
for (let run = 0; run < 64; run++) scanner.scan({ path: "app/log.txt", mode: 0, sizeBytes: bytes.length, bytes, offset: 0, head, sha256: undefined });
`,
  );
  return (await runProcess(process.execPath, ["--disable-warning=ExperimentalWarning", script])).peakMib;
}

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { loadRules, neededSelections } from "@bulwark/detect";
import { shippedRules } from "../apps/server/src/rules/shipped-rules.ts";
import { SENSOR, whyNoSensor } from "../test/support/sensor-process.ts";
import { type BenchResult, compared, limited, median, smoke } from "./result.ts";

const SECONDS = smoke ? 1 : 10;
const ROUNDS = smoke ? 1 : 5;
const SOURCES = smoke ? 4 : 120;
const KIB = 1_024;
const PORT = 18_099;

/** What the sensor costs a node, with the policy that the shipped rules compile to. */
export async function sensorBench(work: string): Promise<readonly BenchResult[]> {
  const why = whyNoSensor();
  if (why !== "") {
    process.stderr.write(`the sensor is not measured: ${why}\n`);
    return [];
  }
  const directory = mkdtempSync(join(work, "sensor-"));
  const policy = join(directory, "policy.json");
  const { rules, ...set } = loadRules(shippedRules());
  writeFileSync(policy, JSON.stringify({ selections: neededSelections({ rules, ...set }) }));
  const load = buildLoad(directory);
  const project = writeProject(directory);
  const results: BenchResult[] = [];
  await withSensor(policy, async (pid) => {
    await sleep(1_000);
    results.push(limited("sensor: resident memory on a quiet node", residentMib(pid), "MiB", 15));
    results.push(
      limited("sensor: one core, on a quiet node", await shareOfCore(pid, () => sleep(SECONDS * 1_000)), "%", 1),
    );
    const execs = () => run(load, "exec", "1000", String(SECONDS));
    results.push(limited("sensor: one core, at 1,000 programs/s", await shareOfCore(pid, execs), "%", 5));
    const opens = () => run(load, "open", "10000", String(SECONDS));
    results.push(limited("sensor: one core, at 10,000 opens/s", await shareOfCore(pid, opens), "%", 5));
    results.push(limited("sensor: resident memory afterwards", residentMib(pid), "MiB", 30));
  });
  const build = () => milliseconds(() => execFileSync("make", ["-s", "-B", "-j2", "-C", project]));
  results.push(await slowDown(policy, "make -j2 of a C project", "ms", build));
  const requests = await nginx(directory);
  if (requests !== undefined) {
    results.push(await slowDown(policy, "a request to nginx under load", "µs", requests.perRequest));
    requests.stop();
  }
  rmSync(directory, { recursive: true });
  return results;
}

/** Rounds without and with the sensor, one after the other, so that both see the same machine. */
async function slowDown(policy: string, name: string, unit: string, measure: () => number | Promise<number>) {
  const off: number[] = [];
  const on: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    off.push(await measure());
    await withSensor(policy, async () => void on.push(await measure()));
  }
  return compared(`${name}, with the sensor`, median(on), unit, "without (limit 1.03)", median(off));
}

async function withSensor(policy: string, work: (pid: number) => Promise<void>): Promise<void> {
  const words = ["run", "--output", "/dev/null", "--policy", policy];
  const sensor = spawn(SENSOR, words, { stdio: ["ignore", "ignore", "pipe"] });
  for await (const line of createInterface({ input: sensor.stderr })) if (line.includes("ready")) break;
  try {
    await work(sensor.pid ?? 0);
  } finally {
    const ended = once(sensor, "exit");
    sensor.kill("SIGTERM");
    await ended;
  }
}

/** proc(5), /proc/PID/status. */
function residentMib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / KIB;
}

/**
 * proc(5), /proc/PID/task/TID/schedstat: nanoseconds on a processor, in percent of the time that the work took. Ticks would miss
 * a program that a timer wakes.
 */
async function shareOfCore(pid: number, work: () => Promise<unknown>): Promise<number> {
  const nanoseconds = () => {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const spent = tasks.map((task) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]),
    );
    return spent.reduce((sum, each) => sum + each, 0);
  };
  const before = nanoseconds();
  const began = performance.now();
  await work();
  return ((nanoseconds() - before) / 1e6 / (performance.now() - began)) * 100;
}

function milliseconds(work: () => unknown): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

async function run(program: string, ...words: readonly string[]): Promise<void> {
  const [code] = await once(spawn(program, words, { stdio: "inherit" }), "exit");
  if (code !== 0) throw new Error(`${program} ${words.join(" ")} ended with ${code}`);
}

/** Starts programs or opens files at a rate, in C so that it costs little itself. */
function buildLoad(directory: string): string {
  const source = join(directory, "load.c");
  writeFileSync(
    source,
    `#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
extern char **environ;
int main(int argc, char **argv) {
  if (argc < 4) return 0;
  long rate = atol(argv[2]), total = rate * atol(argv[3]);
  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (long done = 0; done < total; done++) {
    if (strcmp(argv[1], "exec") == 0) {
      pid_t child;
      char *words[] = {argv[0], NULL};
      if (posix_spawn(&child, argv[0], NULL, NULL, words, environ)) return 1;
      waitpid(child, NULL, 0);
    } else {
      int file = open("/tmp/bulwark-bench-load", O_CREAT | O_WRONLY, 0600);
      if (file < 0) return 1;
      close(file);
    }
    long due = done * 1000000000L / rate;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long ahead = due - ((now.tv_sec - start.tv_sec) * 1000000000L + now.tv_nsec - start.tv_nsec);
    if (ahead > 1000000L) { struct timespec wait = {0, ahead}; nanosleep(&wait, NULL); }
  }
  return 0;
}
`,
  );
  const program = join(directory, "load");
  execFileSync("clang", ["-O2", "-static", "-o", program, source]);
  return program;
}

/** A C project: many files that are compiled, and linked. */
function writeProject(directory: string): string {
  const project = join(directory, "project");
  mkdirSync(project);
  const names = Array.from({ length: SOURCES }, (_, i) => `part${i}`);
  for (const name of names) {
    const functions = Array.from(
      { length: 40 },
      (_, i) => `int ${name}_${i}(int x) { return printf("%d", x * ${i}) + x / 3; }`,
    );
    writeFileSync(
      join(project, `${name}.c`),
      `#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n${functions.join("\n")}\n`,
    );
  }
  writeFileSync(join(project, "main.c"), "int main(void) { return 0; }\n");
  const objects = ["main", ...names].map((name) => `${name}.o`).join(" ");
  writeFileSync(join(project, "Makefile"), `CC = clang\nCFLAGS = -O1\nall: ${objects}\n\t$(CC) -o all ${objects}\n`);
  return project;
}

/** nginx on the loopback and wrk in front of it; undefined where they are not installed. */
async function nginx(directory: string) {
  if (spawnSync("wrk", ["--version"]).error !== undefined || spawnSync("nginx", ["-v"]).error !== undefined)
    return undefined;
  const configuration = join(directory, "nginx.conf");
  writeFileSync(join(directory, "index.html"), "x".repeat(1_000));
  writeFileSync(
    configuration,
    `daemon off; pid ${directory}/nginx.pid; error_log ${directory}/error.log; user root; worker_processes 1;
events { worker_connections 256; }
http { access_log off; server { listen 127.0.0.1:${PORT}; root ${directory}; } }
`,
  );
  const server = spawn("nginx", ["-c", configuration], { stdio: "ignore" });
  const address = `http://127.0.0.1:${PORT}/index.html`;
  for (
    let tries = 0;
    tries < 50 &&
    !(await fetch(address).then(
      ({ ok }) => ok,
      () => false,
    ));
    tries++
  )
    await sleep(100);
  return {
    /** Microseconds on average; connections are opened anew, which is what the sensor sees. */
    perRequest: () => {
      const words = ["-t1", "-c8", `-d${smoke ? 1 : 5}s`, "-H", "Connection: close", address];
      const said = execFileSync("wrk", words).toString();
      return 1e6 / Number(/Requests\/sec:\s+([\d.]+)/.exec(said)?.[1]);
    },
    stop: () => void server.kill("SIGTERM"),
  };
}

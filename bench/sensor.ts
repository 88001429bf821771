import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { whyNoContainerd } from "../test/support/containerd.ts";
import { whyNoSensor } from "../test/support/sensor-process.ts";
import { type HostContainer, openHostContainer } from "./host-container.ts";
import { type Installation, openInstallation, residentMib } from "./installation.ts";
import { type BenchResult, compared, limited, median, smoke } from "./result.ts";

const SECONDS = smoke ? 1 : 10;
const ROUNDS = smoke ? 1 : 5;
const SOURCES = smoke ? 4 : 120;
const PORT = 18_099;

/**
 * What the sensor costs a node, with the policy that the shipped rules compile to and everything in a container: first beside a
 * server that takes the events, then alone, when it keeps them on disk, so that only its own cost is measured.
 */
export async function sensorBench(work: string): Promise<readonly BenchResult[]> {
  const why = whyNoSensor() || whyNoContainerd();
  if (why !== "") {
    process.stderr.write(`the sensor is not measured: ${why}\n`);
    return [];
  }
  const installation = await openInstallation(work);
  const { directory, server, startSensor, untilPolicy } = installation;
  const load = buildLoad(directory);
  const project = writeProject(directory);
  const container = openHostContainer(directory);
  const results: BenchResult[] = [];
  const sensor = await startSensor("connected");
  await untilPolicy();
  await sleep(SECONDS * 500);
  results.push(limited("sensor: resident memory on a quiet node", residentMib(sensor.pid), "MiB", 15));
  const measure = async (name: string, limit: number, work: () => Promise<unknown>) =>
    results.push(limited(`sensor: share of one core, ${name}`, await shareOfCore(sensor.pid, work), "%", limit));
  await measure("on a quiet node", 1, () => sleep(SECONDS * 1_000));
  await measure("at 1,000 programs/s", 5, () => container.run(load, "exec", "1000", String(SECONDS)));
  await measure("at 10,000 opens/s that write", 5, () => container.run(load, "open", "10000", String(SECONDS)));
  results.push(limited("sensor: resident memory afterwards", residentMib(sensor.pid), "MiB", 30));
  await sensor.stop();
  await server.close();
  const build = () => milliseconds(() => container.run("make", "-s", "-B", "-j2", "-C", project));
  results.push(await slowDown(startSensor, "make -j2 of a C project", "ms", build));
  const requests = await nginx(directory, container);
  if (requests !== undefined) {
    results.push(await slowDown(startSensor, "a request to nginx under load", "µs", () => requests.perRequest([])));
    const anew = ["-H", "Connection: close"];
    results.push(
      await slowDown(startSensor, "the same, a connection for each request", "µs", () => requests.perRequest(anew)),
    );
    await requests.stop();
  }
  container.close();
  return results;
}

/** Rounds without and with the sensor, one after the other; the middle of their ratios, since both of a round see the same machine. */
async function slowDown(
  startSensor: Installation["startSensor"],
  name: string,
  unit: string,
  measure: () => Promise<number>,
): Promise<BenchResult> {
  const on: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const off = await measure();
    const sensor = await startSensor("ready");
    const now = await measure();
    await sensor.stop();
    on.push(now);
    ratios.push(now / off);
  }
  const value = median(on);
  return compared(`${name}, with the sensor`, value, unit, "without (limit 1.03)", value / median(ratios));
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

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
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

/** nginx in the container and wrk in front of it; undefined where they are not installed. */
async function nginx(directory: string, container: HostContainer) {
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
  const ended = container.run("nginx", "-c", configuration).catch(() => {});
  const address = `http://127.0.0.1:${PORT}/index.html`;
  const answers = () =>
    fetch(address).then(
      ({ ok }) => ok,
      () => false,
    );
  for (let tries = 0; tries < 50 && !(await answers()); tries++) await sleep(100);
  return {
    /** Microseconds on average. */
    perRequest: async (options: readonly string[]) => {
      const words = ["-t1", "-c8", `-d${smoke ? 1 : 5}s`, ...options, address];
      const { stdout } = await promisify(execFile)("wrk", words);
      return 1e6 / Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
    },
    async stop() {
      await container.run("nginx", "-c", configuration, "-s", "stop");
      await ended;
    },
  };
}

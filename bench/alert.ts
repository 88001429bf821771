import { openContainerd, whyNoContainerd } from "../test/support/containerd.ts";
import { whyNoSensor } from "../test/support/sensor-process.ts";
import { openInstallation, residentMib } from "./installation.ts";
import { type BenchResult, limited, smoke } from "./result.ts";

const ATTACKS = smoke ? 3 : 120;
const NAME = "bulwark-bench-alert";

/** How long it takes from what happens in a container until a page that watches alerts is told. */
export async function alertBench(work: string): Promise<readonly BenchResult[]> {
  const why = whyNoSensor() || whyNoContainerd();
  if (why !== "") {
    process.stderr.write(`the way of an alert is not measured: ${why}\n`);
    return [];
  }
  const { directory, server, startSensor } = await openInstallation(work);
  const containerd = await openContainerd(directory);
  await containerd.load("docker.io/library/bench:1");
  const sensor = await startSensor("connected");
  await containerd.start("docker.io/library/bench:1", NAME);
  const delays: number[] = [];
  const stream = await server.send("GET", "/events?topics=alerts", undefined, AbortSignal.timeout(600_000));
  const told = stream.body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  for (let attack = 0; attack < ATTACKS; attack++) {
    const ended = containerd.exec(NAME, "/bin/nc 127.0.0.1 9 -e /bin/sh");
    for (;;) {
      const { value = "" } = await told.next();
      if (value.includes("event: alerts")) break;
    }
    const heard = Date.now();
    const { items } = await server.call<{ items: { lastAt: string }[] }>("GET", `/alerts?text=${NAME}&limit=5`);
    delays.push(heard - Math.max(...items.map(({ lastAt }) => Date.parse(lastAt))));
    await ended;
  }
  const memory = residentMib(sensor.pid);
  await containerd.remove(NAME);
  await sensor.stop();
  await server.close();
  await containerd.close();
  const sorted = delays.toSorted((a, b) => a - b);
  return [
    limited("attack to alert on a page that watches, median", sorted[Math.floor(sorted.length / 2)] ?? 0, "ms", 1_000),
    limited("the same, 99 of 100", sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0, "ms", 1_000),
    limited("sensor: resident memory after it", memory, "MiB", 15),
  ];
}

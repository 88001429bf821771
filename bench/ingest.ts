import { join } from "node:path";
import { openImage } from "@bulwark/image";
import { buildImage, writeLayout } from "@bulwark/image/testing";
import { keepChainStates } from "@bulwark/scan";
import { makeScanners, openDatabase } from "@bulwark/scan/shipped";
import type { Store } from "@bulwark/store";
import { scanIntoStore } from "../apps/server/src/scans/scan-into-store.ts";
import { type BenchResult, limited, smoke } from "./result.ts";

const OS_PACKAGES = 300;
const APP_PACKAGES = 40;
const LAYERS = smoke ? 4 : 20;
/** Tasks that one process does at once: while one waits for the database, another works. */
const WORKERS = 4;
const IMAGES = smoke ? 6 : 200;

/** Images that combine layers which were all read before: how many a worker takes in each second. */
export async function ingestBench(work: string, store: Store): Promise<readonly BenchResult[]> {
  const options = {
    secretRules: [],
    yaraRules: [],
    indicators: [],
    denyLists: [],
    registries: [],
    trustPackages: true,
  };
  const scanners = await makeScanners({ ...options, scanners: ["vuln", "secret", "malware", "config"] });
  const database = await openDatabase(undefined);
  const tools = { store, database, scanners, states: keepChainStates(), clock: () => new Date() };
  const scan = async (name: string, apps: readonly number[]) => {
    const directory = join(work, "layouts", name);
    writeLayout(buildImage({ layers: [...BASE, ...apps.map(appLayer)] }), directory, "v1");
    const opened = await openImage(`oci:${directory}:v1`);
    return async () => {
      await scanIntoStore(opened, 1, tools);
      await opened.close();
    };
  };
  for (let app = 0; app < LAYERS; app++) await (await scan(`single-${app}`, [app]))();
  const runs = [];
  for (let n = 0; n < IMAGES; n++) {
    const first = n % LAYERS;
    const second = (first + 1 + Math.floor(n / LAYERS)) % LAYERS;
    runs.push(await scan(`pair-${n}`, [first, second]));
  }
  const queue = runs.values();
  const began = performance.now();
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      for (const run of queue) await run();
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  database.close();
  const millis = (seconds * 1_000) / runs.length;
  return [limited("taking in an image of known layers", millis, "ms", 20)];
}

const BASE = [
  {
    files: {
      "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
      "var/lib/dpkg/status": Array.from(
        { length: OS_PACKAGES },
        (_, n) => `Package: library-${n}\nStatus: install ok installed\nVersion: 1.${n % 4}-1\nArchitecture: amd64\n`,
      ).join("\n"),
    },
  },
  { files: { "etc/motd": "hello\n" } },
];

function appLayer(app: number) {
  const modules = Array.from({ length: APP_PACKAGES }, (_, n) => [`module-${app * 31 + n}`, `${n % 6}.0.0`] as const);
  return {
    files: Object.fromEntries(
      modules.map(([name, version]) => [
        `srv/app-${app}/node_modules/${name}/package.json`,
        JSON.stringify({ name, version }),
      ]),
    ),
  };
}

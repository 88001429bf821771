import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type OpenedImage, openImage } from "@bulwark/image";
import { type BuiltImage, buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { keepChainStates, scanImage } from "@bulwark/scan";
import { makeScanners, openDatabase } from "@bulwark/scan/shipped";
import { getImage, imageFindings } from "@bulwark/store";
import { openTestStore, type TestStore } from "@bulwark/store/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ScanTools, scanIntoStore } from "./scan-into-store.ts";

const directory = temporaryDirectory();
const TENANT = 1;
let opened: TestStore;
let tools: ScanTools;

const STATUS = (...packages: readonly string[]) =>
  packages
    .map((each) => {
      const [name, version] = each.split("=");
      return `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nArchitecture: amd64\n`;
    })
    .join("\n");
const OS = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n';
const module = (name: string, version: string) => JSON.stringify({ name, version });

const BASE = [
  {
    files: { "etc/os-release": OS, "var/lib/dpkg/status": STATUS("xz-utils=5.6.0-1", "bash=5.2-1") },
    createdBy: "ADD rootfs.tar /",
  },
  { files: { "opt/app/node_modules/lodash/package.json": module("lodash", "4.17.4") }, createdBy: "RUN npm install" },
];
const SECRET = `ghp_${"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0xL2rU5"}`;
const IMAGES: Readonly<Record<string, BuiltImage>> = {
  // The base is scanned after images that stand on it, and removes nothing of what they do.
  upgraded: buildImage({
    layers: [
      ...BASE,
      { files: { "var/lib/dpkg/status": STATUS("xz-utils=5.8.1-1", "bash=5.2-1") }, createdBy: "RUN apt-get upgrade" },
      { files: { "opt/app/.wh.node_modules": "", "app/.env": `TOKEN=${SECRET}\n` }, createdBy: "COPY . /app" },
      { files: { "app/.wh..env": "" }, createdBy: "RUN rm /app/.env" },
    ],
  }),
  grown: buildImage({
    layers: [
      ...BASE,
      {
        files: {
          "srv/log4j-core-2.14.1.jar": "",
          "srv/node_modules/minimist/package.json": module("minimist", "0.0.8"),
        },
      },
    ],
    config: { Env: ["DB_PASSWORD=tr0ub4dor-and-3-horses"], User: "root" },
  }),
  base: buildImage({ layers: BASE }),
};

async function open(name: string): Promise<OpenedImage> {
  const image = IMAGES[name];
  if (image === undefined) throw new Error(name);
  writeLayout(image, join(directory.path, name), "v1");
  return openImage(`oci:${join(directory.path, name)}:v1`);
}

beforeAll(async () => {
  opened = await openTestStore();
  const scanners = await makeScanners({
    scanners: ["vuln", "secret", "malware", "config"],
    secretRules: [],
    yaraRules: [],
    indicators: [],
    denyLists: [],
    registries: [],
    trustPackages: true,
  });
  const database = await openDatabase(undefined);
  tools = { store: opened.store, database, scanners, states: keepChainStates(), clock: () => new Date() };
});
afterAll(async () => {
  tools.database.close();
  await opened.close();
  directory.remove();
});

/** What tells findings apart, whoever made the list. */
const shape = (finding: { kind: string; id: string; severity: string; layer: number; origin: string; path?: string }) =>
  [finding.kind, finding.id, finding.severity, finding.layer, finding.origin, finding.path ?? ""].join(" ");

test.each(Object.keys(IMAGES))("the store tells of the image %s what a scan of it tells", async (name) => {
  const image = await open(name);
  const { facts } = await scanIntoStore(image, TENANT, tools);
  const { scanners, database } = tools;
  const { report } = await scanImage(image, {
    database,
    content: scanners.content,
    inspection: scanners.inspection,
    ...(scanners.components === undefined ? {} : { components: scanners.components }),
    scanners: ["vuln", "secret", "malware", "config"],
  });
  const stored = await opened.store.tenant(TENANT, async (db) => {
    const detail = await getImage(db, facts.image.digest);
    if (detail === undefined) throw new Error("not stored");
    return { detail, findings: await imageFindings(db, detail, { limit: 1_000 }) };
  });
  expect(stored.findings.map(shape).sort()).toEqual(report.findings.map(shape).sort());
  const { critical, high, medium, low } = report.summary;
  const flaws = report.findings.filter(({ kind }) => kind === "vulnerability");
  const of = (severity: string) => flaws.filter((each) => each.severity === severity).length;
  expect(stored.detail.counts).toMatchObject({
    critical: of("critical"),
    high: of("high"),
    medium: of("medium"),
    low: of("low"),
    secrets: report.findings.filter(({ kind }) => kind === "secret").length,
    misconfigurations: report.findings.filter(({ kind }) => kind === "misconfiguration").length,
  });
  expect(critical + high + medium + low).toBeGreaterThan(0);
  expect(stored.detail.packageCount).toBe(report.packages.length);
  expect(stored.detail.layers.reduce((sum, { packages }) => sum + packages, 0)).toBe(report.packages.length);
});

test("what images share is kept once, and an image that is scanned again changes nothing", async () => {
  const count = async () => {
    const { rows } = await opened.store
      .tenant(TENANT, (db) =>
        db
          .selectFrom("chain_package")
          .select(({ fn }) => fn.countAll<number>().as("rows"))
          .execute(),
      )
      .then((rows) => ({ rows }));
    return rows[0]?.rows;
  };
  const before = await count();
  await scanIntoStore(await open("grown"), TENANT, tools);
  expect(await count()).toBe(before);
  const { states: _forgotten, ...rest } = tools;
  const { facts } = await scanIntoStore(await open("grown"), TENANT, { ...rest, states: keepChainStates() });
  expect(facts.chains).toEqual([]);
  expect(await count()).toBe(before);
});

test("another tenant with the same image has facts of its own", async () => {
  await opened.store.system.insertInto("tenant").values({ name: "other" }).execute();
  const { facts } = await scanIntoStore(await open("base"), 2, tools);
  expect(facts.chains.length).toBe(2);
  expect(await opened.store.tenant(2, (db) => getImage(db, facts.image.digest))).toBeDefined();
});

test("a root file system, whose layer has no digest, is taken in like an image, and again when it changed", async () => {
  const root = join(directory.path, "root");
  mkdirSync(join(root, "srv/node_modules/minimist"), { recursive: true });
  const scan = async (version: string) => {
    writeFileSync(join(root, "srv/node_modules/minimist/package.json"), module("minimist", version));
    const host = await openImage(`dir:${root}`);
    const digestOf = () => `sha256:${"0".repeat(64)}`;
    await scanIntoStore(host, TENANT, tools, { digestOf });
    await host.close();
    const found = await opened.store.tenant(TENANT, async (db) => {
      const detail = await getImage(db, digestOf());
      return detail === undefined ? [] : imageFindings(db, detail, { limit: 100 });
    });
    return found.map(({ package: subject }) => `${subject?.name} ${subject?.version}`);
  };
  expect(await scan("0.0.8")).toContain("minimist 0.0.8");
  expect(await scan("1.2.8")).toEqual([]);
});

import { hash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { LineageEstate } from "./lineage-data.ts";
import {
  APP_SUBJECTS,
  OS_SUBJECTS,
  SEVERITIES,
  severityOf,
  subjectsOf,
  VULNERABILITIES,
  vulnerabilitiesOf,
  vulnerabilityId,
} from "./lineage-findings.ts";

const OWNERS = 400;
const NODES = 200;
const CONTAINERS = 20_000;
/** Layers are stored once however many chains they are in: so few that a million images leave room on the disk. */
const CHAINS_PER_LAYER = 4;
const PIECE_CHARACTERS = 1 << 16;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const TENANT = 1;

/**
 * Writes the estate into an empty store: what scanning its registry would have left there. Rows have the numbers of the
 * estate's columns plus one. Triggers are off, so nothing that is derived from these rows is made.
 */
export async function storeEstate(client: pg.Client, estate: LineageEstate, now: Date): Promise<void> {
  await client.query("SET session_replication_role = replica");
  await client.query("SET synchronous_commit = off");
  await storeVulnerabilities(client);
  for (const { table, columns, rows } of tablesOf(estate, now)) {
    await pipeline(
      Readable.from(inPieces(rows)),
      client.query(copyFrom(`COPY ${table} (tenant_id, ${columns}) FROM STDIN`)),
    );
    if (!columns.startsWith("id,")) continue;
    await client.query(`SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT max(id) FROM ${table}))`);
  }
  await client.query("SET session_replication_role = origin");
  await client.query("VACUUM ANALYZE");
}

type Row = readonly (string | number)[];
interface TableRows {
  readonly table: string;
  /** Beside the tenant's. */
  readonly columns: string;
  readonly rows: Iterable<Row>;
}

const imageDigest = (image: number): string => digestOf(`image ${image}`);

function digestOf(text: string): string {
  return `sha256:${hash("sha256", text, "hex")}`;
}

function* inPieces(rows: Iterable<Row>): Generator<string> {
  let piece = "";
  for (const row of rows) {
    piece += `${TENANT}\t${row.join("\t")}\n`;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

function* counted<Result>(count: number, make: (index: number) => Result): Generator<Result> {
  for (let index = 0; index < count; index++) yield make(index);
}

function tablesOf(estate: LineageEstate, now: Date): readonly TableRows[] {
  return [
    ...placesOf(estate),
    ...knowledge(),
    ...layersOf(estate),
    ...imagesOf(estate, now),
    ...runtimeOf(estate, now),
  ];
}

function placesOf({ repositories }: LineageEstate): readonly TableRows[] {
  return [
    { table: "registry", columns: "id, name, kind, address", rows: [[1, "registry", "oci", "registry.invalid"]] },
    { table: "owner", columns: "id, name", rows: counted(OWNERS, (n) => [n + 1, `team-${n + 1}`]) },
    {
      table: "repository",
      columns: "id, registry_id, name, owner_id",
      rows: counted(repositories, (n) => [
        n + 1,
        1,
        `group-${n % 100}/service-${n}`,
        n % 9 === 0 ? "\\N" : 1 + (n % OWNERS),
      ]),
    },
  ];
}

function knowledge(): readonly TableRows[] {
  return [
    {
      table: "subject",
      columns: "id, ecosystem, name, version, matched_with",
      rows: counted(OS_SUBJECTS + APP_SUBJECTS, (n) =>
        n < OS_SUBJECTS
          ? [n + 1, "Debian:12", `library-${n}`, "1.2-1", "made"]
          : [n + 1, "npm", `module-${n - OS_SUBJECTS}`, "1.0.0", "made"],
      ),
    },
    {
      table: "subject_match",
      columns: "subject_id, vulnerability_id, severity, status, fixed_version",
      rows: matches(),
    },
  ];
}

function* matches(): Generator<Row> {
  for (let subject = 1; subject <= OS_SUBJECTS + APP_SUBJECTS; subject++) {
    for (const vulnerability of vulnerabilitiesOf(subject)) {
      yield [subject, vulnerabilityId(vulnerability), SEVERITIES[severityOf(vulnerability)]!, "fixed", "9"];
    }
  }
}

/** Belongs to no tenant, so it is written apart. */
async function storeVulnerabilities(client: pg.Client): Promise<void> {
  const rows = counted(VULNERABILITIES, (n) => `${vulnerabilityId(n)}\tmade up\t${SEVERITIES[severityOf(n)]}\n`);
  await pipeline(Readable.from(rows), client.query(copyFrom("COPY vulnerability (id, title, severity) FROM STDIN")));
}

function layersOf({ chains }: LineageEstate): readonly TableRows[] {
  const count = chains.parents.length;
  const layers = Math.ceil(count / CHAINS_PER_LAYER);
  const { depths } = chains;
  return [
    {
      table: "layer",
      columns: "id, diff_id, digest, size_bytes, analyzers",
      rows: counted(layers, (n) => [
        n + 1,
        digestOf(`layer ${n}`),
        digestOf(`blob ${n}`),
        1_000_000 + ((n * 7_919) % 50_000_000),
        "made",
      ]),
    },
    {
      table: "chain",
      columns: "id, digest, parent_id, layer_id, depth, analyzers",
      rows: counted(count, (n) => {
        const parent = chains.parents[n]!;
        return [n + 1, digestOf(`chain ${n}`), parent < 0 ? "\\N" : parent + 1, 1 + (n % layers), depths[n]!, "made"];
      }),
    },
    { table: "chain_subject", columns: "chain_id, from_depth, subject_id, delta", rows: broughtBy(chains) },
  ];
}

function* broughtBy({ subjects, isOs, depths }: LineageEstate["chains"]): Generator<Row> {
  for (let chain = 0; chain < subjects.length; chain++) {
    for (const subject of subjectsOf(chain, subjects[chain]!, isOs[chain] === 1)) {
      yield [chain + 1, depths[chain]!, subject, 1];
    }
  }
}

function imagesOf(estate: LineageEstate, now: Date): readonly TableRows[] {
  const { chains, images } = estate;
  const count = images.tops.length;
  const { depths } = chains;
  const at = (ms: number) => new Date(now.getTime() - ms).toISOString();
  const ofTop = (image: number, column: Int32Array) => (images.tops[image]! < 0 ? 0 : column[images.tops[image]!]!);
  const seen = (image: number) => at((count - image) * MINUTE_MS);
  return [
    {
      table: "image",
      columns: `id, digest, platform, state, os_id, os_version, size_bytes, layer_count, chain_id, base, complete, built_at,
        first_seen, scanned_at, gone_at, critical, high, medium, low, fixable`,
      rows: counted(count, (n) => {
        const [top, isAlive] = [images.tops[n]!, images.alive[n] === 1];
        const counts = [chains.critical, chains.high, chains.medium, chains.low].map((column) => ofTop(n, column));
        return [
          ...[n + 1, imageDigest(n), "linux/amd64", isAlive ? "scanned" : "gone", "debian", "12", 80_000_000 + n * 13],
          ...[top < 0 ? 0 : depths[top]! + 1, top < 0 ? "\\N" : top + 1, wordOf(images.declared[n]!), true],
          ...[at(images.ageDays[n]! * DAY_MS), seen(n), at(0), isAlive ? "\\N" : at(0)],
          ...[...counts, counts.reduce((sum, number) => sum + number, 0)],
        ].map(String);
      }),
    },
    { table: "image_chain", columns: "image_id, depth, chain_id", rows: chainsOfImages(estate) },
    {
      table: "image_location",
      columns: "image_id, repository_id, first_seen, gone_at",
      rows: counted(count, (n) => [n + 1, images.repositories[n]! + 1, seen(n), images.alive[n] === 1 ? "\\N" : at(0)]),
    },
    {
      table: "tag",
      columns: "id, repository_id, name, digest, gone_at",
      rows: counted(count, (n) => {
        return [
          n + 1,
          images.repositories[n]! + 1,
          `1.${n}`,
          imageDigest(tagged(estate, n)),
          images.alive[n] === 1 ? "\\N" : at(0),
        ];
      }),
    },
    { table: "tag_image", columns: "tag_id, image_id", rows: counted(count, (n) => [n + 1, tagged(estate, n) + 1]) },
  ];
}

/** A tag that moved names the next image of its repository. */
function tagged({ images }: LineageEstate, image: number): number {
  return images.isMoved[image] === 1 ? image + 1 : image;
}

function wordOf(declared: number): string {
  if (declared === -1) return "\\N";
  const digest = declared < 0 ? digestOf("an image that nobody showed us") : imageDigest(declared);
  return JSON.stringify({ how: "annotation", digest, reference: "registry.invalid/base" });
}

function* chainsOfImages({ chains, images }: LineageEstate): Generator<Row> {
  for (let image = 0; image < images.tops.length; image++) {
    for (let chain = images.tops[image]!; chain >= 0; chain = chains.parents[chain]!) {
      yield [image + 1, chains.depths[chain]!, chain + 1];
    }
  }
}

function runtimeOf({ images }: LineageEstate, now: Date): readonly TableRows[] {
  const at = now.toISOString();
  const running = (n: number) => {
    const image = Math.floor((n * images.tops.length) / CONTAINERS);
    return images.alive[image] === 1 ? image : 0;
  };
  return [
    {
      table: "node",
      columns: "id, uid, hostname, facts, certificate_serial, enrolled_at",
      rows: counted(NODES, (n) => [n + 1, `node-${n}`, `host-${n}`, "{}", String(n), at]),
    },
    {
      table: "container",
      columns: `id, node_id, runtime_id, name, image, image_digest, runtime, namespace, pod, privileged, state, facts, first_seen, seen_at`,
      rows: counted(CONTAINERS, (n) => [
        ...[
          n + 1,
          1 + (n % NODES),
          `container-${n}`,
          `service-${n}`,
          "registry.invalid/service",
          imageDigest(running(n)),
        ],
        ...["containerd", "default", "", "false", "running", "{}", at, at],
      ]),
    },
  ];
}

import { FACT_COUNTS, type FactCount, type FactFinding, type ImageFacts, unknownImage } from "@bulwark/kubernetes";
import { standingOnPath } from "@bulwark/policy";
import {
  basesOfImages,
  type HeldByImage,
  heldByImage,
  type ImageFinding,
  type ImageItem,
  imageFindings,
  imageItems,
  type NamedImage,
  type TenantQueries,
} from "@bulwark/store";
import { pathBase } from "../golden/assess-images.ts";

/** Findings that are looked at, and that are told. */
const MAX_FINDINGS = 3_000;
const MAX_TOLD = 200;
/** Names and addresses that a replica keeps of one image. */
const MAX_NAMES = 20_000;
const MAX_TEXT = 300;
const DAY_MS = 86_400_000;

/** What the store knows of the images behind a reference: of several platforms the worst counts. */
export async function factsOfImages(
  db: TenantQueries,
  named: readonly NamedImage[],
  now: Date,
): Promise<ImageFacts | undefined> {
  const ids = named.map(({ id }) => id);
  const items = (await imageItems(db, ids)).filter(({ scannedAt }) => scannedAt !== null);
  if (items.length === 0) return undefined;
  const all: ImageFacts[] = [];
  for (const item of items.toSorted((one, other) => other.risk - one.risk)) {
    const held = await heldByImage(db, item.id);
    if (held !== undefined) all.push(await factsOfImage(db, item, held, now));
  }
  const [worst] = all;
  if (worst === undefined) return undefined;
  const union = (texts: readonly string[]) => linesOf(texts.flatMap((text) => text.split("\n")));
  const flaws = union(all.map((each) => each.flaws));
  const purls = union(all.map((each) => each.purls));
  return {
    ...worst,
    digest: named[0]?.digest ?? "",
    // What was not scanned of an index may be what a node runs.
    complete: all.every(({ complete }) => complete) && all.length === ids.length,
    counts: Object.fromEntries(
      FACT_COUNTS.map((name) => [name, Math.max(...all.map(({ counts }) => counts[name]))]),
    ) as ImageFacts["counts"],
    flaws: flaws.text,
    purls: purls.text,
    cut: flaws.isCut || purls.isCut || all.some(({ cut }) => cut),
    tampered: all.some(({ tampered }) => tampered),
    golden: all.every(({ golden }) => golden),
  };
}

async function factsOfImage(db: TenantQueries, item: ImageItem, held: HeldByImage, now: Date): Promise<ImageFacts> {
  const found = await imageFindings(db, { id: item.id, baseLayers: held.baseLayers }, { limit: MAX_FINDINGS, now });
  const open = found.filter(({ waived }) => waived === undefined);
  const bases = (await basesOfImages(db, [item.id])).get(item.id) ?? [];
  const standing = standingOnPath(bases.map((base) => pathBase(base, base.onlyRepository !== null)));
  const [flaws, purls] = [linesOf(held.flaws), linesOf(held.purls)];
  return {
    ...unknownImage(""),
    ...{ state: "known", manifest: item.digest, complete: item.complete, scannedAt: item.scannedAt ?? "" },
    ageDays: item.builtAt === null ? -1 : Math.floor((now.getTime() - Date.parse(item.builtAt)) / DAY_MS),
    counts: countsOf(open, item, found.length === MAX_FINDINGS),
    findings: open.slice(0, MAX_TOLD).map((finding) => told(finding, held.instructions)),
    flaws: flaws.text,
    purls: purls.text,
    cut: flaws.isCut || purls.isCut,
    tampered: held.tampered,
    golden: held.golden,
    labels: held.labels,
    base: {
      ...{ state: standing.state, reference: standing.reference, public: standing.public, pinned: standing.pinned },
    },
  };
}

function linesOf(names: readonly string[]): { readonly text: string; readonly isCut: boolean } {
  const all = new Set(names);
  all.delete("");
  const whole = [...all].filter((name) => !name.includes("\n"));
  return { text: whole.slice(0, MAX_NAMES).join("\n"), isCut: all.size > Math.min(whole.length, MAX_NAMES) };
}

/** Of what nobody has taken on. Of an image with more findings than are looked at, its own counts, taken on or not. */
function countsOf(
  findings: readonly ImageFinding[],
  { counts }: ImageItem,
  isCut: boolean,
): Readonly<Record<FactCount, number>> {
  const count = (is: (finding: ImageFinding) => boolean) => findings.filter(is).length;
  const flaw = (finding: ImageFinding) => finding.kind === "vulnerability";
  const fixed = ({ fixedVersion = "" }: ImageFinding) => fixedVersion !== "";
  const own = {
    critical: count((each) => flaw(each) && each.severity === "critical"),
    high: count((each) => flaw(each) && each.severity === "high"),
    medium: count((each) => flaw(each) && each.severity === "medium"),
    low: count((each) => flaw(each) && each.severity === "low"),
    other: count((each) => flaw(each) && (each.severity === "negligible" || each.severity === "unknown")),
    exploited: count((each) => flaw(each) && each.exploited),
    fixable: count((each) => flaw(each) && fixed(each)),
    fixableCritical: count((each) => flaw(each) && fixed(each) && each.severity === "critical"),
    fixableHigh: count((each) => flaw(each) && fixed(each) && each.severity === "high"),
    secrets: count(({ kind }) => kind === "secret"),
    malware: count(({ kind }) => kind === "malware" || kind === "webshell"),
    misconfigurations: count(({ kind }) => kind === "misconfiguration"),
  };
  if (!isCut) return own;
  const { baseCritical: _critical, baseHigh: _high, ...stored } = counts;
  return { ...own, ...stored };
}

function told(finding: ImageFinding, instructions: readonly string[]): FactFinding {
  const { id, kind, severity, layer, origin, exploited } = finding;
  const { name = "", version = "", purl = "" } = finding.package ?? {};
  return {
    ...{ id, kind, severity, layer, origin, exploited, purl },
    title: finding.title.slice(0, MAX_TEXT),
    package: name,
    version,
    fixedVersion: finding.fixedVersion ?? "",
    path: finding.path.slice(0, MAX_TEXT),
    createdBy: (instructions[layer] ?? "").slice(0, MAX_TEXT),
    advice: finding.advice.slice(0, MAX_TEXT),
  };
}

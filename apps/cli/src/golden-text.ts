import { columns } from "./columns.ts";
import { counted } from "./counted.ts";

/** Rows of one list that are shown; --format json has all. */
const SHOWN = 50;

interface Violation {
  readonly rule: string;
  readonly level: string;
  readonly message: string;
}

export interface Golden {
  readonly id: number;
  readonly repository: { readonly id: number; readonly name: string; readonly registry: string };
  readonly digest: string;
  readonly purpose: string;
  readonly owner: { readonly name: string } | null;
  readonly state: string;
  readonly proposedBy: { readonly name: string };
  readonly approvedBy: { readonly name: string } | null;
  readonly successor: { readonly registry: string; readonly repository: string } | null;
  readonly reason: string;
  readonly latest: { readonly tag: string; readonly publishedAt: string } | null;
  readonly consumers: number;
}

export interface Detail {
  readonly golden: Golden;
  readonly versions: readonly {
    readonly id: number;
    readonly tag: string;
    readonly platform: string;
    readonly state: string;
    readonly publishedAt: string;
    readonly description: string;
    readonly consumers: number;
  }[];
  readonly candidates: readonly {
    readonly tag: string;
    readonly platform: string;
    readonly versionId: number | null;
    readonly passed: boolean | null;
    readonly violations: readonly Violation[];
  }[];
  readonly consumers: readonly { readonly name: string; readonly images: number; readonly repositories: number }[];
}

interface Change {
  readonly type: string;
  readonly name: string;
  readonly from: string;
  readonly to: string;
}
interface Flaw {
  readonly id: string;
  readonly severity: string;
  readonly package: string;
}

export interface Diff {
  readonly from: { readonly tag: string } | null;
  readonly to: { readonly tag: string; readonly description: string };
  readonly added: readonly Change[];
  readonly removed: readonly Change[];
  readonly changed: readonly Change[];
  readonly findingsGone: readonly Flaw[];
  readonly findingsNew: readonly Flaw[];
}

interface Base {
  readonly image: {
    readonly reference: string;
    readonly risk: number;
    readonly sizeBytes: number;
    readonly counts: { readonly critical: number; readonly high: number };
  };
}

export interface Advice {
  readonly present: { readonly reference: string; readonly golden: string | null } | null;
  readonly fitting: readonly Base[];
  readonly refused: readonly {
    readonly base: Base;
    readonly misfits: readonly { readonly what: string; readonly needed: string; readonly found: string }[];
  }[];
}

export interface Check {
  readonly passed: boolean;
  readonly base: { readonly state: string; readonly reference: string; readonly layers: number };
  readonly violations: readonly Violation[];
}

const nameOf = ({ repository: { registry, name } }: Golden) => `${registry}/${name}`;
const dayOf = (time: string) => time.slice(0, "2026-01-01".length);

export const tableOf = {
  list: (items: readonly Golden[]): readonly string[] =>
    items.length === 0
      ? ["There are no golden images."]
      : columns(
          items.map((golden) => [
            ...[String(golden.id), nameOf(golden), golden.state, golden.latest?.tag ?? ""],
            ...[golden.owner?.name ?? "nobody", String(golden.consumers), golden.purpose],
          ]),
          ["ID", "GOLDEN IMAGE", "STATE", "LATEST", "OWNER", "IMAGES ON IT", "PURPOSE"],
        ),
};

export const textOf = { detail, diff, advice, check };

function detail({ golden, versions, candidates, consumers }: Detail): readonly string[] {
  const { state, purpose, owner, proposedBy, approvedBy, reason, successor } = golden;
  const waiting = candidates.filter(({ versionId }) => versionId === null);
  return [
    `${nameOf(golden)} (${golden.id}) is ${state}: ${purpose}`,
    `owner ${owner?.name ?? "nobody"}, proposed by ${proposedBy.name}, approved by ${approvedBy?.name ?? "nobody yet"}`,
    ...(reason === "" ? [] : [`reason: ${reason}`]),
    ...(successor === null ? [] : [`use ${successor.registry}/${successor.repository} instead`]),
    ...section(
      versions.map((version) => [
        ...[String(version.id), version.tag, version.platform, version.state, dayOf(version.publishedAt)],
        ...[String(version.consumers), version.description],
      ]),
      ["VERSION", "TAG", "PLATFORM", "STATE", "PUBLISHED", "IMAGES ON IT", "CHANGES"],
    ),
    ...section(
      waiting.map(({ tag, platform, passed, violations }) => [tag, platform, verdictOf(passed), rulesOf(violations)]),
      ["NOT PUBLISHED", "PLATFORM", "RULES", "BROKEN"],
    ),
    ...section(
      consumers.map(({ name, images, repositories }) => [
        name === "" ? "nobody" : name,
        String(images),
        String(repositories),
      ]),
      ["OWNER OF IMAGES ON IT", "IMAGES", "REPOSITORIES"],
    ),
  ];
}

function diff({ from, to, added, removed, changed, findingsGone, findingsNew }: Diff): readonly string[] {
  if (from === null) return [`${to.tag} is the first version: ${to.description}`];
  const flaws = (list: readonly Flaw[]) => list.map(({ id, severity, package: name }) => [id, severity, name]);
  return [
    `${from.tag} → ${to.tag}: ${to.description}`,
    `packages: ${added.length} added, ${removed.length} removed, ${changed.length} changed; vulnerabilities: ${findingsGone.length} gone, ${findingsNew.length} new`,
    ...section(
      [...added, ...removed, ...changed].map(({ type, name, from: old, to: now }) => [`${type}/${name}`, old, now]),
      ["PACKAGE", "BEFORE", "NOW"],
    ),
    ...section(flaws(findingsGone), ["GONE", "SEVERITY", "PACKAGE"]),
    ...section(flaws(findingsNew), ["NEW", "SEVERITY", "PACKAGE"]),
  ];
}

function advice({ present, fitting, refused }: Advice): readonly string[] {
  const now =
    present === null
      ? "It stands on nothing that is known."
      : `It stands on ${present.reference}, which is ${present.golden ?? "not golden"}.`;
  return [
    now,
    ...(fitting.length === 0 ? ["No golden image brings what it needs."] : []),
    ...section(
      fitting.map(({ image: { reference, counts, sizeBytes } }) => [
        ...[reference, String(counts.critical), String(counts.high), `${Math.ceil(sizeBytes / 1_000_000)} MB`],
      ]),
      ["BEST FIRST", "CRITICAL", "HIGH", "SIZE"],
    ),
    ...section(
      refused.map(({ base, misfits }) => [base.image.reference, misfits.slice(0, 5).map(misfitOf).join("; ")]),
      ["WILL NOT DO", "WHY"],
    ),
  ];
}

function misfitOf({ what, needed, found }: Advice["refused"][number]["misfits"][number]): string {
  return `${what} ${needed} is needed${found === "" ? "" : `, it has ${found}`}`;
}

function check({ passed, base, violations }: Check): readonly string[] {
  const { state, reference, layers } = base;
  const stands =
    state === "none"
      ? "nothing that is known is below it"
      : `it stands on ${reference} (${state}, ${counted(layers, "layer")})`;
  return [
    `${passed ? "passed" : "refused"}: ${stands}`,
    ...violations.map(({ level, rule, message }) => `${level === "warn" ? "warning " : ""}${rule}: ${message}`),
  ];
}

function section(rows: readonly (readonly string[])[], head: readonly string[]): readonly string[] {
  if (rows.length === 0) return [];
  const more = rows.length > SHOWN ? [`and ${rows.length - SHOWN} more; --format json has all`] : [];
  return ["", ...columns(rows.slice(0, SHOWN), head), ...more];
}

function verdictOf(passed: boolean | null): string {
  if (passed === null) return "not assessed";
  return passed ? "pass" : "break";
}

function rulesOf(violations: readonly Violation[]): string {
  return violations
    .filter(({ level }) => level === "deny")
    .map(({ rule }) => rule)
    .join(", ");
}

import { type Finding, type Image, type Origin, type ScanReport, SEVERITIES, type Severity } from "@bulwark/model";
import type { ReportFormat } from "./format.ts";
import { type FixGroup, groupByFix } from "./grouping.ts";
import { visible } from "./visible.ts";

const MIN_COLUMNS = 60;
const MAX_COLUMNS = 160;
const PROBLEMS_SHOWN = 20;
/** Findings of one package that are listed; the rest is counted. */
const FINDINGS_SHOWN = 8;
const ADVICE_SHOWN = 2;
const MIB = 1024 * 1024;

type Paint = (style: Style, text: string) => string;
type Style = Severity | "bold" | "dim" | "good" | "bad";

const SGR: Readonly<Record<Style, string>> = {
  critical: "97;41",
  high: "91",
  medium: "33",
  low: "36",
  negligible: "90",
  unknown: "90",
  bold: "1",
  dim: "2",
  good: "32",
  bad: "31",
};

/** For people at a terminal: grouped by base and own layers, then by what has to be changed. */
export const table: ReportFormat = {
  id: "table",
  render({ report, terminal }) {
    const columns = Math.max(MIN_COLUMNS, Math.min(terminal.columns, MAX_COLUMNS));
    const paint: Paint = terminal.colour
      ? (style, text) => `\u001b[${SGR[style]}m${text}\u001b[0m`
      : (_style, text) => text;
    const lines = [
      ...header(report, paint, columns),
      ...section("base", report, paint, columns),
      ...section("own", report, paint, columns),
      ...footer(report, paint, columns),
    ];
    return `${lines.join("\n")}\n`;
  },
};

function header(report: ScanReport, paint: Paint, columns: number): string[] {
  const { image, packages, database, scanners = ["vuln"] } = report;
  const os = image.os === null ? "no operating system recognised" : visible(image.os.name);
  const size = image.size > 0 ? `, ${(image.size / MIB).toFixed(1)} MiB` : "";
  const facts = `${os}, ${image.platform || "platform unknown"}, ${image.layers.length} ${image.layers.length === 1 ? "layer" : "layers"}${size}, ${packages.length} packages`;
  const told = image.kind === "source" ? `source tree, ${packages.length} packages` : facts;
  const styled = (style: Style, text: string) => wrap(text, columns).map((line) => paint(style, line));
  if (image.layers.length === 0 && packages.length === 0 && database === null)
    return styled("bold", visible(image.reference));
  return [
    ...styled("bold", visible(image.reference)),
    ...wrap(told, columns),
    ...(image.base === null ? [] : wrap(baseLine(image), columns)),
    ...signatureLines(report, columns),
    ...(!scanners.includes("vuln")
      ? styled("dim", "Flaws of packages were not looked for.")
      : database !== null && !database.seedOnly
        ? styled("dim", `${database.records} advisories, built ${database.built}`)
        : styled("bad", databaseWarning(database))),
  ];
}

function signatureLines({ signatures = [] }: ScanReport, columns: number): string[] {
  return signatures.flatMap(({ rule, identity, issuer, predicateType }) => {
    const by = identity === "" ? "with the rule's key" : `by ${identity}, on the word of ${issuer}`;
    const what = predicateType === "" ? "signed" : `attested (${predicateType})`;
    return wrap(visible(`${what} ${by}: ${rule}`), columns);
  });
}

function databaseWarning(database: ScanReport["database"]): string {
  if (database === null) return "No advisory database: packages were listed, not judged.";
  return `Only the shipped seed of ${database.records} landmark advisories was used. For all of them: bulwark db update`;
}

const HOW: Readonly<Record<NonNullable<Image["base"]>["how"], string>> = {
  flag: "as given",
  annotation: "by its annotation",
  history: "by the build history",
  "os-layer": "up to the layer that brings the operating system",
  layers: "by its chain of layers",
};

function baseLine({ base, layers }: Image): string {
  if (base === null) return "";
  const count = layers.filter(({ origin }) => origin === "base").length;
  const name = base.reference === "" ? "unnamed" : visible(base.reference);
  return `base: ${name}, the lowest ${count} of ${layers.length} layers (${HOW[base.how]})`;
}

function section(origin: Origin, report: ScanReport, paint: Paint, columns: number): string[] {
  const groups = groupByFix(report.findings.filter((finding) => finding.origin === origin));
  if (groups.length === 0) return [];
  const own = report.image.kind === "source" ? "In the tree" : "From own layers";
  const title = origin === "base" ? "From the base image" : own;
  const lines = ["", `${paint("bold", title)}: ${countLine(report.summary.byOrigin[origin], paint)}`];
  for (const group of groups) lines.push("", ...groupLines(group, report.image, paint, columns));
  return lines;
}

function groupLines(group: FixGroup, image: Image, paint: Paint, columns: number): string[] {
  const name = paint("bold", `${visible(group.name)} ${visible(group.version)}`.trimEnd());
  const createdBy = visible((image.layers[group.layer]?.createdBy ?? "").replace(/\s+/g, " "));
  const isLayer = image.kind !== "source" && group.layer >= 0;
  const place = [group.path, ...(isLayer ? [`layer ${group.layer}`, createdBy] : [])].map(visible);
  const told = place.filter((part) => part !== "");
  const lines = [`  ${name}`];
  if (told.length > 0) lines.push(`  ${paint("dim", cut(told.join(" · "), columns - 2))}`);
  for (const finding of group.findings.slice(0, FINDINGS_SHOWN)) lines.push(findingLine(finding, paint, columns));
  const more = group.findings.length - FINDINGS_SHOWN;
  if (more > 0) lines.push(`    ${paint("dim", `and ${more} more; --format json lists all`)}`);
  const advice = [...new Set(group.findings.map((finding) => finding.advice))];
  for (const sentence of advice.slice(0, ADVICE_SHOWN)) {
    lines.push(...wrap(`→ ${visible(sentence)}`, columns - 4).map((line) => `    ${line}`));
  }
  return lines;
}

function findingLine(finding: Finding, paint: Paint, columns: number): string {
  const severity = finding.severity.toUpperCase().padEnd(10);
  if (finding.kind !== "vulnerability") return contentLine(finding, severity, paint, columns);
  const marks = [
    finding.kev === undefined ? "" : "exploited",
    finding.epss === undefined ? "" : `EPSS ${(finding.epss.score * 100).toFixed(1)} %`,
  ].filter((mark) => mark !== "");
  const fix = finding.fixedVersion ? `fixed in ${visible(finding.fixedVersion)}` : "no fix";
  const head = cut(`${visible(finding.id).padEnd(16)} ${[fix, ...marks].join(", ")}`, columns - 15);
  const room = columns - 4 - 11 - head.length - 2;
  const title = room >= 12 ? `  ${cut(visible(finding.title), room)}` : "";
  return `    ${paint(finding.severity, severity)} ${head}${paint("dim", title)}`;
}

/** What was found in a file or in settings: where in the file, what it is, and what was seen. */
function contentLine(finding: Finding, severity: string, paint: Paint, columns: number): string {
  const { line, evidence, title, path, package: subject } = finding;
  const seen = evidence?.detail ?? "";
  const place = evidence?.foundBy === "image-config" && path !== undefined && seen === "" ? path : "";
  const removed = evidence?.removedIn === undefined ? "" : `removed in layer ${evidence.removedIn}`;
  const words = [line === undefined ? "" : `line ${line}`, title, subject === undefined ? seen : "", place, removed];
  const text = words.filter((word) => word !== "").map(visible);
  return `    ${paint(finding.severity, severity)} ${cut(text.join(" · "), columns - 15)}`;
}

function footer(report: ScanReport, paint: Paint, columns: number): string[] {
  const { findings, suppressed, problems, verdict, summary } = report;
  const lines = ["", findings.length === 0 ? noFindings(report) : `Total: ${countLine(summary, paint)}`];
  if (suppressed.length > 0)
    lines.push(...wrap(`${suppressed.length} suppressed: ${suppressionSources(report)}`, columns));
  if (problems.length > 0) {
    lines.push("", paint("bad", `The report is not complete, ${problems.length} problems:`));
    for (const { path, layer, what } of problems.slice(0, PROBLEMS_SHOWN)) {
      const place = [path, layer >= 0 && report.image.kind !== "source" ? `layer ${layer}` : ""]
        .filter((part) => part !== "")
        .join(", ");
      lines.push(
        ...wrap(`- ${visible(what)}${place === "" ? "" : ` (${visible(place)})`}`, columns - 2).map(
          (line) => `  ${line}`,
        ),
      );
    }
    if (problems.length > PROBLEMS_SHOWN)
      lines.push(`  and ${problems.length - PROBLEMS_SHOWN} more; --format json lists all`);
  }
  lines.push("");
  if (verdict.passed) lines.push(paint("good", "PASSED: no policy is violated"));
  else
    lines.push(
      paint("bad", "REFUSED"),
      ...verdict.violations.flatMap((each) => wrap(violationLine(each), columns - 2).map((line) => `  ${line}`)),
    );
  return lines;
}

function noFindings({ database, packages, scanners = ["vuln"] }: ScanReport): string {
  const content = scanners.filter((scanner) => scanner !== "vuln");
  const flaws = scanners.includes("vuln") && database !== null;
  if (content.length > 0) {
    const also = flaws && packages.length === 0 ? " There are no packages whose flaws could be judged." : "";
    return `No findings.${also}`;
  }
  if (!flaws) return "Nothing was judged.";
  return packages.length === 0 ? "No packages were found, so nothing was judged." : "No findings.";
}

function violationLine({ policy, rule, message }: ScanReport["verdict"]["violations"][number]): string {
  return `${visible(policy)}/${visible(rule)}: ${visible(message)}`;
}

function suppressionSources({ suppressed }: ScanReport): string {
  const names = { vex: "VEX", waiver: "waiver", comment: "comment", policy: "policy", analyser: "in" };
  const sources = new Set(suppressed.map(({ by, source }) => `${names[by]} ${visible(source)}`));
  return [...sources].join("; ");
}

function countLine(counts: Readonly<Record<Severity, number>>, paint: Paint): string {
  const parts = SEVERITIES.filter((severity) => counts[severity] > 0);
  return parts.map((severity) => paint(severity, `${counts[severity]} ${severity}`)).join(", ");
}

function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

/** Breaks a text at blanks; words longer than a line are broken too. Lines after the first are indented. */
function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((long) => long.match(new RegExp(`.{1,${room - 2}}`, "gsu")) ?? [""])) {
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

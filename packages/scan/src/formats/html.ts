import { createHash } from "node:crypto";
import { type Finding, type Image, type ScanReport, SEVERITIES } from "@bulwark/model";
import type { RenderInput, ReportFormat } from "./format.ts";
import { SCRIPT, STYLE } from "./html-style.ts";
import { type Markup, markup, Markup as Trusted } from "./html-text.ts";
import { visible } from "./visible.ts";

const MIB = 1024 * 1024;

/** One self-contained page: no address is loaded, and nothing out of the image can run in it. */
export const html: ReportFormat = { id: "html", render: (input) => `<!doctype html>\n${page(input).text}\n` };

function page({ report, toolVersion, now }: RenderInput): Markup {
  const hash = createHash("sha256").update(SCRIPT).digest("base64");
  const guard = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  return markup`<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${guard}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${visible(report.image.reference)} · Bulwark</title>
<style>${new Trusted(STYLE)}</style></head><body>
${heading(report)}
${counts(report)}
${layers(report.image)}
${findings(report)}
${suppressed(report)}
${problems(report)}
<p class="faint">Bulwark ${toolVersion}, ${now}. ${report.packages.length} packages were found.</p>
<script>${new Trusted(SCRIPT)}</script></body></html>`;
}

function heading({ image, verdict, database }: ScanReport): Markup {
  const none = image.kind === "source" ? "source tree" : "no operating system recognised";
  const os = image.os === null ? none : visible(image.os.name);
  const verdictMark = verdict.passed
    ? markup`<div class="verdict passed">Passed</div>`
    : markup`<div class="verdict refused">Refused</div><ul>${verdict.violations.map(
        ({ policy, rule, message }) => markup`<li><span class="mono">${policy}/${rule}</span>: ${message}</li>`,
      )}</ul>`;
  return markup`<h1>${visible(image.reference)}</h1>
<div class="faint mono">${image.digest}</div>
<div class="faint">${os} · ${image.platform || "platform unknown"} · ${(image.size / MIB).toFixed(1)} MiB · created ${image.created || "at an unknown time"}</div>
${verdictMark}${databaseNotice(database)}`;
}

function databaseNotice(database: ScanReport["database"]): Markup {
  if (database === null)
    return markup`<div class="notice">No advisory database: packages were listed, not judged.</div>`;
  if (!database.seedOnly)
    return markup`<div class="faint">${database.records} advisories, built ${database.built}</div>`;
  return markup`<div class="notice">Only the shipped seed of ${database.records} landmark advisories was used. For all of them run <span class="mono">bulwark db update</span>.</div>`;
}

function counts({ summary, database, scanners = ["vuln"] }: ScanReport): Markup {
  if (database === null && scanners.every((scanner) => scanner === "vuln")) return markup``;
  const cards = SEVERITIES.map(
    (severity) => markup`<div class="card"><b class="${severity}">${summary[severity]}</b>${severity}
<div class="faint">base ${summary.byOrigin.base[severity]} · own ${summary.byOrigin.own[severity]}</div></div>`,
  );
  return markup`<div class="cards">${cards}</div>`;
}

function layers({ layers: all, base }: Image): Markup {
  if (all.length === 0) return markup``;
  const bar = all.map(
    ({ index, size, origin, createdBy }) =>
      markup`<span class="${origin}" style="flex:${Math.max(size, 1)}" title="layer ${index}, ${origin}: ${visible(createdBy)}"></span>`,
  );
  const rows = all.map(
    ({ index, origin, size, createdBy, diffId }) => markup`<tr><td>${index}</td><td>${origin}</td>
<td>${(size / MIB).toFixed(1)} MiB</td><td class="mono">${visible(createdBy)}</td><td class="mono faint">${diffId}</td></tr>`,
  );
  const name =
    base === null
      ? "not recognised"
      : base.reference === ""
        ? `unnamed (${base.how})`
        : `${base.reference} (${base.how})`;
  return markup`<h2>Layers</h2><p>Base image: ${visible(name)}</p><div class="layers">${bar}</div>
<details><summary>All ${all.length} layers</summary><div class="scroll"><table><thead><tr><th>Layer</th><th>Origin</th><th>Size</th><th>Created by</th><th>diffID</th></tr></thead>
<tbody>${rows}</tbody></table></div></details>`;
}

function findings({ findings: all, database, packages, scanners = ["vuln"] }: ScanReport): Markup {
  if (all.length === 0) {
    const looked = (database !== null && packages.length > 0) || scanners.some((scanner) => scanner !== "vuln");
    return markup`<h2>Findings</h2><p>${looked ? "None." : "Nothing was judged."}</p>`;
  }
  const options = SEVERITIES.map((severity) => markup`<option>${severity}</option>`);
  const kinds = [...new Set(all.map(({ kind }) => kind))].sort().map((kind) => markup`<option>${kind}</option>`);
  return markup`<h2>Findings</h2><div class="filters"><input id="text" type="search" placeholder="Filter by package, flaw, path…" aria-label="Filter">
<select id="severity" aria-label="Severity"><option value="">all severities</option>${options}</select>
<select id="kind" aria-label="Kind"><option value="">all kinds</option>${kinds}</select>
<select id="origin" aria-label="Origin"><option value="">base and own</option><option>base</option><option>own</option></select></div>
<div class="scroll"><table id="findings"><thead><tr><th>Severity</th><th>Finding</th><th>Package</th><th>Fixed in</th><th>Where</th><th>What to do</th></tr></thead>
<tbody>${all.map(findingRow)}</tbody></table></div>`;
}

function findingRow(finding: Finding): Markup {
  const { kev, epss, evidence } = finding;
  const isFlaw = finding.kind === "vulnerability";
  const seen =
    isFlaw || evidence?.detail === undefined
      ? markup``
      : markup`<br><span class="mono faint">${visible(evidence.detail)}</span>`;
  const marks = [
    ...(isFlaw ? [] : [markup` <span class="tag">${finding.kind}</span>`]),
    ...(evidence?.removedIn === undefined
      ? []
      : [markup` <span class="tag">removed in layer ${evidence.removedIn}</span>`]),
    ...(kev === undefined ? [] : [markup` <span class="tag bad critical">exploited</span>`]),
    ...(epss === undefined ? [] : [markup` <span class="tag">EPSS ${(epss.score * 100).toFixed(1)} %</span>`]),
  ];
  return markup`<tr data-severity="${finding.severity}" data-kind="${finding.kind}" data-origin="${finding.origin}"><td class="${finding.severity}"><b>${finding.severity}</b></td>
<td><span class="mono">${visible(finding.id)}</span>${marks}<br>${visible(finding.title)}${seen}</td>
<td>${visible(finding.package?.name ?? "")}<br><span class="faint">${visible(finding.package?.version ?? "")}</span></td>
<td>${visible(finding.fixedVersion || (isFlaw ? "none yet" : ""))}</td>
<td>${finding.layer < 0 ? "" : `layer ${finding.layer}, ${finding.origin}`}<br><span class="mono faint">${visible(placeOf(finding))}</span></td>
<td>${visible(finding.advice)}</td></tr>`;
}

function placeOf({ path = "", line }: Finding): string {
  return line === undefined ? path : `${path}:${line}`;
}

function suppressed({ suppressed: all }: ScanReport): Markup {
  if (all.length === 0) return markup``;
  const rows = all.map(
    ({
      finding,
      by,
      source,
      reason,
      until,
    }) => markup`<tr><td class="mono">${visible(finding.id)}</td><td>${visible(finding.package?.name ?? "")}</td>
<td>${by}: ${visible(source)}</td><td>${visible(reason)}</td><td>${until || "no end"}</td></tr>`,
  );
  return markup`<h2>Suppressed</h2><div class="scroll"><table><thead><tr><th>Flaw</th><th>Package</th><th>By</th><th>Reason</th><th>Until</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function problems({ problems: all }: ScanReport): Markup {
  if (all.length === 0) return markup``;
  const rows = all.map(
    ({ what, path, layer }) =>
      markup`<tr><td>${visible(what)}</td><td class="mono">${visible(path)}</td><td>${layer < 0 ? "" : `layer ${layer}`}</td></tr>`,
  );
  return markup`<h2>Not read or not judged</h2><div class="notice">The report is not complete.</div>
<div class="scroll"><table><thead><tr><th>What</th><th>Path</th><th>Layer</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

import type { Story, StoryEdge, StoryNode } from "./story.ts";
import { storyTime, treeOf } from "./story-text.ts";

const ROW = 44;
const INDENT = 36;
const BOX_WIDTH = 220;
const BOX_HEIGHT = 30;
const GAP = 180;
const LABEL_LENGTH = 30;
/** As much as fits between processes and what they touched. */
const EDGE_LABEL_LENGTH = 26;

const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --text: #1c2430; --soft: #5d6b7e; --line: #c9d1dc; --box: #f3f5f8;
  --critical: #b3132b; --high: #c2510c; --medium: #8a6100; --low: #2c6a9e; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161c; --text: #e4e9f0; --soft: #98a5b8; --line: #38424f;
  --box: #1c232c; --critical: #ff7b89; --high: #ffa05c; --medium: #e6bd4a; --low: #7fbdf0; } }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; } p { color: var(--soft); }
ol { list-style: none; padding: 0; border-left: 2px solid var(--line); }
li { padding: 0 0 1rem 1rem; } time, small { color: var(--soft); font-size: 13px; }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.tactics span { display: inline-block; border: 1px solid var(--line); border-radius: 4px; padding: 0 .5rem; margin: 0 .3rem .3rem 0; }
.critical { color: var(--critical); } .high { color: var(--high); } .medium { color: var(--medium); }
.low, .negligible, .unknown { color: var(--low); }
.graph { overflow-x: auto; } svg { font: 12px system-ui, sans-serif; }
svg rect { fill: var(--box); stroke: var(--line); } svg text { fill: var(--text); }
svg path { fill: none; stroke: var(--line); } svg .what { fill: var(--soft); font-size: 11px; stroke: var(--ground); stroke-width: 4px; paint-order: stroke; }
svg .told rect { stroke: currentColor; stroke-width: 2; }
`;

/** As text or as the value of an attribute in double quotes (HTML Living Standard, section 13.3). */
function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => names[character] ?? "");
}

/**
 * The story as one HTML file that needs nothing else: no script, no request, light and dark. Every text out of events
 * is escaped, and the page forbids scripts besides.
 */
export function storyHtml(story: Story): string {
  const title = escaped(`Attack story of ${story.title}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
<p>${escaped(story.image)} ${escaped(story.containerId.slice(0, 12))}<br>${storyTime(story.fromUs)} to ${storyTime(story.untilUs)} UTC</p>
<div class="tactics">${story.tactics.map((tactic) => `<span>${escaped(tactic.replaceAll("-", " "))}</span>`).join("")}</div>
<h2>Steps</h2>
<ol>
${story.steps.map(stepHtml).join("\n")}
</ol>
<h2>Who did what</h2>
<div class="graph">${storySvg(story)}</div>
${story.leftOut > 0 ? `<p>${story.leftOut} more files and connections are left out.</p>` : ""}
</body>
</html>
`;
}

function stepHtml({ timeUs, severity, tactic, techniques, rule, text, advice }: Story["steps"][number]): string {
  const attack = [tactic?.replaceAll("-", " ") ?? "", ...techniques.map(({ id, name }) => `${id} ${name}`.trim())];
  return `<li><time>${storyTime(timeUs)}</time> <strong class="${severity}">${escaped(severity)}</strong> ${escaped(rule)}
<br><small>${escaped(attack.filter((part) => part !== "").join(" · "))}</small><br><code>${escaped(text)}</code>${
    advice === "" ? "" : `<br><small>${escaped(advice)}</small>`
  }</li>`;
}

interface Spot {
  readonly node: StoryNode;
  readonly x: number;
  readonly y: number;
}

/**
 * The graph alone, as SVG: processes as a tree on the left, what they touched in a column on the right.
 */
export function storySvg(story: Story): string {
  const tree = treeOf(story);
  const spots = new Map<string, Spot>();
  tree.forEach(({ node, depth }, row) => {
    spots.set(node.id, { node, x: 10 + depth * INDENT, y: 10 + row * ROW });
  });
  const deepest = Math.max(0, ...tree.map(({ depth }) => depth));
  const right = 10 + deepest * INDENT + BOX_WIDTH + GAP;
  let row = 0;
  for (const node of story.nodes) {
    if (!spots.has(node.id)) spots.set(node.id, { node, x: right, y: 10 + row++ * ROW });
  }
  const touched = story.edges.filter(({ what }) => what !== "started");
  const height = 20 + Math.max(tree.length, row) * ROW;
  const width = right + BOX_WIDTH + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="processes, files and connections">
${story.edges.map((edge) => edgeSvg(edge, spots)).join("\n")}
${[...spots.values()].map(nodeSvg).join("\n")}
${[...Map.groupBy(touched, ({ to }) => to)].map(([to, edges]) => labelSvg(edges, spots.get(to), right)).join("\n")}
</svg>`;
}

function nodeSvg({ node, x, y }: Spot): string {
  const label = node.label.length > LABEL_LENGTH ? `${node.label.slice(0, LABEL_LENGTH)}…` : node.label;
  const told = node.severity === null ? "" : ` class="told ${node.severity}"`;
  const round = node.kind === "process" ? 4 : 15;
  const detail = [node.kind, node.label, node.detail, ...node.rules].filter((part) => part !== "").join("\n");
  return `<g${told}><title>${escaped(detail)}</title><rect x="${x}" y="${y}" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="${round}"/><text x="${x + 10}" y="${y + 19}">${escaped(label)}</text></g>`;
}

function edgeSvg({ from, to, what }: StoryEdge, spots: ReadonlyMap<string, Spot>): string {
  const a = spots.get(from);
  const b = spots.get(to);
  if (a === undefined || b === undefined) return "";
  const middle = BOX_HEIGHT / 2;
  if (what === "started") return `<path d="M${a.x + 14} ${a.y + BOX_HEIGHT}V${b.y + middle}H${b.x}"/>`;
  const start = a.x + BOX_WIDTH;
  const bend = (start + b.x) / 2;
  return `<path d="M${start} ${a.y + middle}C${bend} ${a.y + middle} ${bend} ${b.y + middle} ${b.x} ${b.y + middle}"/>`;
}

/**
 * What was done to a thing, once, however many did it, and no longer than the room beside it. Things stand on the right, with room on
 * their left; processes stand in the tree, with room on their right.
 */
function labelSvg(edges: readonly StoryEdge[], spot: Spot | undefined, right: number): string {
  if (spot === undefined) return "";
  const counts = new Map<string, number>();
  for (const { what, count } of edges) counts.set(what, (counts.get(what) ?? 0) + count);
  const text = [...counts].map(([what, count]) => (count > 1 ? `${what} ×${count}` : what)).join(" · ");
  const shown = text.length > EDGE_LABEL_LENGTH ? `${text.slice(0, EDGE_LABEL_LENGTH - 1)}…` : text;
  const isInTree = spot.x < right;
  const place = isInTree
    ? `x="${spot.x + BOX_WIDTH + 6}" y="${spot.y + BOX_HEIGHT - 2}"`
    : `x="${spot.x - 6}" y="${spot.y + BOX_HEIGHT / 2 - 4}" text-anchor="end"`;
  return `<text class="what" ${place}><title>${escaped(text)}</title>${escaped(shown)}</text>`;
}

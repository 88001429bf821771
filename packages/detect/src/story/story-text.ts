import type { Story, StoryNode } from "./story.ts";

/** A time as people compare it with their logs: UTC, to the millisecond. */
export function storyTime(timeUs: number): string {
  const date = new Date(timeUs / 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace("T", " ").replace("Z", "");
}

/** The story as plain text: what happened step by step, then who started whom. */
export function storyText(story: Story): string {
  const lines = [
    `Attack story of ${story.title}${story.image === "" ? "" : ` (${story.image})`}`,
    `${storyTime(story.fromUs)} to ${storyTime(story.untilUs)} UTC, ${story.steps.length} steps`,
    "",
    ...story.steps.map(({ timeUs, severity, tactic, techniques, rule, text }) => {
      const attack = [tactic ?? "", ...techniques.map(({ id }) => id)].filter((part) => part !== "").join(" ");
      return `${storyTime(timeUs)}  ${severity.padEnd(10)} ${attack === "" ? "" : `[${attack}] `}${rule}\n    ${text}`;
    }),
    "",
    "Processes",
    ...processLines(story),
  ];
  const others = story.edges.filter(({ what }) => what !== "started");
  const labels = new Map(story.nodes.map((node) => [node.id, node.label]));
  if (others.length > 0) lines.push("", "What they did");
  for (const { from, to, what, count } of others) {
    lines.push(`  ${labels.get(from)} ${what} ${labels.get(to)}${count > 1 ? ` (${count} times)` : ""}`);
  }
  if (story.leftOut > 0) lines.push("", `${story.leftOut} more files and connections are left out`);
  return `${lines.join("\n")}\n`;
}

function processLines(story: Story): readonly string[] {
  return treeOf(story).map(({ node, depth }) => {
    const mark = node.rules.length > 0 ? "!" : " ";
    return `${mark} ${"  ".repeat(depth)}${node.label}${node.detail === "" ? "" : `: ${node.detail}`}`;
  });
}

/** Containers, hosts and processes from the top down, with how deep each stands. */
export function treeOf({ nodes, edges }: Story): readonly { readonly node: StoryNode; readonly depth: number }[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const starts = edges.filter(({ what }) => what === "started");
  const children = Map.groupBy(starts, ({ from }) => from);
  const started = new Set(starts.map(({ to }) => to));
  const rows: { node: StoryNode; depth: number }[] = [];
  const seen = new Set<string>();
  const open = nodes
    .filter(({ id, kind }) => !started.has(id) && ["process", "container", "host"].includes(kind))
    .map(({ id }) => ({ id, depth: 0 }))
    .toReversed();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const node = byId.get(next.id);
    if (node === undefined || seen.has(next.id)) continue;
    seen.add(next.id);
    rows.push({ node, depth: next.depth });
    for (const { to } of (children.get(next.id) ?? []).toReversed()) open.push({ id: to, depth: next.depth + 1 });
  }
  return rows;
}

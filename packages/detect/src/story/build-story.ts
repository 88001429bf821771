import type { RuntimeContainer, RuntimeEvent, RuntimeProcess, Severity } from "@bulwark/model";
import { severityRank } from "@bulwark/model";
import type { Alert } from "../alert.ts";
import { TACTICS } from "../attack.ts";
import { ancestors, commandLineOf } from "../fields/process.ts";
import { visible } from "../output/visible.ts";
import type { Story, StoryEdge, StoryNode, StoryNodeKind, StoryStep } from "./story.ts";

/** Beyond it nobody reads a graph; what stood by is left out before what was told of. */
const MAX_NODES = 150;
const MAX_STEPS = 1000;
const MAX_TEXT = 300;
const O_ACCESS = 3;

interface OpenNode {
  readonly id: string;
  readonly kind: StoryNodeKind;
  label: string;
  detail: string;
  readonly firstUs: number;
  readonly rules: Set<string>;
  severity: Severity | null;
  uses: number;
}

/** Graph and names while events are put in. */
interface Draft {
  readonly nodes: Map<string, OpenNode>;
  readonly edges: Map<string, { from: string; to: string; what: string; firstUs: number; count: number }>;
  /** Events that are in it, with the thing that each is about. */
  readonly told: Map<RuntimeEvent, string | undefined>;
}

/**
 * Tells an attack: which processes, files and connections took part, how they follow from each other, and what the
 * rules said at each step. Processes that an alert is about, their ancestors and their descendants take part.
 *
 * @param events of the container and of its connections, in any order
 * @param alerts raised on some of them
 * @example const story = buildStory(events, alerts); writeFile("story.html", storyHtml(story));
 */
export function buildStory(events: readonly RuntimeEvent[], alerts: readonly Alert[]): Story {
  const told = alerts.toSorted((a, b) => a.timeUs - b.timeUs);
  const all = [...new Set([...events, ...told.map(({ event }) => event)])].toSorted((a, b) => a.timeUs - b.timeUs);
  const guilty = new Set(told.flatMap(({ event }) => (event.process === null ? [] : [processId(event.process)])));
  const involved = (process: RuntimeProcess | null): boolean =>
    process !== null && [process, ...ancestors(process)].some((each) => guilty.has(processId(each)));
  const draft: Draft = { nodes: new Map(), edges: new Map(), told: new Map() };
  for (const event of all) if (involved(event.process) && !isPreparation(event)) addEvent(draft, event);
  const steps = told.slice(0, MAX_STEPS).map((alert) => addAlert(draft, alert));
  return finished(draft, steps, all, told);
}

const RUNTIME = /\/(?:docker-)?(?:runc|crun|youki)$/;

/** Whether the runtime's helper did it, within the container, before it became the program that the story is about. */
function isPreparation({ type, container, process }: RuntimeEvent): boolean {
  if (container === null || process === null || type === "execve") return false;
  const { exe, parent } = process;
  // What runs on the node sees itself by its own number: no process of the container can pass for it.
  const isOfNode = parent !== null && parent.pid === parent.namespacePid && RUNTIME.test(parent.exe);
  return isOfNode && (exe === "/" || exe.startsWith("memfd:runc") || RUNTIME.test(exe));
}

function processId({ pid, startUs }: RuntimeProcess): string {
  return `process ${pid} ${startUs}`;
}

function shortened(text: string): string {
  const shown = visible(text.slice(0, MAX_TEXT + 1));
  return shown.length > MAX_TEXT ? `${shown.slice(0, MAX_TEXT)}…` : shown;
}

function addNode(
  draft: Draft,
  kind: StoryNodeKind,
  id: string,
  label: string,
  detail: string,
  timeUs: number,
): OpenNode {
  const known = draft.nodes.get(id);
  if (known !== undefined) {
    known.uses++;
    return known;
  }
  const node: OpenNode = {
    id,
    kind,
    label: shortened(label),
    detail: shortened(detail),
    firstUs: timeUs,
    rules: new Set(),
    severity: null,
    uses: 1,
  };
  draft.nodes.set(id, node);
  return node;
}

function addEdge(draft: Draft, from: string, to: string, what: string, { timeUs, count }: RuntimeEvent): void {
  const key = `${from}\u0000${to}\u0000${what}`;
  const edge = draft.edges.get(key);
  if (edge === undefined) draft.edges.set(key, { from, to, what, firstUs: timeUs, count });
  else edge.count += count;
}

/** The process with its ancestors, down from its container or the host. */
function addProcess(draft: Draft, process: RuntimeProcess, event: RuntimeEvent): OpenNode {
  const lineage = event.container === null ? [process, ...ancestors(process)] : withinContainer(process);
  let above = addPlace(draft, event.container, event.timeUs);
  for (const each of lineage.toReversed()) {
    const node = addNode(draft, "process", processId(each), each.name || each.exe, commandLineOf(each), event.timeUs);
    const key = `${above.id}\u0000${node.id}\u0000started`;
    if (!draft.edges.has(key)) addEdge(draft, above.id, node.id, "started", { ...event, count: 1 });
    above = node;
  }
  return above;
}

/**
 * The process and its ancestors up to the container's first: what stands above it is the runtime, on the node, whose ids
 * are the same from within and from without.
 */
function withinContainer(process: RuntimeProcess): readonly RuntimeProcess[] {
  const lineage = [process];
  for (const above of ancestors(process)) {
    const below = lineage.at(-1);
    if (below === undefined || below.namespacePid === 1) break;
    if (below.namespacePid !== below.pid && above.namespacePid === above.pid) break;
    lineage.push(above);
  }
  return lineage;
}

function addPlace(draft: Draft, container: RuntimeContainer | null, timeUs: number): OpenNode {
  if (container === null) return addNode(draft, "host", "host", "host", "", timeUs);
  const label = container.pod === "" ? container.name || container.id.slice(0, 12) : container.pod;
  return addNode(draft, "container", `container ${container.id}`, label, container.image, timeUs);
}

/** What everything writes to, and nothing is kept by. */
const NOTHING: ReadonlySet<string> = new Set(["/dev/null", "/dev/tty", "/dev/zero"]);
const ON_FILES: Readonly<Record<string, string>> = {
  creat: "wrote",
  unlink: "removed",
  rmdir: "removed",
  mkdir: "created",
  mknod: "created",
  chmod: "changed the mode of",
  chown: "changed the owner of",
  truncate: "emptied",
  write: "wrote",
  chroot: "moved its root to",
  setxattr: "changed attributes of",
  open_by_handle_at: "opened by handle",
};
const ON_TWO_FILES: Readonly<Record<string, string>> = {
  rename: "renamed to",
  link: "linked as",
  symlink: "linked as",
  mount: "mounted on",
  move_mount: "mounted on",
};
const ON_PEERS: Readonly<Record<string, string>> = {
  connect: "connected to",
  sendto: "sent to",
  flow: "talked to",
  accept: "was reached by",
  dup: "put its input and output on",
};

/** @returns the thing that the event is about, beside its process */
function addEvent(draft: Draft, event: RuntimeEvent): string | undefined {
  if (draft.told.has(event)) return draft.told.get(event);
  const id = event.process === null ? undefined : addDeed(draft, event, event.process);
  draft.told.set(event, id);
  return id;
}

function addDeed(draft: Draft, event: RuntimeEvent, doer: RuntimeProcess): string | undefined {
  const process = addProcess(draft, doer, event);
  if (event.type === "execve") {
    // It goes by the program that it has become.
    process.label = shortened(doer.name || doer.exe);
    process.detail = shortened(commandLineOf(doer));
  }
  const file = (path: string) => addNode(draft, "file", `file ${path}`, path, "", event.timeUs).id;
  const verb = event.type === "open" ? ((event.flags & O_ACCESS) === 0 ? "read" : "wrote") : ON_FILES[event.type];
  if (verb !== undefined && event.path !== "" && !NOTHING.has(event.path)) {
    const id = file(event.path);
    addEdge(draft, process.id, id, verb, event);
    return id;
  }
  const moved = ON_TWO_FILES[event.type];
  if (moved !== undefined && event.newPath !== "") {
    const id = file(event.newPath);
    addEdge(draft, process.id, id, `${event.type} made`, event);
    if (event.path !== "" && event.type !== "mount") addEdge(draft, file(event.path), id, moved, event);
    return id;
  }
  const reached = ON_PEERS[event.type];
  if (reached !== undefined && event.remoteAddress !== "") {
    const label = event.family === 1 ? event.remoteAddress : `${event.remoteAddress}:${event.remotePort}`;
    const id = addNode(draft, "connection", `connection ${label}`, label, event.protocol, event.timeUs).id;
    addEdge(draft, process.id, id, reached, event);
    for (const domain of draft.nodes.values()) {
      const named = domain.kind === "domain" && domain.detail.split(", ").includes(event.remoteAddress);
      if (named) addEdge(draft, domain.id, id, "is", { ...event, count: 1 });
    }
    return id;
  }
  if (event.type === "dns" && event.dnsName !== "") {
    const answers = event.dnsAnswers.join(", ");
    const id = addNode(draft, "domain", `domain ${event.dnsName}`, event.dnsName, answers, event.timeUs).id;
    addEdge(draft, process.id, id, "asked for", event);
    return id;
  }
  return undefined;
}

function addAlert(draft: Draft, alert: Alert): StoryStep {
  const { event } = alert;
  const subject =
    event.process === null ? addPlace(draft, event.container, event.timeUs) : addProcess(draft, event.process, event);
  const object = addEvent(draft, event);
  const rank = (severity: Severity | null) => (severity === null ? Number.POSITIVE_INFINITY : severityRank(severity));
  for (const id of [subject.id, object]) {
    const node = id === undefined ? undefined : draft.nodes.get(id);
    if (node === undefined) continue;
    node.rules.add(alert.rule);
    if (rank(alert.severity) < rank(node.severity)) node.severity = alert.severity;
  }
  return {
    timeUs: alert.timeUs,
    rule: alert.rule,
    severity: alert.severity,
    tactic: alert.tactics[0] ?? null,
    techniques: alert.techniques,
    text: alert.output,
    advice: alert.advice,
    node: subject.id,
  };
}

function finished(
  draft: Draft,
  steps: readonly StoryStep[],
  events: readonly RuntimeEvent[],
  alerts: readonly Alert[],
): Story {
  const weight = ({ rules, kind, uses }: OpenNode) => (rules.size > 0 ? 1e9 : kind === "file" ? 0 : 1e6) + uses;
  const order = new Map([...draft.nodes.keys()].map((id, at) => [id, at]));
  const kept = [...draft.nodes.values()].toSorted((a, b) => weight(b) - weight(a)).slice(0, MAX_NODES);
  const ids = new Set(kept.map(({ id }) => id));
  const nodes: readonly StoryNode[] = kept
    .toSorted((a, b) => a.firstUs - b.firstUs || (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0))
    .map(({ uses: _uses, rules, ...node }) => ({ ...node, rules: [...rules] }));
  const edges: readonly StoryEdge[] = [...draft.edges.values()].filter(({ from, to }) => ids.has(from) && ids.has(to));
  const container = [...alerts.map(({ event }) => event), ...events].find(
    (event) => event.container !== null,
  )?.container;
  const said = new Set(steps.map(({ tactic }) => tactic));
  return {
    containerId: container?.id ?? "",
    title: visible(container?.pod || container?.name || container?.id.slice(0, 12) || "host"),
    image: visible(container?.image ?? ""),
    fromUs: events[0]?.timeUs ?? 0,
    untilUs: events.at(-1)?.timeUs ?? 0,
    nodes,
    edges,
    steps,
    tactics: TACTICS.filter((tactic) => said.has(tactic)),
    leftOut: draft.nodes.size - kept.length,
  };
}

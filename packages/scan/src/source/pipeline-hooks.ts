import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from "yaml";
import type { InstallHook } from "./install-hooks.ts";
import type { Surface } from "./install-rules.ts";

/** Lists of commands may hold lists (GitLab CI/CD documentation, "script"): so deep are they read. */
const MAX_DEPTH = 10;
/** Looking up an anchor takes a walk through the document. */
const MAX_ALIASES = 100;
const GITLAB_SCRIPTS = ["before_script", "script", "after_script"];

/** A parsed pipeline, with what is needed to say where something stands. */
interface Pipeline {
  readonly document: Document;
  readonly lines: LineCounter;
  /** Names of anchors that were followed: each is looked up and read once, however often it is named. */
  readonly followed: Set<string>;
}

/** What the steps of a GitHub workflow or composite action run, use and check out. */
export function workflowHooks(text: string): readonly InstallHook[] {
  const pipeline = parse(text);
  if (pipeline === undefined) return [];
  const root = pipeline.document.contents;
  const triggers = triggersOf(field(root, "on", pipeline));
  const jobs = field(root, "jobs", pipeline);
  const named = isMap(jobs) ? jobs.items.map(({ key, value }) => [`job ${scalarText(key)}`, value] as const) : [];
  const composite = ["action", field(root, "runs", pipeline)] as const;
  return [...named, composite].flatMap(([name, job]) => {
    const hook = hookMaker(pipeline, name, triggers);
    const steps = field(job, "steps", pipeline);
    const own = hook("workflow-uses", field(job, "uses", pipeline));
    return [...own, ...(isSeq(steps) ? steps.items : []).flatMap((step) => stepHooks(step, hook, pipeline))];
  });
}

type HookMaker = (surface: Surface, node: unknown) => readonly InstallHook[];

function stepHooks(step: unknown, hook: HookMaker, pipeline: Pipeline): readonly InstallHook[] {
  const uses = field(step, "uses", pipeline);
  const given = field(step, "with", pipeline);
  const isCheckout = /^actions\/checkout@/.test(scalarText(uses));
  const isScript = /^actions\/github-script@/.test(scalarText(uses));
  return [
    ...hook("workflow-run", field(step, "run", pipeline)),
    ...hook("workflow-uses", uses),
    ...(isScript ? hook("workflow-run", field(given, "script", pipeline)) : []),
    ...(isCheckout ? hook("workflow-checkout", field(given, "ref", pipeline)) : []),
    ...(isCheckout ? hook("workflow-checkout", field(given, "repository", pipeline)) : []),
  ];
}

/** What the jobs of a GitLab pipeline run, and the files of other hosts that it includes. */
export function gitlabHooks(text: string): readonly InstallHook[] {
  const pipeline = parse(text);
  const root = pipeline?.document.contents;
  if (pipeline === undefined || !isMap(root)) return [];
  const includes = field(root, "include", pipeline);
  const included = (isSeq(includes) ? includes.items : [includes]).flatMap((entry) => {
    if (isMap(entry) && entry.has("integrity")) return [];
    return hookMaker(
      pipeline,
      "include",
      [],
    )("gitlab-include", isScalar(entry) ? entry : field(entry, "remote", pipeline));
  });
  const jobs = root.items.flatMap(({ key, value }) => {
    const hook = hookMaker(pipeline, `job ${scalarText(key)}`, []);
    return GITLAB_SCRIPTS.flatMap((script) => commandsIn(field(value, script, pipeline), 0)).flatMap((command) =>
      hook("gitlab-run", command),
    );
  });
  return [...included, ...jobs];
}

function commandsIn(node: unknown, depth: number): readonly unknown[] {
  if (depth > MAX_DEPTH) return [];
  return isSeq(node) ? node.items.flatMap((item) => commandsIn(item, depth + 1)) : [node];
}

function parse(text: string): Pipeline | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false });
  return document.errors.length > 0 ? undefined : { document, lines, followed: new Set() }; // the pipeline does not start either
}

function hookMaker({ lines }: Pipeline, name: string, triggers: readonly string[]): HookMaker {
  return (surface, node) => {
    const text = scalarText(node);
    if (text === "") return [];
    const { range, type } = node as Node & { readonly type?: string };
    const isBlock = type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED";
    const line = lines.linePos(range?.[0] ?? 0).line + (isBlock ? 1 : 0);
    return [{ surface, name, text, line, triggers }];
  };
}

/** `on: push`, `on: [push, pull_request]`, or a map of events. YAML 1.1 would read the key as true; this reader is 1.2. */
function triggersOf(node: unknown): readonly string[] {
  if (isMap(node)) return node.items.map(({ key }) => scalarText(key));
  return (isSeq(node) ? node.items : [node]).map(scalarText).filter((name) => name !== "");
}

function field(node: unknown, key: string, { document, followed }: Pipeline): unknown {
  if (!isMap(node)) return undefined;
  const value = (node as YAMLMap).get(key, true) as unknown;
  if (!isAlias(value)) return value;
  if (followed.size >= MAX_ALIASES || followed.has(value.source)) return undefined;
  followed.add(value.source);
  return value.resolve(document);
}

function scalarText(node: unknown): string {
  return isScalar(node) && typeof node.value === "string" ? node.value : "";
}

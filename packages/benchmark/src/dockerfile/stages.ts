import { referenceParts } from "../image-reference.ts";
import { expandVariables } from "./expand.ts";
import type { ParsedDockerfile, ParsedInstruction } from "./parse.ts";

/** One build stage as expressions see it. */
interface StageFacts {
  readonly index: number;
  /** The name after AS, lower case; empty: none. */
  readonly name: string;
  /** What FROM names, variables replaced by their defaults. */
  readonly image: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly platform: string;
  readonly scratch: boolean;
  /** FROM names an earlier stage. */
  readonly fromStage: boolean;
  /** FROM holds a variable that has no default. */
  readonly unresolved: boolean;
  /** FROM names an image of a registry. */
  readonly external: boolean;
  /** An earlier stage has the same name. */
  readonly duplicate: boolean;
  /** The last stage, which becomes the image unless a target is named. */
  readonly last: boolean;
  /** The last stage or one that it is built upon with FROM. */
  readonly shipped: boolean;
  /** The last USER, also of the stages it is built upon; empty: none. */
  readonly user: string;
  readonly userLine: number;
  readonly rootUser: boolean;
  /** The external base runs as an ordinary user by its makers' word. */
  readonly nonrootBase: boolean;
  readonly healthcheck: "set" | "none" | "missing";
  readonly entrypoint: boolean;
  readonly command: boolean;
  /** Keys of LABEL. */
  readonly labels: readonly string[];
  readonly windows: boolean;
  readonly line: number;
}

export interface Stage {
  readonly facts: StageFacts;
  /** Index of the stage it is built upon; -1: none. */
  readonly parent: number;
  readonly instructions: readonly ParsedInstruction[];
}

const NONROOT = /(^|[-/:_.])(nonroot|rootless|unprivileged|non-root)([-/:_.]|$)/;
const NONROOT_REGISTRY = /^(cgr\.dev|docker\.io)\/(chainguard|bitnami|bitnamilegacy)\//;

interface Draft {
  readonly from: ParsedInstruction;
  readonly image: string;
  readonly name: string;
  readonly parent: number;
  readonly instructions: ParsedInstruction[];
}

/** The stages of a Dockerfile in order, and the instructions before the first FROM. */
export function stagesOf(dockerfile: ParsedDockerfile): {
  readonly global: readonly ParsedInstruction[];
  readonly stages: readonly Stage[];
} {
  const global: ParsedInstruction[] = [];
  const variables = new Map<string, string>();
  const drafts: Draft[] = [];
  for (const instruction of dockerfile.instructions) {
    if (instruction.keyword === "FROM" && !instruction.onbuild) drafts.push(draftOf(instruction, variables, drafts));
    else if (drafts.length > 0) (drafts.at(-1) as Draft).instructions.push(instruction);
    else {
      global.push(instruction);
      for (const { name, value } of instruction.properties) variables.set(name, expandVariables(value, variables));
    }
  }
  const shipped = shippedOf(drafts);
  const stages: Stage[] = [];
  for (const [index, draft] of drafts.entries()) {
    const parent = stages[draft.parent];
    stages.push({
      facts: factsOf(draft, index, parent?.facts, drafts, shipped, variables),
      parent: draft.parent,
      instructions: draft.instructions,
    });
  }
  return { global, stages };
}

function draftOf(from: ParsedInstruction, variables: ReadonlyMap<string, string>, earlier: readonly Draft[]): Draft {
  const [written = "", as = "", alias = ""] = from.body.text.trim().split(/\s+/);
  const image = expandVariables(written, variables);
  const name = as.toUpperCase() === "AS" ? alias.toLowerCase() : "";
  const parent = earlier.findLastIndex((draft) => draft.name !== "" && draft.name === image.toLowerCase());
  return { from, image, name, parent, instructions: [] };
}

function shippedOf(drafts: readonly Draft[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (let at = drafts.length - 1; at >= 0; at = (drafts[at] as Draft).parent) found.add(at);
  return found;
}

function factsOf(
  draft: Draft,
  index: number,
  parent: StageFacts | undefined,
  drafts: readonly Draft[],
  shipped: ReadonlySet<number>,
  variables: ReadonlyMap<string, string>,
): StageFacts {
  const last = (keyword: string) => draft.instructions.findLast((entry) => entry.keyword === keyword && !entry.onbuild);
  const user = last("USER");
  const userText =
    user === undefined
      ? (parent?.user ?? "")
      : expandVariables(user.body.text.trim(), stageVariables(draft, variables));
  const health = last("HEALTHCHECK");
  const scratch = draft.image === "scratch";
  const unresolved = draft.image.includes("$");
  const parts = referenceParts(draft.image);
  const external = parent === undefined && !scratch && !unresolved;
  const platform = draft.from.flags.find((flag) => flag.name === "platform")?.value ?? "";
  return {
    index,
    name: draft.name,
    image: draft.image,
    ...(external ? parts : { registry: "", repository: "", tag: "", digest: "" }),
    platform,
    scratch,
    fromStage: parent !== undefined,
    unresolved,
    external,
    duplicate: draft.name !== "" && drafts.slice(0, index).some((other) => other.name === draft.name),
    last: index === drafts.length - 1,
    shipped: shipped.has(index),
    user: userText,
    userLine: user?.line ?? parent?.userLine ?? 0,
    rootUser: /^(root|0+)(:|$)/i.test(userText),
    nonrootBase:
      parent?.nonrootBase ??
      (external && (NONROOT.test(draft.image) || NONROOT_REGISTRY.test(`${parts.registry}/${parts.repository}`))),
    healthcheck:
      health === undefined
        ? (parent?.healthcheck ?? "missing")
        : /^none$/i.test(health.body.text.trim())
          ? "none"
          : "set",
    entrypoint: last("ENTRYPOINT") !== undefined || (parent?.entrypoint ?? false),
    command: last("CMD") !== undefined || (parent?.command ?? false),
    labels: [
      ...(parent?.labels ?? []),
      ...draft.instructions
        .filter(({ keyword }) => keyword === "LABEL")
        .flatMap((entry) => entry.properties.map(({ name }) => unquoted(name))),
    ],
    windows: parent?.windows ?? /windows|nanoserver/i.test(`${draft.image} ${platform}`),
    line: draft.from.line,
  };
}

function unquoted(name: string): string {
  return name.replace(/^["'](.*)["']$/, "$1");
}

/** What ARG and ENV of a stage set, defaults of earlier ones replaced; a later value wins. */
function stageVariables(draft: Draft, global: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const { keyword, properties } of draft.instructions) {
    if (keyword !== "ARG" && keyword !== "ENV") continue;
    for (const { name, value, hasValue } of properties) {
      const text = hasValue ? value : (global.get(name) ?? "");
      variables.set(name, expandVariables(text, variables));
    }
  }
  return variables;
}

import type { Fields } from "@bulwark/model";
import { expressionMap } from "../expression-map.ts";
import type { ParsedInstruction } from "./parse.ts";
import type { Stage } from "./stages.ts";

const REMOTE = /^(https?|ftp):\/\//i;
const GIT = /^(git@|ssh:\/\/|git:\/\/)|^https?:\/\/.*\.git(#.*)?$/i;
/** Names that ADD unpacks (Dockerfile reference, ADD: tar, gzip, bzip2 and xz, by content). */
const ARCHIVE = /\.(tar|tgz|tbz2?|txz|tar\.[a-z0-9]+|gz|bz2|xz|zst)$/i;
const SENSITIVE =
  /(^|\/)(\.env(\.[\w-]+)?|id_(rsa|dsa|ecdsa|ed25519)|\.ssh\/?|\.aws\/?|\.kube\/?|\.docker\/config\.json|\.npmrc|\.pypirc|\.netrc|\.git-credentials|\.git\/?|[\w.-]+\.(pem|key|p12|pfx|jks|keystore|kdbx)|kubeconfig|credentials(\.json)?|secrets?\.(ya?ml|json|toml|env))$/i;
const SENSITIVE_EXCEPT =
  /(\.env\.(example|sample|template|dist)|public[\w.-]*\.(pem|key)|[\w.-]*\.pub|ca(-bundle|cert|certs)?\.pem)$/i;

/** COPY or ADD as expressions see it. */
export function copyFacts(instruction: ParsedInstruction, stage: Stage, stages: readonly Stage[]): Fields {
  const words = wordsOf(instruction);
  const flags = expressionMap(instruction.flags.map(({ name, value }): [string, string] => [name, value]));
  const sources = words.slice(0, -1);
  const from = instruction.flags.find(({ name }) => name === "from")?.value ?? "";
  return {
    name: instruction.keyword,
    sources,
    destination: words.at(-1) ?? "",
    flags,
    from,
    fromKind: fromKind(from, stage, stages),
    remote: sources.some((source) => REMOTE.test(source) || GIT.test(source)),
    insecure: sources.some((source) => /^(http|ftp):\/\//i.test(source)),
    git: sources.some((source) => GIT.test(source)),
    archive: sources.some((source) => ARCHIVE.test(source)),
    variable: sources.some((source) => source.includes("$")),
    heredoc: instruction.heredocs.length > 0,
    whole: from === "" && sources.some((source) => /^(\.\/?|\/|\*|\.\/\*)$/.test(source)),
    sensitive: from === "" ? sources.filter((source) => SENSITIVE.test(source) && !SENSITIVE_EXCEPT.test(source)) : [],
    stage: stage.facts.index,
    shipped: stage.facts.shipped,
    onbuild: instruction.onbuild,
    line: instruction.line,
  };
}

/** Sources and destination, in either form. */
export function wordsOf(instruction: ParsedInstruction): readonly string[] {
  if (instruction.json !== undefined) return instruction.json;
  return instruction.body.text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => word.replace(/^"(.*)"$/, "$1"));
}

/** `context`, `stage`, `image`, `later` (this stage or one below it: an error), or `unknown` (no stage, no full image name). */
function fromKind(from: string, stage: Stage, stages: readonly Stage[]): string {
  if (from === "") return "context";
  if (from.includes("$")) return "image";
  if (/^\d+$/.test(from)) return Number(from) < stage.facts.index ? "stage" : "later";
  const lower = from.toLowerCase();
  const found = stages.filter(({ facts }) => facts.name === lower).map(({ facts }) => facts.index);
  if (found.some((index) => index < stage.facts.index)) return "stage";
  if (found.length > 0) return "later";
  return /[/:@.]/.test(from) ? "image" : "unknown";
}

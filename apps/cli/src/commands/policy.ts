import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AdmissionError,
  type AdmissionPolicy,
  compileBundle,
  EMPTY_BUNDLE,
  exportPolicy,
  judge,
  MODES,
  type Mode,
  mistakesIn,
  readAdmissionPolicy,
  readReview,
  UNKNOWN_NAMESPACE,
} from "@bulwark/kubernetes";
import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import { contentDirectory } from "@bulwark/scan/shipped/places";
import { parseAllDocuments, stringify } from "yaml";
import { clusterId } from "../clusters.ts";
import { columns } from "../columns.ts";
import { counted } from "../counted.ts";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { POLICY_HELP } from "../policy-help.ts";
import { askServer, findAccess } from "../server-client.ts";
import { readTextFile, writeTextFile } from "../text-files.ts";
import { activate, learn, listBaselines, propose, retire, showBaseline } from "./policy-baselines.ts";

const TABLE = {
  namespace: { type: "string" },
  cluster: { type: "string" },
  label: { type: "string" },
  days: { type: "string" },
  format: { type: "string" },
  policy: { type: "string", multiple: true },
  mode: { type: "string" },
  exempt: { type: "string" },
  output: { type: "string", short: "o" },
  enforce: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;
const BROKEN_EXIT = 1;
const SHIPPED = join(contentDirectory, "policies/admission");

type Action = (names: readonly string[], options: ParsedOptions) => Promise<number>;

interface Verb {
  readonly least: number;
  readonly most: number;
  /** As a sentence ends that begins with the verb and "takes". */
  readonly takes: string;
  readonly run: Action;
}

const ANY = Number.POSITIVE_INFINITY;
const ACTIONS: Readonly<Record<string, Verb>> = {
  list: { least: 0, most: 0, takes: "no name", run: (_names, options) => list(options) },
  show: { least: 1, most: 1, takes: "the name of one policy", run: show },
  mode: { least: 2, most: 2, takes: "the name of a policy and off, audit, enforce or default", run: setMode },
  put: { least: 1, most: 1, takes: "one policy file", run: put },
  remove: { least: 1, most: 1, takes: "the name of one policy", run: remove },
  check: { least: 1, most: ANY, takes: "policy files", run: check },
  try: { least: 1, most: ANY, takes: "files of Kubernetes objects", run: tryOut },
  export: { least: 0, most: ANY, takes: "names of policies, or none", run: exportAll },
  learn: {
    least: 0,
    most: 0,
    takes: "no name: --cluster and --namespace say where",
    run: (_names, options) => learn(options),
  },
  baselines: { least: 0, most: 0, takes: "no name", run: (_names, options) => listBaselines(options) },
  baseline: { least: 1, most: 1, takes: "the id of one baseline", run: showBaseline },
  propose: { least: 1, most: 1, takes: "the id of one baseline", run: propose },
  activate: { least: 1, most: ANY, takes: "the id of a baseline, and names of policies to enforce", run: activate },
  retire: { least: 1, most: 1, takes: "the id of one baseline", run: retire },
};

interface SeenPolicy {
  readonly id: number | null;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly source: string;
  readonly mode: string;
  readonly unknown: string;
  readonly onError: string;
  readonly modes: readonly {
    readonly cluster: { readonly id: number; readonly name: string } | null;
    readonly namespace: string;
    readonly mode: string;
  }[];
  readonly rules: readonly { readonly id: string; readonly title: string }[];
  readonly counts: {
    readonly asked: number;
    readonly wouldDeny: number;
    readonly denied: number;
    readonly excepted: number;
  };
}

/** `bulwark policy`: see POLICY_HELP. */
export async function policyCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("policy", args, TABLE);
  const [verb, ...names] = options.positionals;
  if (options.flags.has("help") || verb === undefined) {
    process.stdout.write(POLICY_HELP);
    return 0;
  }
  const action = Object.hasOwn(ACTIONS, verb) ? ACTIONS[verb] : undefined;
  if (action === undefined) throw usage(`"${verb}" is nothing it can do`);
  if (names.length < action.least || names.length > action.most) throw usage(`${verb} takes ${action.takes}`);
  return action.run(names, options);
}

async function list({ text }: ParsedOptions): Promise<number> {
  const { items } = await askServer<{ items: readonly SeenPolicy[] }>(findAccess(), "GET", "/admission/policies");
  if (text.format === "json") return say(`${JSON.stringify(items, null, 2)}\n`);
  const cells = items.map(({ name, mode, source, counts, modes }) => [
    ...[name, mode, source, String(counts.asked), String(counts.wouldDeny), String(counts.denied)],
    modes.map((each) => `${placeOf(each)}=${each.mode}`).join(" "),
  ]);
  const head = ["POLICY", "MODE", "SOURCE", "ASKED", "WOULD DENY", "DENIED", "ELSEWHERE"];
  return say(`${columns(cells, head).join("\n")}\n`);
}

async function show([name = ""]: readonly string[], { text }: ParsedOptions): Promise<number> {
  const found = await askServer<SeenPolicy & { content: string }>(findAccess(), "GET", pathOf(name));
  if (text.format === "json") return say(`${JSON.stringify(found, null, 2)}\n`);
  const { asked, wouldDeny, denied, excepted } = found.counts;
  const lines = [
    `${found.name}: ${found.title} (${found.source}, ${found.mode})`,
    ...(found.description === "" ? [] : [found.description]),
    `asked ${asked} times; denied ${denied}, would have denied ${wouldDeny}, excepted ${excepted}`,
    `an image that is not scanned: ${found.unknown}; a rule that fails: ${found.onError}`,
    ...found.modes.map((each) => `in ${placeOf(each)}: ${each.mode}`),
    ...found.rules.map(({ id, title }) => `  ${id}: ${title}`),
  ];
  return say(`${lines.join("\n")}\n`);
}

async function setMode([policy = "", word = ""]: readonly string[], { text }: ParsedOptions): Promise<number> {
  const mode = word === "default" ? null : MODES.find((known) => known === word);
  if (mode === undefined) throw usage(`"${word}" is no mode; there are ${MODES.join(", ")} and default`);
  const { namespace = "", cluster: named } = text;
  const cluster = named === undefined ? undefined : await clusterId(named);
  const place = { ...(cluster === undefined ? {} : { cluster }), ...(namespace === "" ? {} : { namespace }) };
  const made = await askServer<SeenPolicy>(findAccess(), "POST", "/admission/modes", { policy, mode, ...place });
  const words = [named, namespace].filter((word) => word !== undefined && word !== "");
  const where = words.length === 0 ? "everywhere" : `in ${words.join("/")}`;
  const own = made.modes.find((each) => each.cluster?.id === cluster && each.namespace === namespace);
  if (own === undefined && words.length > 0) return say(`${made.name} does ${where} what it does around it\n`);
  return say(`${made.name} is on ${own?.mode ?? made.mode} ${where}\n`);
}

/** `harbour/shop`, `harbour`, or `shop` in every cluster. */
function placeOf({ cluster, namespace }: SeenPolicy["modes"][number]): string {
  if (cluster === null) return namespace;
  return namespace === "" ? `${cluster.name}/*` : `${cluster.name}/${namespace}`;
}

async function put([file = ""]: readonly string[]): Promise<number> {
  const content = await readTextFile(file, "policy");
  // What is wrong with it is told with the file's name, which the server does not learn.
  const [mistake] = mistakesIn(readAdmissionPolicy(content, file));
  if (mistake !== undefined)
    throw new CliError("USAGE", `policy ${file}: ${mistake}`, "correct the file; docs/admission.md shows the form");
  const made = await askServer<SeenPolicy & { version: number }>(findAccess(), "POST", "/admission/policies", {
    content,
  });
  return say(`${made.name} is version ${made.version}, on ${made.mode}\n`);
}

async function remove([name = ""]: readonly string[]): Promise<number> {
  const { id } = await askServer<SeenPolicy>(findAccess(), "GET", pathOf(name));
  if (id === null)
    throw new CliError("USAGE", `policy: ${name} is shipped`, `switch it off: bulwark policy mode ${name} off`);
  await askServer(findAccess(), "DELETE", `/admission/policies/${id}`);
  return say(`${name} is removed\n`);
}

async function check(files: readonly string[]): Promise<number> {
  let broken = 0;
  for (const file of files) {
    try {
      const policy = readAdmissionPolicy(await readTextFile(file, "policy"), file);
      const mistakes = mistakesIn(policy);
      for (const mistake of mistakes) say(`admission policy ${file}: ${mistake}\n`);
      if (mistakes.length > 0) {
        broken++;
        continue;
      }
      const { name, rules } = policy;
      say(`${file}: ${name}, ${counted(rules.length, "rule")}\n`);
    } catch (error) {
      if (!(error instanceof AdmissionError)) throw error;
      broken++;
      say(`${error.message}\n`);
    }
  }
  return broken === 0 ? 0 : BROKEN_EXIT;
}

interface ReadPolicy {
  readonly text: string;
  readonly policy: AdmissionPolicy;
}

async function policiesOf({ lists }: ParsedOptions): Promise<readonly ReadPolicy[]> {
  const own = await Promise.all(
    (lists.policy ?? []).map(async (file) => {
      const text = await readTextFile(file, "policy");
      return { text, policy: readAdmissionPolicy(text, file) };
    }),
  );
  if (own.length > 0) return own;
  return readdirSync(SHIPPED)
    .sort()
    .map((name) => {
      const text = readFileSync(join(SHIPPED, name, "policy.yaml"), "utf8");
      return { text, policy: readAdmissionPolicy(text, name) };
    });
}

/** Judges files of objects as the webhook would, without what only a server knows. */
async function tryOut(files: readonly string[], options: ParsedOptions): Promise<number> {
  const raise = (mode: Mode): Mode => (options.flags.has("enforce") && mode === "audit" ? "enforce" : mode);
  const policies = (await policiesOf(options)).map(({ text, policy }) => ({
    text,
    file: policy.name,
    mode: raise(policy.mode),
  }));
  const all = compileBundle({ ...EMPTY_BUNDLE, policies });
  // What only a scan tells is not asked.
  const asked = all.policies.map((each) => ({ ...each, rules: each.rules.filter(({ deny }) => !deny.needsReport) }));
  const compiled = { ...all, policies: asked };
  const facts = { namespace: { ...UNKNOWN_NAMESPACE, known: true }, images: {} };
  let denied = 0;
  let watched = 0;
  let objects = 0;
  for (const file of files)
    for (const object of await objectsOf(file)) {
      objects++;
      const review = reviewOf(object, options.text.namespace);
      const { violations, allowed } = judge(readReview(review), compiled, facts, { now: Date.now(), elapsed: () => 0 });
      if (!allowed) denied++;
      else if (violations.length > 0) watched++;
      const { kind, metadata } = object;
      for (const { policy, rule, mode, message } of violations)
        say(
          `${file}: ${textOf(kind)} ${textOf(fieldsOf(metadata).name)}: ${mode === "audit" ? "watched" : "denied"}: policy ${policy} (${rule}): ${message}\n`,
        );
    }
  const wouldBe = watched === 0 ? "" : `, ${watched} more by policies that only watch (--enforce counts them)`;
  say(`${counted(objects, "object")}, ${denied} denied${wouldBe}; images were not looked into\n`);
  return denied === 0 ? 0 : BROKEN_EXIT;
}

async function objectsOf(file: string): Promise<readonly Fields[]> {
  const documents = parseAllDocuments(await readTextFile(file, "object"));
  const wrong = documents.flatMap(({ errors }) => errors)[0];
  if (wrong !== undefined)
    throw new CliError("FILE_UNREADABLE", `${file} is not YAML: ${wrong.message.split("\n")[0]}`, "correct the file");
  return documents
    .map((document) => fieldsOf(document.toJSON()))
    .flatMap((object) => (object.kind === "List" ? listOf(object.items).map(fieldsOf) : [object]))
    .filter(({ kind }) => textOf(kind) !== "");
}

function reviewOf(object: Fields, namespace: string | undefined): string {
  const [version = "", group = ""] = textOf(object.apiVersion).split("/").toReversed();
  const metadata = fieldsOf(object.metadata);
  const request = {
    ...{ uid: "file", operation: "CREATE", kind: { group, version, kind: object.kind }, object },
    ...{ name: textOf(metadata.name), namespace: namespace ?? (textOf(metadata.namespace) || "default") },
  };
  return JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
}

async function exportAll(names: readonly string[], options: ParsedOptions): Promise<number> {
  const { format = "vap", mode: word = "audit", exempt = "kube-system", output } = options.text;
  if (format !== "vap") throw usage(`"${format}" is no format; there is vap`);
  const mode = MODES.find((known) => known === word && known !== "off");
  if (mode === undefined) throw usage(`"${word}" is no mode to export; there are audit and enforce`);
  const all = await policiesOf(options);
  const unknown = names.find((name) => !all.some(({ policy }) => policy.name === name));
  if (unknown !== undefined) throw usage(`there is no policy "${unknown}"; give its file with --policy`);
  const left: string[] = [];
  const documents = all
    .filter(({ policy }) => names.length === 0 || names.includes(policy.name))
    .flatMap(({ policy }) => {
      try {
        const made = exportPolicy(
          policy,
          mode,
          exempt.split(",").filter((name) => name !== ""),
        );
        return [made.policy, made.binding];
      } catch (error) {
        // Of those that were asked for by name each has to be there.
        if (!(error instanceof AdmissionError) || names.length > 0) throw error;
        left.push(error.message);
        return [];
      }
    });
  const text = documents
    .map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");
  if (output === undefined) process.stdout.write(text);
  else await writeTextFile(output, text);
  for (const why of left) process.stderr.write(plain(`left out: ${why}\n`));
  return 0;
}

function pathOf(name: string): string {
  return `/admission/policy?${new URLSearchParams({ name })}`;
}

function say(text: string): number {
  process.stdout.write(plain(text));
  return 0;
}

function usage(what: string): CliError {
  return new CliError("USAGE", `policy: ${what}`, "see bulwark policy --help");
}

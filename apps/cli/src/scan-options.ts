import { type ScannerName, SEVERITIES, type Severity } from "@bulwark/model";
import type { ScannerOptions } from "@bulwark/scan/shipped";
import { CliError } from "./failure.ts";
import { type ParsedOptions, parseOptions } from "./options.ts";

const FORMATS = ["table", "json", "sarif", "cyclonedx", "spdx", "html"] as const;
const KINDS = ["image", "source"] as const;
const SCANNERS: readonly ScannerName[] = ["vuln", "secret", "malware", "config"];

export type FormatName = (typeof FORMATS)[number];

/** Options of `bulwark scan`, checked. */
export interface ScanArguments extends ScannerOptions {
  /** Empty where only a Dockerfile is judged. */
  readonly source: string;
  readonly dockerfile?: string;
  /** Whether safe fixes are written into the Dockerfile. */
  readonly fix: boolean;
  /** What a directory is read as. */
  readonly kind: (typeof KINDS)[number];
  /** Whether packages that are installed in a source tree are read too. */
  readonly includeInstalled: boolean;
  /** SARIF files of outside analysers. */
  readonly sarif: readonly string[];
  readonly format: FormatName;
  readonly output?: string;
  readonly policies: readonly string[];
  readonly vex: readonly string[];
  /** Empty: all. */
  readonly severities: readonly Severity[];
  readonly ignoreUnfixed: boolean;
  readonly offline: boolean;
  readonly quiet: boolean;
  readonly plainHttp: boolean;
  readonly useCache: boolean;
  readonly platform?: string;
  readonly base?: string;
  readonly caFile?: string;
  readonly database?: string;
  /** Business grade of the application, for policies. */
  readonly grade?: string;
  /** Signature policy that the image has to satisfy. */
  readonly requireSignature?: string;
  /** Whether it has to stand on a golden image: by the server that one is logged in to, or by a list. */
  readonly golden?: { readonly list?: string; readonly key?: string };
}

const TABLE = {
  kind: { type: "string" },
  "include-installed": { type: "boolean" },
  sarif: { type: "string", multiple: true },
  format: { type: "string" },
  output: { type: "string", short: "o" },
  policy: { type: "string", multiple: true },
  vex: { type: "string", multiple: true },
  severity: { type: "string", multiple: true },
  scanners: { type: "string", multiple: true },
  "secret-rules": { type: "string", multiple: true },
  yara: { type: "string", multiple: true },
  indicators: { type: "string", multiple: true },
  deny: { type: "string", multiple: true },
  registries: { type: "string", multiple: true },
  clamd: { type: "string" },
  grade: { type: "string" },
  dockerfile: { type: "string" },
  fix: { type: "boolean" },
  "distrust-packages": { type: "boolean" },
  platform: { type: "string" },
  base: { type: "string" },
  db: { type: "string" },
  "ca-file": { type: "string" },
  "require-signature": { type: "string" },
  "ignore-unfixed": { type: "boolean" },
  "plain-http": { type: "boolean" },
  "no-cache": { type: "boolean" },
  offline: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  golden: { type: "boolean" },
  "golden-key": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/**
 * Reads the arguments of `bulwark scan`; undefined when help was asked for.
 *
 * @throws CliError `USAGE`
 */
export function parseScanArguments(args: readonly string[]): ScanArguments | undefined {
  const parsed = parseOptions("scan", args.flatMap(partGolden), TABLE);
  if (parsed.flags.has("help")) return undefined;
  const [afterPolicies, morePolicies] = partPositionals(parsed.positionals, parsed.lists.policy, /\.ya?ml$/i);
  const [afterSarif, moreSarif] = partPositionals(afterPolicies, parsed.lists.sarif, /\.sarif(?:\.json)?$/i);
  const asked = parsed.flags.has("golden") ? [] : undefined;
  const [positionals, goldenLists] = partPositionals(afterSarif, asked, GOLDEN_LIST);
  const { dockerfile } = parsed.text;
  const source = dockerfile === undefined ? positionals[0] : "";
  if (dockerfile !== undefined && positionals.length > 0) {
    const next = "give --dockerfile FILE, or an image";
    throw new CliError("USAGE", `scan: a Dockerfile is judged by itself, without ${positionals.join(" ")}`, next);
  }
  if (dockerfile !== undefined && parsed.text["require-signature"] !== undefined) {
    const next = "leave one of them out";
    throw new CliError("USAGE", "scan: a Dockerfile has no signatures: --require-signature needs an image", next);
  }
  if (parsed.flags.has("fix") && dockerfile === undefined)
    throw new CliError("USAGE", "scan: --fix mends a Dockerfile", "name it with --dockerfile FILE");
  if (source === undefined || positionals.length > 1) {
    const what =
      source === undefined ? "no source is given" : `more than one source is given: ${positionals.join(" ")}`;
    throw new CliError("USAGE", `scan: ${what}`, "give one image, archive, directory or SBOM; see bulwark scan --help");
  }
  const golden = goldenOf(parsed, goldenLists, source);
  const scanners = words(parsed.lists.scanners).map((scanner) => oneOf(scanner, SCANNERS, "--scanners"));
  const {
    clamd,
    grade,
    platform,
    base,
    output,
    db,
    "ca-file": caFile,
    "require-signature": requireSignature,
  } = parsed.text;
  return {
    source,
    ...(dockerfile === undefined ? {} : { dockerfile }),
    fix: parsed.flags.has("fix"),
    kind: kindOf(source, parsed),
    includeInstalled: parsed.flags.has("include-installed"),
    sarif: [...(parsed.lists.sarif ?? []), ...moreSarif],
    format: oneOf(parsed.text.format ?? "table", FORMATS, "--format"),
    policies: [...(parsed.lists.policy ?? []), ...morePolicies],
    vex: parsed.lists.vex ?? [],
    severities: words(parsed.lists.severity).map((word) => oneOf(word.toLowerCase(), SEVERITIES, "--severity")),
    ignoreUnfixed: parsed.flags.has("ignore-unfixed"),
    offline: parsed.flags.has("offline"),
    quiet: parsed.flags.has("quiet"),
    plainHttp: parsed.flags.has("plain-http"),
    scanners: scanners.length > 0 ? scanners : SCANNERS,
    secretRules: parsed.lists["secret-rules"] ?? [],
    yaraRules: parsed.lists.yara ?? [],
    indicators: parsed.lists.indicators ?? [],
    denyLists: parsed.lists.deny ?? [],
    registries: words(parsed.lists.registries),
    trustPackages: !parsed.flags.has("distrust-packages"),
    ...(clamd === undefined ? {} : { clamd }),
    ...(grade === undefined ? {} : { grade }),
    useCache: !parsed.flags.has("no-cache"),
    ...(platform === undefined ? {} : { platform }),
    ...(base === undefined ? {} : { base }),
    ...(output === undefined ? {} : { output }),
    ...(db === undefined ? {} : { database: db }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(requireSignature === undefined ? {} : { requireSignature }),
    ...(golden === undefined ? {} : { golden }),
  };
}

/** No source but an SBOM, which has its own prefix, ends like a list of golden images. */
const GOLDEN_LIST = /^(?!sbom:).*\.json$/i;

/** `--golden=FILE` is `--golden FILE`. */
function partGolden(arg: string): readonly string[] {
  return arg.startsWith("--golden=") ? ["--golden", arg.slice("--golden=".length)] : [arg];
}

/** What an image stands on is told by its layers: an SBOM, a source tree and a Dockerfile have none. */
function goldenOf(
  { flags, text }: ParsedOptions,
  lists: readonly string[],
  source: string,
): ScanArguments["golden"] | undefined {
  const key = text["golden-key"];
  const next = "see bulwark scan --help";
  if (!flags.has("golden")) {
    if (key !== undefined) throw new CliError("USAGE", "scan: --golden-key goes with --golden FILE", next);
    return undefined;
  }
  if (text.dockerfile !== undefined || text.kind === "source" || source.startsWith("sbom:"))
    throw new CliError("USAGE", "scan: --golden needs an image: its layers tell what it stands on", next);
  if (lists.length > 1) throw new CliError("USAGE", `scan: more than one list is given: ${lists.join(" ")}`, next);
  const [list] = lists;
  return { ...(list === undefined ? {} : { list }), ...(key === undefined ? {} : { key }) };
}

/** `--policy a.yaml b.yaml` names two policies, and so does `--sarif`: no source ends like such a file. */
function partPositionals(
  positionals: readonly string[],
  given: readonly string[] | undefined,
  ending: RegExp,
): readonly [readonly string[], readonly string[]] {
  if (given === undefined) return [positionals, []];
  return [positionals.filter((word) => !ending.test(word)), positionals.filter((word) => ending.test(word))];
}

/** A source tree is a directory, and has no base, platform or signature. */
function kindOf(source: string, { text, flags }: ParsedOptions): ScanArguments["kind"] {
  const kind = oneOf(text.kind ?? "image", KINDS, "--kind");
  const next = "see bulwark scan --help";
  if (kind === "image") {
    if (flags.has("include-installed"))
      throw new CliError("USAGE", "scan: --include-installed goes with --kind source", next);
    return kind;
  }
  if (!source.startsWith("dir:"))
    throw new CliError("USAGE", `scan: --kind source reads a directory, not ${source}`, "give the source as dir:PATH");
  const other = ["base", "platform", "require-signature"].find((name) => text[name] !== undefined);
  if (other !== undefined) throw new CliError("USAGE", `scan: a source tree has no --${other}`, next);
  return kind;
}

function words(lists: readonly string[] = []): readonly string[] {
  return lists.flatMap((list) => list.split(",")).filter((word) => word !== "");
}

function oneOf<Word extends string>(word: string, known: readonly Word[], option: string): Word {
  const found = known.find((candidate) => candidate === word);
  if (found !== undefined) return found;
  throw new CliError("USAGE", `scan: ${option} knows no "${word}"`, `it takes ${known.join(", ")}`);
}

/** Printed by `bulwark scan --help`. */
export const SCAN_HELP = `Say what is wrong with an image: which flaw, in which layer, and what to do about it.

Usage: bulwark scan SOURCE [options]
       bulwark scan --dockerfile FILE [--fix] [options]

SOURCE
  docker.io/library/nginx:1.27   an image in a registry (http://HOST/… for plain HTTP)
  image.tar                      a docker or OCI archive
  oci:DIR[:TAG]                  an OCI layout
  containerd:REF  docker:REF  podman:REF
                                 an image of a local engine, through its socket
  dir:ROOTFS                     a root file system
  dir:TREE --kind source         source code: lock files, secrets, install scripts, malware
  sbom:FILE                      a CycloneDX or SPDX document (JSON)

Options
  --kind KIND          what a directory is read as: image (a root file system, default) or source
  --include-installed  in source code, also read node_modules and .venv; lock files name what is in them
  --sarif FILE …       take in the results of another analyser (SARIF 2.1.0); may be repeated
  --format FORMAT      ${FORMATS.join(", ")} (default table)
  -o, --output FILE    write the report there instead of stdout
  --policy FILE …      judge by these policies instead of the default one
  --grade GRADE        business grade that policies may select by (default: label io.bulwark.grade)
  --vex FILE           OpenVEX statements that take findings out; may be repeated
  --require-signature FILE
                       refuse the image unless its signatures satisfy this signature policy
  --golden [FILE]      refuse the image unless its layers stand on a golden image; asks the server of bulwark login, or
                       the list in FILE (.json) that bulwark golden export wrote
  --golden-key FILE    public key (PEM) that must have signed the list
  --severity LIST      report only these, comma-separated: critical,high
  --ignore-unfixed     leave out findings without a fixed version
  --scanners LIST      ${SCANNERS.join(", ")} (default: all of them)
  --dockerfile FILE    judge a Dockerfile by itself, with line numbers
  --fix                write the safe fixes into it
  --secret-rules FILE  further rules for secrets: YAML, or Gitleaks' TOML
  --yara FILE|DIR      further YARA rules for malware
  --indicators FILE    further SHA-256 indicators of malware
  --clamd SOCKET       ask a clamd too: /run/clamav/clamd.ctl, or host:3310
  --distrust-packages  also read files that an OS package of the image vouches for by digest
  --deny FILE          further components that are not to be used
  --registries LIST    registries that images may come from, comma-separated (default: any)
  --base REF           the image this one was built on, for the base/own verdict
  --platform OS/ARCH   which image of a multi-platform one (default: this machine's)
  --db FILE            advisory database (default: the one of bulwark db update)
  --ca-file FILE       also trust the certificates in FILE (PEM) for registries
  --plain-http         talk plain HTTP to the registry
  --offline            use no network
  --no-cache           read every layer anew
  -q, --quiet          no progress

Examples
  bulwark scan docker.io/library/debian:12
  bulwark scan --severity critical,high --ignore-unfixed app.tar
  bulwark scan --kind source --sarif semgrep.sarif dir:.
  bulwark scan --format cyclonedx -o app.cdx.json registry.example/team/app:1.4
  bulwark scan --dockerfile Dockerfile --fix
  bulwark scan --golden golden.json registry.example/team/app:1.4
  bulwark scan --policy gate.yaml --vex app.openvex.json containerd:registry.example/team/app:1.4

Exit status: 0 within policy, 1 a policy is violated, 2 the scan could not be done.
`;

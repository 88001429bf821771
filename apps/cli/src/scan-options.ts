import { SEVERITIES, type Severity } from "@bulwark/model";
import { CliError } from "./failure.ts";
import { type ParsedOptions, parseOptions } from "./options.ts";

const FORMATS = ["table", "json", "sarif", "cyclonedx", "spdx", "html"] as const;
const SCANNERS = ["vuln"] as const;

export type FormatName = (typeof FORMATS)[number];

/** Options of `bulwark scan`, checked. */
export interface ScanArguments {
  readonly source: string;
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
  /** Signature policy that the image has to satisfy. */
  readonly requireSignature?: string;
}

const TABLE = {
  format: { type: "string" },
  output: { type: "string", short: "o" },
  policy: { type: "string", multiple: true },
  vex: { type: "string", multiple: true },
  severity: { type: "string", multiple: true },
  scanners: { type: "string", multiple: true },
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
  help: { type: "boolean", short: "h" },
} as const;

/**
 * Reads the arguments of `bulwark scan`; undefined when help was asked for.
 *
 * @throws CliError `USAGE`
 */
export function parseScanArguments(args: readonly string[]): ScanArguments | undefined {
  const parsed = parseOptions("scan", args, TABLE);
  if (parsed.flags.has("help")) return undefined;
  const [positionals, morePolicies] = partPositionals(parsed);
  const source = positionals[0];
  if (source === undefined || positionals.length > 1) {
    const what =
      source === undefined ? "no source is given" : `more than one source is given: ${positionals.join(" ")}`;
    throw new CliError("USAGE", `scan: ${what}`, "give one image, archive, directory or SBOM; see bulwark scan --help");
  }
  for (const scanner of words(parsed.lists.scanners)) oneOf(scanner, SCANNERS, "--scanners");
  const { platform, base, output, db, "ca-file": caFile, "require-signature": requireSignature } = parsed.text;
  return {
    source,
    format: oneOf(parsed.text.format ?? "table", FORMATS, "--format"),
    policies: [...(parsed.lists.policy ?? []), ...morePolicies],
    vex: parsed.lists.vex ?? [],
    severities: words(parsed.lists.severity).map((word) => oneOf(word.toLowerCase(), SEVERITIES, "--severity")),
    ignoreUnfixed: parsed.flags.has("ignore-unfixed"),
    offline: parsed.flags.has("offline"),
    quiet: parsed.flags.has("quiet"),
    plainHttp: parsed.flags.has("plain-http"),
    useCache: !parsed.flags.has("no-cache"),
    ...(platform === undefined ? {} : { platform }),
    ...(base === undefined ? {} : { base }),
    ...(output === undefined ? {} : { output }),
    ...(db === undefined ? {} : { database: db }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(requireSignature === undefined ? {} : { requireSignature }),
  };
}

/** `--policy a.yaml b.yaml` names two policies: no source ends like a policy file. */
function partPositionals(parsed: ParsedOptions): readonly [string[], string[]] {
  if (parsed.lists.policy === undefined) return [[...parsed.positionals], []];
  const isPolicy = (word: string) => /\.ya?ml$/i.test(word);
  return [parsed.positionals.filter((word) => !isPolicy(word)), parsed.positionals.filter(isPolicy)];
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

SOURCE
  docker.io/library/nginx:1.27   an image in a registry (http://HOST/… for plain HTTP)
  image.tar                      a docker or OCI archive
  oci:DIR[:TAG]                  an OCI layout
  containerd:REF  docker:REF  podman:REF
                                 an image of a local engine, through its socket
  dir:ROOTFS                     a root file system
  sbom:FILE                      a CycloneDX or SPDX document (JSON)

Options
  --format FORMAT      ${FORMATS.join(", ")} (default table)
  -o, --output FILE    write the report there instead of stdout
  --policy FILE …      judge by these policies instead of the default one
  --vex FILE           OpenVEX statements that take findings out; may be repeated
  --require-signature FILE
                       refuse the image unless its signatures satisfy this signature policy
  --severity LIST      report only these, comma-separated: critical,high
  --ignore-unfixed     leave out findings without a fixed version
  --scanners LIST      ${SCANNERS.join(", ")} (default: all of them)
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
  bulwark scan --format cyclonedx -o app.cdx.json registry.example/team/app:1.4
  bulwark scan --policy gate.yaml --vex app.openvex.json containerd:registry.example/team/app:1.4

Exit status: 0 within policy, 1 a policy is violated, 2 the scan could not be done.
`;

import { createRequire } from "node:module";
import { join } from "node:path";
import type { Check } from "@bulwark/benchmark";
import type { ContentScanner, RemoteScanner, ScannerName } from "@bulwark/model";
import packageJson from "../../../../package.json" with { type: "json" };
import { readDenyList } from "../components/deny-list.ts";
import type { ComponentLists } from "../components/judge-components.ts";
import { readNames } from "../components/look-alikes.ts";
import type { ImageInspection } from "../inspect-image.ts";
import { lazyScanner } from "../lazy-scanner.ts";
import type { ContentOptions } from "../scanner-set.ts";
import { type ContentFileText, digestOfFiles, filesBelow, namedFiles } from "./content-files.ts";
import { keptJson } from "./kept-json.ts";
import { contentDirectory } from "./places.ts";

/** Raised when a content scanner gives other facts by the same rules. */
const SCANNERS_VERSION = 2;
const RELEASE = `${packageJson.version}.${SCANNERS_VERSION}`;
/** More than any program; only data is larger. */
const SEARCHED_BYTES = 256 * 1024 * 1024;
const APP_CONFIG_MAX_BYTES = 1024 * 1024;
const INSTALL_SCRIPT_BYTES = 512 * 1024;

/**
 * Loads a library when something has to be looked at, and not before: a scan whose layers are all in the cache needs none
 * of them. Scanners are asked for synchronously, so that they cannot be awaited then.
 */
const load = createRequire(import.meta.url);
const secretLibrary = (): typeof import("../secrets/index.ts") => load("../secrets/index.ts");
const malwareLibrary = (): typeof import("../malware/index.ts") => load("../malware/index.ts");
const sourceLibrary = (): typeof import("../source/index.ts") => load("../source/index.ts");
const checkLibrary = (): typeof import("@bulwark/benchmark") => load("@bulwark/benchmark");

/** Which scanners are wanted, and what the user adds to what ships. */
export interface ScannerOptions {
  readonly scanners: readonly ScannerName[];
  /** Files of secret rules, YARA rules, indicators and denied components, beside those that ship. */
  readonly secretRules: readonly string[];
  readonly yaraRules: readonly string[];
  readonly indicators: readonly string[];
  readonly denyLists: readonly string[];
  /** Registries that images may come from; empty for any. */
  readonly registries: readonly string[];
  /** Socket of a clamd. */
  readonly clamd?: string;
  /** Whether files that an OS package vouches for are spared the content scanners. */
  readonly trustPackages: boolean;
}

/** Everything besides vulnerabilities that a scan looks for. */
export interface Scanners {
  readonly content: ContentOptions;
  readonly inspection: ImageInspection;
  readonly components: ComponentLists | undefined;
  /** Rules of the user that could not be used, as sentences. */
  readonly problems: readonly string[];
}

/**
 * Makes the scanners that were asked for. The libraries and rules of each are read only when something has to be looked
 * at.
 *
 * @throws ScanError `FILE_UNREADABLE`, ScanError `DENY_LIST_INVALID`
 */
export async function makeScanners(options: ScannerOptions): Promise<Scanners> {
  const wanted = new Set(options.scanners);
  const problems: string[] = [];
  const scanners: ContentScanner[] = [];
  const remote: RemoteScanner[] = [];
  let inspection: ImageInspection = { registries: options.registries };
  if (wanted.has("secret")) {
    const { scanner, secrets } = secretScanner(options, problems);
    scanners.push(scanner);
    inspection = { ...inspection, secrets };
  }
  if (wanted.has("malware")) {
    scanners.push(malwareScanner(options, problems), installScriptScanner());
    if (options.clamd !== undefined) {
      remote.push(await malwareLibrary().createClamdScanner({ socket: options.clamd }));
    }
  }
  if (wanted.has("config")) {
    const { scanner, checks } = configScanner();
    scanners.push(scanner);
    inspection = { ...inspection, checks };
  }
  return {
    content: { scanners, remote, trustPackages: options.trustPackages, notable: wanted.has("config") },
    inspection,
    components: wanted.has("config") ? componentLists(options) : undefined,
    problems: [...new Set(problems)],
  };
}

function secretScanner(options: ScannerOptions, problems: string[]) {
  const shipped = filesBelow(join(contentDirectory, "secrets"), [".yaml"]);
  const own = namedFiles(options.secretRules, [".yaml", ".yml", ".toml"], "secret rules");
  const version = digestOfFiles(RELEASE, [...shipped, ...own]);
  const read = ({ name, text }: ContentFileText) =>
    name.endsWith(".toml")
      ? secretLibrary().readGitleaksRules(text, name)
      : secretLibrary().readSecretRules(text, name);
  // What is wrong with a user's rules is told whether or not there is a file to try them on.
  const sets = own.map(read);
  problems.push(...sets.flatMap(({ errors }) => errors.map(({ message }) => message)));
  const rules = () => [
    keptJson(`secret-rules-${digestOfFiles(RELEASE, shipped)}`, () => {
      const { joinSecretRules, readSecretRules } = secretLibrary();
      return joinSecretRules(shipped.map(({ name, text }) => readSecretRules(text, name, { trusted: true })));
    }),
    ...sets,
  ];
  const scanner = lazyScanner({
    id: "secrets",
    version,
    maxBytes: SEARCHED_BYTES,
    load: () => secretLibrary().createSecretScanner(rules(), { maxBytes: SEARCHED_BYTES }),
  });
  return { scanner, secrets: { version, load: () => secretLibrary().createConfigSecretScan(rules()) } };
}

function malwareScanner(options: ScannerOptions, problems: string[]): ContentScanner {
  const shipped = filesBelow(join(contentDirectory, "yara"), [".yar"]);
  const own = namedFiles(options.yaraRules, [".yar", ".yara"], "YARA rules");
  const ownLists = namedFiles(options.indicators, [".txt"], "indicator list");
  const lists = [...filesBelow(join(contentDirectory, "indicators"), [".txt"]), ...ownLists];
  if (own.length > 0) problems.push(...malwareLibrary().loadYaraRules(own).problems);
  if (ownLists.length > 0) problems.push(...malwareLibrary().loadIndicators(ownLists).problems);
  return lazyScanner({
    id: "malware",
    wantsWhole: (head) => malwareLibrary().isArchive(head),
    version: digestOfFiles(RELEASE, [...shipped, ...own, ...lists]),
    maxBytes: SEARCHED_BYTES,
    load: () => {
      const { createMalwareScanner, loadIndicators, loadYaraRules } = malwareLibrary();
      return createMalwareScanner({ rules: loadYaraRules(own, shipped), indicators: loadIndicators(lists) });
    },
  });
}

function installScriptScanner(): ContentScanner {
  const files = filesBelow(join(contentDirectory, "install-scripts"), [".yaml"]);
  return lazyScanner({
    id: "install-scripts",
    version: digestOfFiles(RELEASE, files),
    maxBytes: INSTALL_SCRIPT_BYTES,
    load: () => sourceLibrary().createInstallScriptScanner(sourceLibrary().readInstallRules(files)),
  });
}

function configScanner() {
  const folder = join(contentDirectory, "checks");
  const [image, app] = ["image", "app"].map((name) => filesBelow(join(folder, name), [".yaml"]));
  const read = (name: string, files: readonly ContentFileText[] = []): readonly Check[] =>
    keptJson(`${name}-checks-${digestOfFiles(RELEASE, files)}`, () =>
      files.flatMap((file) => checkLibrary().readChecks(file.text, file.name)),
    );
  const scanner = lazyScanner({
    id: "app-config",
    version: digestOfFiles(RELEASE, app ?? []),
    maxBytes: APP_CONFIG_MAX_BYTES,
    load: () => checkLibrary().createAppConfigScanner(checkLibrary().CONFIG_READERS, read("app", app)),
  });
  return { scanner, checks: read("image", image) };
}

function componentLists({ denyLists }: ScannerOptions): ComponentLists {
  const folder = join(contentDirectory, "components");
  const shipped = filesBelow(folder, ["deny.yaml"]);
  const read = (files: readonly ContentFileText[]) => files.flatMap(({ name, text }) => readDenyList(text, name));
  const popular = filesBelow(join(folder, "popular"), [".txt"]);
  const [neighbours] = filesBelow(folder, ["neighbours.txt"]);
  return {
    denied: [
      ...keptJson(`denied-${digestOfFiles(RELEASE, shipped)}`, () => read(shipped)),
      ...read(namedFiles(denyLists, [".yaml", ".yml"], "deny list")),
    ],
    names: {
      popular: Object.fromEntries(popular.map(({ name, text }) => [name.replace(/\.txt$/, ""), readNames(text)])),
      honest: readNames(neighbours?.text ?? ""),
    },
  };
}

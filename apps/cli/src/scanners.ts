import { join } from "node:path";
import type { ContentScanner, RemoteScanner } from "@bulwark/model";
import {
  type ComponentLists,
  type ContentOptions,
  type ImageInspection,
  lazyScanner,
  readDenyList,
  readNames,
} from "@bulwark/scan";
import packageJson from "../../../package.json" with { type: "json" };
import { type ContentFileText, digestOfFiles, filesBelow, namedFiles } from "./content-files.ts";
import { keptJson } from "./kept-json.ts";
import { contentDirectory } from "./places.ts";
import type { ScanArguments } from "./scan-options.ts";

/** Raised when a content scanner gives other facts by the same rules. */
const SCANNERS_VERSION = 1;
const RELEASE = `${packageJson.version}.${SCANNERS_VERSION}`;
/** More than any program; only data is larger. */
const SEARCHED_BYTES = 256 * 1024 * 1024;
const APP_CONFIG_MAX_BYTES = 1024 * 1024;

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
 * @throws CliError `FILE_UNREADABLE`, ScanError `DENY_LIST_INVALID`
 */
export async function makeScanners(options: ScanArguments): Promise<Scanners> {
  const wanted = new Set(options.scanners);
  const problems: string[] = [];
  const scanners: ContentScanner[] = [];
  const remote: RemoteScanner[] = [];
  let inspection: ImageInspection = { registries: options.registries };
  if (wanted.has("secret")) {
    const { scanner, secrets } = await secretScanner(options, problems);
    scanners.push(scanner);
    inspection = { ...inspection, secrets };
  }
  if (wanted.has("malware")) {
    scanners.push(await malwareScanner(options, problems), await installScriptScanner());
    if (options.clamd !== undefined) {
      const { createClamdScanner } = await import("@bulwark/scan/malware");
      remote.push(await createClamdScanner({ socket: options.clamd }));
    }
  }
  if (wanted.has("config")) {
    const { scanner, checks } = await configScanner();
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

async function secretScanner(options: ScanArguments, problems: string[]) {
  const shipped = filesBelow(join(contentDirectory, "secrets"), [".yaml"]);
  const own = namedFiles(options.secretRules, [".yaml", ".yml", ".toml"], "secret rules");
  const version = digestOfFiles(RELEASE, [...shipped, ...own]);
  const library = await import("@bulwark/scan/secrets");
  const read = ({ name, text }: ContentFileText) =>
    name.endsWith(".toml") ? library.readGitleaksRules(text, name) : library.readSecretRules(text, name);
  // What is wrong with a user's rules is told whether or not there is a file to try them on.
  const sets = own.map(read);
  problems.push(...sets.flatMap(({ errors }) => errors.map(({ message }) => message)));
  const rules = () => [
    keptJson(`secret-rules-${digestOfFiles(RELEASE, shipped)}`, () =>
      library.joinSecretRules(shipped.map(({ name, text }) => library.readSecretRules(text, name, { trusted: true }))),
    ),
    ...sets,
  ];
  const scanner = lazyScanner({
    id: "secrets",
    version,
    maxBytes: SEARCHED_BYTES,
    load: () => library.createSecretScanner(rules(), { maxBytes: SEARCHED_BYTES }),
  });
  return { scanner, secrets: { version, load: () => library.createConfigSecretScan(rules()) } };
}

async function malwareScanner(options: ScanArguments, problems: string[]): Promise<ContentScanner> {
  const shipped = filesBelow(join(contentDirectory, "yara"), [".yar"]);
  const own = namedFiles(options.yaraRules, [".yar", ".yara"], "YARA rules");
  const ownLists = namedFiles(options.indicators, [".txt"], "indicator list");
  const lists = [...filesBelow(join(contentDirectory, "indicators"), [".txt"]), ...ownLists];
  const library = await import("@bulwark/scan/malware");
  if (own.length > 0) problems.push(...library.loadYaraRules(own).problems);
  if (ownLists.length > 0) problems.push(...library.loadIndicators(ownLists).problems);
  return lazyScanner({
    id: "malware",
    wantsWhole: library.isArchive,
    version: digestOfFiles(RELEASE, [...shipped, ...own, ...lists]),
    maxBytes: SEARCHED_BYTES,
    load: () => {
      const compiled = library.loadYaraRules(own, shipped);
      return library.createMalwareScanner({ rules: compiled, indicators: library.loadIndicators(lists) });
    },
  });
}

async function installScriptScanner(): Promise<ContentScanner> {
  const files = filesBelow(join(contentDirectory, "install-scripts"), [".yaml"]);
  const library = await import("@bulwark/scan/source");
  return lazyScanner({
    id: "install-scripts",
    version: digestOfFiles(RELEASE, files),
    maxBytes: library.INSTALL_SCRIPT_MAX_BYTES,
    load: () => library.createInstallScriptScanner(library.readInstallRules(files)),
  });
}

async function configScanner() {
  const { readChecks } = await import("@bulwark/benchmark/image");
  const folder = join(contentDirectory, "checks");
  const checks = filesBelow(join(folder, "image"), [".yaml"]).flatMap(({ name, text }) => readChecks(text, name));
  const files = filesBelow(join(folder, "app"), [".yaml"]);
  const { createAppConfigScanner, CONFIG_READERS } = await import("@bulwark/benchmark");
  const scanner = lazyScanner({
    id: "app-config",
    version: digestOfFiles(RELEASE, files),
    maxBytes: APP_CONFIG_MAX_BYTES,
    load: () =>
      createAppConfigScanner(
        CONFIG_READERS,
        files.flatMap(({ name, text }) => readChecks(text, name)),
      ),
  });
  return { scanner, checks };
}

function componentLists({ denyLists }: ScanArguments): ComponentLists {
  const folder = join(contentDirectory, "components");
  const lists = [...filesBelow(folder, ["deny.yaml"]), ...namedFiles(denyLists, [".yaml", ".yml"], "deny list")];
  const popular = filesBelow(join(folder, "popular"), [".txt"]);
  const [neighbours] = filesBelow(folder, ["neighbours.txt"]);
  return {
    denied: lists.flatMap(({ name, text }) => readDenyList(text, name)),
    names: {
      popular: Object.fromEntries(popular.map(({ name, text }) => [name.replace(/\.txt$/, ""), readNames(text)])),
      honest: readNames(neighbours?.text ?? ""),
    },
  };
}

import type { ContentFact, ContentFacts, ContentFile, ContentScanner } from "@bulwark/model";
import type { Check } from "../check.ts";
import { evaluateChecks } from "../evaluate.ts";
import type { ConfigReader } from "./document.ts";
import { pathMatcher } from "./path-glob.ts";

/** No program's configuration file is larger; what lies beyond is not read. */
const MAX_BYTES = 1024 * 1024;
/** Documentation: what lies there is an example that no program reads. */
const EXAMPLES = /^usr\/(local\/)?share\/(doc|doc-base|examples|man)\//;
/** Changes whenever a reader reads the same bytes otherwise. */
const READERS_VERSION = "1";

/**
 * A content scanner for the configuration files of application software.
 *
 * @param readers usually `CONFIG_READERS`
 * @param checks all checks; those for other subjects are left out
 * @example createAppConfigScanner(CONFIG_READERS, checks).wants({ path: "etc/nginx/nginx.conf", mode: 0o644, sizeBytes: 1 });
 */
export function createAppConfigScanner(readers: readonly ConfigReader[], checks: readonly Check[]): ContentScanner {
  const known = readers.map((reader) => ({
    reader,
    matches: pathMatcher(reader.wants),
    checks: checks.filter(({ subject }) => subject === `app:${reader.id}`),
  }));
  return {
    id: "app-config",
    version: `${READERS_VERSION}-${textHash(JSON.stringify(known.map(({ reader, checks: own }) => [reader.id, reader.wants, own])))}`,
    maxBytes: MAX_BYTES,
    wants: ({ path, sizeBytes }) => sizeBytes > 0 && !EXAMPLES.test(path) && known.some(({ matches }) => matches(path)),
    scan: (file) => scanFile(known, file),
  };
}

interface KnownReader {
  readonly reader: ConfigReader;
  readonly matches: (path: string) => boolean;
  readonly checks: readonly Check[];
}

function scanFile(known: readonly KnownReader[], file: ContentFile): ContentFacts {
  const facts: ContentFact[] = [];
  const problems: string[] = [];
  for (const { reader, matches, checks } of known) {
    if (!matches(file.path)) continue;
    if (file.bytes.subarray(0, 4_096).includes(0)) {
      problems.push(`it is no text and was not read as a configuration file of ${reader.id}`);
      continue;
    }
    const document = reader.read(file);
    const { hits, problems: unjudged } = evaluateChecks(checks, {
      path: file.path,
      directives: document.directives,
      values: document.values,
    });
    facts.push(...hits.map(({ fact }) => fact));
    problems.push(...document.problems.map((problem) => `${reader.id} configuration: ${problem}`), ...unjudged);
  }
  return { facts, problems };
}

/** FNV-1a over 2 x 32 bits: tells versions of the checks apart in a cache key; nobody gains by making two collide. */
function textHash(text: string): string {
  let one = 0x811c9dc5;
  let two = 0x01000193;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ code ^ (at & 0xff), 0x85ebca6b);
  }
  return [one, two].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}

import { type ContentFacts, wholeFile } from "@bulwark/model";
import { CONFIG_READERS } from "../app/readers.ts";
import { createAppConfigScanner } from "../app/scanner.ts";
import type { Check, CheckSample } from "../check.ts";

/** What the checks find in a text that lies at the sample's path, or at a path its program's reader wants. */
export function appFacts(checks: readonly Check[], sample: CheckSample): Required<ContentFacts> {
  const program = checks[0]?.subject.slice("app:".length);
  const [glob = ""] = CONFIG_READERS.find(({ id }) => id === program)?.wants ?? [];
  const path = sample.path === "" ? glob.replace("**/", "opt/").replaceAll("*", "x") : sample.path;
  const bytes = new TextEncoder().encode(sample.content);
  const scanner = createAppConfigScanner(CONFIG_READERS, checks);
  const head = { path, mode: 0o644, sizeBytes: bytes.length };
  if (!scanner.wants(head)) throw new Error(`no reader wants ${path}`);
  const { facts = [], problems = [] } = scanner.scan(wholeFile(path, bytes));
  return { facts, problems };
}

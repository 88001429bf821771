import type { LayerReport } from "@bulwark/model";
import { expect, test } from "vitest";
import { pathListWriter } from "./path-list.ts";
import { findTampered } from "./tampering.ts";
import { layer } from "./testing/layers.ts";

const DATABASE = "var/lib/dpkg/info/x.md5sums";
const digestsOf = (letter: string) => letter.repeat(96);

function recording(
  records: Iterable<readonly [path: string, digest: string]>,
  files: Record<string, string> = {},
): LayerReport {
  const entries = [...records];
  const recorded = pathListWriter();
  for (const each of [DATABASE, String(entries.length), ...entries.flat()]) recorded.add(each);
  const digests = pathListWriter();
  for (const each of Object.entries(files).flat()) digests.add(each);
  return {
    ...layer({ owned: { [DATABASE]: [] }, paths: Object.keys(files) }),
    recorded: recorded.finish(),
    digests: digests.finish(),
  };
}
const md5 = (letter: string) => `md5:${letter.repeat(32)}`;
const named = (layers: readonly LayerReport[]) => findTampered(layers).map(({ path }) => path);

test("a file that several packages record is tampered with when it is none of what they record", () => {
  const files = { "usr/bin/a": digestsOf("a"), "usr/bin/b": digestsOf("b"), "bin/a": digestsOf("c") };
  const records = [
    ["usr/bin/a", md5("1")],
    ["usr/bin/a", md5("a")],
    ["usr/bin/b", md5("1")],
    ["usr/bin/b", md5("2")],
  ] as const;
  expect(named([recording(records, files)])).toEqual(["bin/a", "usr/bin/b"]);
});

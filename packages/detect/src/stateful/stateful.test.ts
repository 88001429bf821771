import type { RuntimeEvent } from "@bulwark/model";
import { describe, expect, test } from "vitest";
import { createDetector } from "../detector.ts";
import { loadRules } from "../rule-set.ts";
import { container, event, process } from "../testing/events.ts";

const SECOND = 1_000_000;

function detecting(rule: string) {
  const set = loadRules([{ name: "r.yaml", text: `- rule: R\n  desc: d\n  output: o\n  priority: info\n${rule}` }]);
  expect(set.reports).toMatchObject([{ state: "ready", problems: [] }]);
  const { detect } = createDetector(set, { foldUs: 0 });
  return (events: readonly RuntimeEvent[]) => events.flatMap(detect).map(({ output }) => output);
}

const at = (seconds: number) => ({ timeUs: 1_700_000_000_000_000 + seconds * SECOND });
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("threshold", () => {
  const RULE = `  condition: evt.type = connect
  detector: threshold
  settings: {distinct: 'concat(fd.rip, ":", fd.rport)', atLeast: 5, windowSeconds: 10}\n`;
  const connect = (seconds: number, port: number, given: Partial<RuntimeEvent> = {}) =>
    event("connect", { ...at(seconds), family: 4, remoteAddress: "10.0.0.1", remotePort: port, ...given });

  test("counts different values within its time, per container", () => {
    expect(detecting(RULE)(numbers(5).map((port) => connect(port, port)))).toEqual([
      'o (5 different values of concat(fd.rip, ":", fd.rport) within 10 s)',
    ]);
    expect(detecting(RULE)(numbers(20).map(() => connect(0, 80)))).toEqual([]);
    expect(detecting(RULE)(numbers(20).map((port) => connect(port * 4, port)))).toEqual([]);
    const others = numbers(8).map((port) => connect(0, port, { container: container({ id: `c${port % 2}` }) }));
    expect(detecting(RULE)(others)).toEqual([]);
  });

  test("tells an attack that goes on again, once per so many values", () => {
    expect(detecting(RULE)(numbers(17).map((port) => connect(0, port)))).toHaveLength(3);
  });
});

describe("sequence", () => {
  const RULE = `  condition: evt.type = connect and fd.rport = 443
  detector: sequence
  settings: {before: ["evt.type = open and fd.name = /a", "evt.type = open and fd.name = /b"], windowSeconds: 10}\n`;
  const open = (seconds: number, path: string) => event("open", { ...at(seconds), path });
  const connect = (seconds: number) =>
    event("connect", { ...at(seconds), family: 4, remoteAddress: "1.1.1.1", remotePort: 443 });

  test("takes its steps in their order within its time", () => {
    expect(detecting(RULE)([open(0, "/a"), open(1, "/b"), connect(2)])).toEqual([
      "o (after open /a by app, open /b by app)",
    ]);
    expect(detecting(RULE)([open(0, "/b"), open(1, "/a"), connect(2)])).toEqual([]);
    expect(detecting(RULE)([open(0, "/a"), open(1, "/b"), connect(12)])).toEqual([]);
    expect(detecting(RULE)([open(0, "/a"), connect(2)])).toEqual([]);
    expect(detecting(RULE)([open(0, "/a"), open(1, "/b"), { ...connect(2), container: null }])).toEqual([]);
    expect(detecting(RULE)([open(0, "/a"), open(1, "/b"), connect(2), connect(3)])).toHaveLength(1);
  });

  test("in any order takes them as they come", () => {
    const any = RULE.replace("windowSeconds", "order: any, windowSeconds");
    expect(detecting(any)([connect(0), open(1, "/b"), open(2, "/a")])).toHaveLength(1);
    expect(detecting(any)([connect(0), open(1, "/b"), open(12, "/a")])).toEqual([]);
  });

  test("per process keeps to one", () => {
    const alone = RULE.replace("windowSeconds", "per: process, windowSeconds");
    const other = process({ pid: 7 });
    expect(detecting(alone)([open(0, "/a"), open(1, "/b"), { ...connect(2), process: other }])).toEqual([]);
    expect(detecting(alone)([open(0, "/a"), open(1, "/b"), connect(2)])).toHaveLength(1);
  });
});

describe("bulk-rewrite", () => {
  const RULE = `  condition: evt.type in (rename, creat, unlink)
  detector: bulk-rewrite
  settings: {files: 5, windowSeconds: 10}\n`;

  test("finds renames to one ending, and copies beside removed originals", () => {
    const renames = numbers(5).map((index) =>
      event("rename", { ...at(0), path: `/d/${index}.txt`, newPath: `/d/${index}.txt.locked` }),
    );
    expect(detecting(RULE)(renames)).toEqual(["o (5 files got the ending .locked within 10 s)"]);
    const copies = numbers(5).flatMap((index) => [
      event("creat", { ...at(1), path: `/d/${index}.txt.enc` }),
      event("unlink", { ...at(1), path: `/d/${index}.txt` }),
    ]);
    expect(detecting(RULE)(copies)).toEqual(["o (5 files got the ending .enc within 10 s)"]);
  });

  test("lets moving, saving and cleaning up pass", () => {
    const moved = numbers(50).map((index) =>
      event("rename", { ...at(0), path: `/d/${index}.txt`, newPath: `/e/${index}.txt` }),
    );
    const saved = numbers(50).map((index) =>
      event("rename", { ...at(index), path: `/d/.x${index}.tmp`, newPath: `/d/file${index}` }),
    );
    const removed = numbers(50).map((index) => event("unlink", { ...at(0), path: `/d/${index}.txt` }));
    expect(detecting(RULE)([...moved, ...saved, ...removed])).toEqual([]);
  });
});

test("an attacker with ten thousand containers does not fill the memory", () => {
  const rule = `  condition: evt.type = unlink
  detector: threshold
  settings: {distinct: fs.path.name, atLeast: 3}\n`;
  const run = detecting(rule);
  const first = event("unlink", { path: "/0", container: container({ id: "first" }) });
  run([first]);
  run(numbers(12_000).map((index) => event("unlink", { path: "/1", container: container({ id: `c${index}` }) })));
  // What the first had done is forgotten, and it begins anew.
  expect(
    run([
      { ...first, path: "/1" },
      { ...first, path: "/2" },
    ]),
  ).toEqual([]);
});

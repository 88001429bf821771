import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createDetector, loadRules, type RuleFile, type RuleSet } from "@bulwark/detect";
import type { RuntimeEvent } from "@bulwark/model";
import { ordinaryEvents } from "./detect-events.ts";
import { type BenchResult, compared, limited, median, smoke } from "./result.ts";

const RULES = join(import.meta.dirname, "../content/rules");
const RULE_COUNT = 200;
const EVENTS = smoke ? 2000 : 20_000;
const SECONDS = smoke ? 0.05 : 1.5;
const RUNS = smoke ? 1 : 3;
const LIMIT = 1_000_000;

/** Events judged per second on one core by 200 rules, against the limit and against trying each rule on each event. */
export async function detectBench(): Promise<readonly BenchResult[]> {
  const set = loadRules([...shippedRules(), moreRules()]);
  const rules = set.rules.slice(0, RULE_COUNT);
  if (rules.length < RULE_COUNT) throw new Error(`only ${rules.length} rules load`);
  const events = ordinaryEvents(EVENTS);
  const chosen = new Set(rules);
  const [indexed, linear]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    const { detect } = createDetector(set, { runs: (rule) => chosen.has(rule) });
    indexed.push(perSecond(events, (event) => detect(event).length));
    linear.push(perSecond(events, unindexed(set)));
  }
  const few = createDetector(set, { runs: (rule) => rules.indexOf(rule) >= 0 && rules.indexOf(rule) < 50 });
  const speed = median(indexed);
  return [
    compared(`events judged by ${RULE_COUNT} rules`, speed, "events/s", "limit", LIMIT),
    compared(
      `events judged by ${RULE_COUNT} rules`,
      speed,
      "events/s",
      "the same rules, each tried on each event",
      median(linear),
    ),
    compared(
      `events judged by ${RULE_COUNT} rules`,
      speed,
      "events/s",
      "by 50 rules",
      perSecond(events, (event) => few.detect(event).length),
    ),
    limited("rules loaded and compiled", loadSeconds(), "s", 1),
  ];
}

function perSecond(events: readonly RuntimeEvent[], judge: (event: RuntimeEvent) => number): number {
  let alerts = 0;
  // Once for the compiler.
  for (const event of events) alerts += judge(event);
  const start = performance.now();
  let judged = 0;
  while (performance.now() - start < SECONDS * 1000) {
    for (const event of events) alerts += judge(event);
    judged += events.length;
  }
  if (alerts > judged) throw new Error("ordinary events are mostly alerts");
  return judged / ((performance.now() - start) / 1000);
}

function unindexed({ rules, planner }: RuleSet): (event: RuntimeEvent) => number {
  const tests = rules.slice(0, RULE_COUNT).map(({ resolved }) => planner.closeAnywhere(resolved));
  return (event) => {
    let met = 0;
    for (const test of tests) if (test(event)) met++;
    return met;
  };
}

function loadSeconds(): number {
  const start = performance.now();
  loadRules([...shippedRules(), moreRules()]);
  return (performance.now() - start) / 1000;
}

function shippedRules(): readonly RuleFile[] {
  const names = readdirSync(RULES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));
  return names.toSorted().map((name) => ({ name, text: readFileSync(join(RULES, name), "utf8") }));
}

/** Rules as people write them beside ours: names, ancestors, paths, ports, with their exceptions. */
function moreRules(): RuleFile {
  const conditions = [
    (at: number) =>
      `started and contained and proc.name in (tool-${at}, helper-${at}) and not proc.pname in (init-${at}, systemd)`,
    (at: number) =>
      `opened_to_write and contained and fd.name startswith /srv/area-${at}/ and not proc.name = writer-${at}`,
    (at: number) =>
      `started and contained and proc.cmdline contains "--secret-${at}" and not proc.aname in (trusted-${at})`,
    (at: number) =>
      `evt.type = connect and contained and fd.sip in ("203.0.113.${at % 250}", "198.51.100.0/24") and fd.sport = ${1000 + at}`,
    (at: number) =>
      `(opened_to_read or opened_to_write) and contained and fd.directory in (/opt/conf-${at}, /opt/keys-${at})`,
    (at: number) =>
      `evt.type in (rename, unlink) and contained and fs.path.name pmatch (/data/keep-${at}, /backup/${at})`,
    (at: number) => `started and container.image.repository endswith /app-${at} and proc.name in (shells)`,
  ];
  const text = Array.from({ length: RULE_COUNT }, (_, at) => {
    const condition = conditions[at % conditions.length]?.(at) ?? "";
    return `- rule: More ${at}\n  desc: d\n  condition: >\n    ${condition}\n  output: "%proc.cmdline %fd.name"\n  priority: NOTICE\n`;
  });
  return { name: "more.yaml", text: text.join("") };
}

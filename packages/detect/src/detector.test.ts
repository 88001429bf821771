import { expect, test } from "vitest";
import { allowConditionFor, EVERYWHERE } from "./allow-list.ts";
import { createDetector, type DetectorOptions } from "./detector.ts";
import { DetectError } from "./errors.ts";
import { createIndicatorMatcher } from "./indicators.ts";
import { loadRules } from "./rule-set.ts";
import { container, event, process } from "./testing/events.ts";

const RULES = `
- rule: Shell
  desc: d
  condition: evt.type = execve and proc.name in (sh, bash)
  output: shell %proc.cmdline
  priority: NOTICE
- rule: Write
  desc: d
  condition: evt.type = open and evt.is_open_write = true and (fd.name startswith /etc/ or proc.name = evil)
  output: write %fd.name
  priority: ERROR
  enabled: false
`;
const set = loadRules([{ name: "r.yaml", text: RULES }]);
const SECOND = 1_000_000;
const START = 1_700_000_000_000_000;
const shell = (seconds: number, command = "id") =>
  event("execve", {
    timeUs: START + seconds * SECOND,
    process: process({ name: "sh", exe: "/bin/sh", arguments: ["sh", "-c", command] }),
  });
const detecting = (options: DetectorOptions = {}) => createDetector(set, options);

test("rules run as their files say, unless who runs them says otherwise", () => {
  const write = event("open", { path: "/etc/x", flags: 1 });
  expect(detecting().detect(write)).toEqual([]);
  expect(detecting({ runs: () => true }).detect(write)).toHaveLength(1);
  expect(detecting({ runs: ({ name }) => name !== "Shell" }).detect(shell(0))).toEqual([]);
});

test("a rule that two of its alternatives lead to is told once", () => {
  const both = event("open", { path: "/etc/x", flags: 1, process: process({ name: "evil" }) });
  expect(detecting({ runs: () => true }).detect(both)).toHaveLength(1);
});

test("repeats within the window are counted and not told, and told again after it", () => {
  const { detect, takeRepeats } = detecting({ foldUs: 60 * SECOND });
  const [first] = detect(shell(0));
  expect(detect(shell(10))).toEqual([]);
  expect(detect({ ...shell(20), count: 5 })).toEqual([]);
  expect(takeRepeats()).toEqual([{ key: first?.key, rule: "Shell", count: 6, lastUs: START + 20 * SECOND }]);
  expect(takeRepeats()).toEqual([]);
  expect(detect(shell(61))).toHaveLength(1);
  expect(detect({ ...shell(62), container: container({ id: "f".repeat(64) }) })).toHaveLength(1);
});

test("a clock that is set back silences nothing for as long as it was off", () => {
  let now = START;
  const { detect } = detecting({ foldUs: 60 * SECOND, nowUs: () => now });
  expect(detect(shell(0))).toHaveLength(1);
  now = START - 3600 * SECOND;
  expect(detect(shell(1))).toHaveLength(1);
  expect(detect(shell(2))).toEqual([]);
});

test("what the allow-list accepts is counted and not told, in its scope and until its end", () => {
  const entry = {
    id: "a",
    rule: "Shell",
    condition: 'proc.cmdline = "sh -c id"',
    scope: { ...EVERYWHERE, host: false, images: ["*/nginx:*"] },
    untilUs: START + 100 * SECOND,
    reason: "known",
  };
  const { detect, accepted } = detecting({ allow: [entry], foldUs: 0 });
  expect(detect(shell(0))).toEqual([]);
  expect(accepted().get("a")).toBe(1);
  expect(detect(shell(0, "rm -rf /"))).toHaveLength(1);
  expect(detect({ ...shell(0), container: container({ image: "other" }) })).toHaveLength(1);
  expect(detect({ ...shell(0), container: null })).toHaveLength(1);
  expect(detect(shell(101))).toHaveLength(1);
  expect(() => detecting({ allow: [{ ...entry, condition: "proc.name =" }] })).toThrow(DetectError);
});

test("the condition that one click makes accepts the alert it was made for, whatever stands in it", () => {
  for (const command of ["id", "echo \"a\\b\" 'c' \n\t", "x and not (y)", "日本"]) {
    const [alert] = detecting().detect(shell(0, command));
    if (alert === undefined) throw new Error("no alert");
    const entry = {
      id: "a",
      rule: "",
      condition: allowConditionFor(alert.event),
      scope: EVERYWHERE,
      untilUs: null,
      reason: "",
    };
    expect(detecting({ allow: [entry] }).detect(shell(1, command))).toEqual([]);
    expect(detecting({ allow: [entry] }).detect(shell(1, `${command} `))).toHaveLength(1);
  }
});

test("an address goes by the name that its container had asked for, and not by another's", () => {
  const named = loadRules([
    {
      name: "n.yaml",
      text: "- rule: Pool\n  desc: d\n  condition: evt.type = connect and fd.sip.name in (pool.example)\n  output: to %fd.sip.name\n  priority: info\n",
    },
  ]);
  const { detect } = createDetector(named, { foldUs: 0 });
  const connect = (seconds: number) =>
    event("connect", { timeUs: START + seconds * SECOND, family: 4, remoteAddress: "203.0.113.9", remotePort: 443 });
  expect(detect(connect(0))).toEqual([]);
  expect(detect(event("dns", { timeUs: START, dnsName: "Pool.example.", dnsAnswers: ["203.0.113.9"] }))).toEqual([]);
  expect(detect(connect(1)).map(({ output }) => output)).toEqual(["to pool.example"]);
  expect(detect({ ...connect(1), container: container({ id: "f".repeat(64) }) })).toEqual([]);
  expect(detect(connect(3700))).toEqual([]);
});

test("an indicator makes an alert of its own until it expires", () => {
  const indicators = createIndicatorMatcher([
    { kind: "domain", value: "evil.example", source: "feed\u001b[31m", untilUs: START + 10 * SECOND },
  ]);
  const { detect } = detecting({ indicators });
  const [alert] = detect(event("dns", { timeUs: START, dnsName: "a.evil.example." }));
  expect(alert).toMatchObject({
    rule: "Known hostile domain asked for",
    severity: "critical",
    tactics: ["command-and-control"],
  });
  expect(alert?.output).toContain("feed\\x1b[31m");
  expect(detect(event("dns", { timeUs: START + 11 * SECOND, dnsName: "b.evil.example" }))).toEqual([]);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDetector } from "./detector.ts";
import { loadRules, type RuleSet } from "./rule-set.ts";
import { container, event, process } from "./testing/events.ts";

/** A file in the manner of the public ones, with every feature of the language. */
const PUBLIC = `
# A comment
- required_engine_version: 0.31.0
- required_plugin_versions:
  - name: k8saudit
    version: 0.7.0

- list: shells
  items: [sh, bash, "dash"]
- list: editors
  items:
    - vi
    - '"na no"'
- list: interactive
  items: [shells, editors, less]
- list: private_networks
  items: ['"10.0.0.0/8"', '"192.168.0.0/16"']

- macro: never
  condition: (evt.num=0)
- macro: started
  condition: (evt.type in (execve, execveat) and evt.dir=<)
- macro: in_container
  condition: (container.id != host)
- macro: opened_for_writing
  condition: >
    (evt.type in (open,openat,openat2)
     and evt.is_open_write=true and fd.typechar='f'
     and fd.num>=0)

- rule: Interactive program
  desc: >
    Somebody works
    in a container
  condition: >
    started and in_container
    and proc.name in (interactive)
    and not never
  output: "Program in a container (user=%user.name cmd=%proc.cmdline parent=%proc.pname ancestor=%proc.aname[2] %container.info)"
  priority: NOTICE
  tags: [container, shell, mitre_execution, T1059.004]

- rule: Written below etc
  desc: a write
  condition: opened_for_writing and fd.name startswith /etc/
  exceptions:
    - name: writers
      fields: [proc.name, fd.directory]
      comps: [=, =]
      values:
        - [tool, /etc/tool]
    - name: starting
      fields: [proc.cmdline, fd.name]
      comps: [startswith, in]
    - name: names
      fields: fd.filename
      comps: in
      values: [mtab, resolv.conf]
    - name: prefixes
      fields: fd.name
      comps: pmatch
      values: [/etc/alternatives]
    - name: default_comps
      fields: [container.image.repository, fd.directory]
  output: Written (file=%fd.name percent=100%% upper=%toupper(proc.name) wrapped=%(proc.name)!)
  priority: ERROR

- rule: Audit
  desc: of another source
  condition: ka.verb = create
  output: x
  priority: INFO
  source: k8s_audit

- rule: Environment
  desc: needs what is not captured
  condition: started and proc.env icontains ld_preload
  output: x
  priority: INFO

- rule: Received
  desc: needs events that never come
  condition: evt.type in (recvfrom, recvmsg) and in_container
  output: x
  priority: INFO

- rule: Partly
  desc: one alternative never comes
  condition: (evt.type in (connect, recvfrom) and fd.sip in (private_networks)) or (evt.type = recvmsg and proc.env exists)
  output: x %proc.env
  priority: debug
  enabled: false
`;

function stateOf(set: RuleSet, rule: string): string {
  return set.reports.find((report) => report.rule === rule)?.state ?? "not reported";
}

function firing(set: RuleSet, given: Parameters<typeof event>): readonly string[] {
  return createDetector(set, { runs: () => true })
    .detect(event(...given))
    .map(({ rule }) => rule);
}

const load = (...texts: string[]) => loadRules(texts.map((text, at) => ({ name: `${at}.yaml`, text })));

describe("a file in the manner of the public ones", () => {
  const set = load(PUBLIC);

  test("loads, and each rule says what became of it", () => {
    expect(set.problems).toEqual([]);
    expect(set.reports.map(({ rule, state }) => `${rule}: ${state}`)).toEqual([
      "Interactive program: ready",
      "Written below etc: ready",
      "Audit: ready",
      "Environment: unsupported",
      "Received: unsupported",
      "Partly: disabled",
    ]);
    const why = (rule: string) =>
      set.reports.find((report) => report.rule === rule)?.problems.map(({ message }) => message);
    expect(why("Environment")?.[0]).toContain("environment variables hold secrets");
    expect(why("Received")?.join()).toContain("recvfrom happens too often");
    expect(why("Partly")?.join()).toContain("in the output: proc.env is not filled");
  });

  test("what is unsupported is told with line and column of the very test", () => {
    const [problem] = set.reports.find(({ rule }) => rule === "Environment")?.problems ?? [];
    const line = PUBLIC.split("\n").findIndex((text) => text.includes("proc.env icontains")) + 1;
    expect(problem?.place).toEqual({ file: "0.yaml", line, column: "  condition: started and ".length + 1 });
  });

  test("nested lists, macros and outputs work together", () => {
    const given = process({
      name: "bash",
      arguments: ["bash", "-c", "echo \u001b[31m\nx"],
      parent: process({ name: "java", parent: process({ name: "tini" }) }),
    });
    const [alert] = createDetector(set).detect(event("execve", { process: given }));
    expect(alert).toMatchObject({
      rule: "Interactive program",
      description: "Somebody works in a container",
      priority: "notice",
      severity: "low",
      techniques: [{ id: "T1059.004", name: "Unix Shell" }],
      tactics: ["execution"],
      fields: { "user.name": "root", "proc.pname": "java", "proc.aname[2]": "tini" },
    });
    expect(alert?.output).toBe(
      "Program in a container (user=root cmd=bash -c echo \\x1b[31m\\nx parent=java ancestor=tini container_id=0123456789ab " +
        "container_name=web container_image_repository=docker.io/library/nginx container_image_tag=1.27 k8s_ns=<NA> k8s_pod_name=<NA>)",
    );
    expect(firing(set, ["execve", { process: process({ name: "na no" }) }])).toEqual(["Interactive program"]);
    expect(firing(set, ["execve", { process: process({ name: "na" }) }])).toEqual([]);
    expect(firing(set, ["execve", { process: given, container: null }])).toEqual([]);
  });

  test("exceptions take out what they say and nothing else", () => {
    const write = (path: string, name = "app") =>
      firing(set, ["open", { path, flags: 0o1101, process: process({ name }) }]);
    expect(write("/etc/shadow")).toEqual(["Written below etc"]);
    expect(write("/etc/tool/a", "tool")).toEqual([]);
    expect(write("/etc/tool/a")).toEqual(["Written below etc"]);
    expect(write("/etc/x/mtab")).toEqual([]);
    expect(write("/etc/alternatives/vi")).toEqual([]);
    expect(write("/etc/alternativesvi")).toEqual(["Written below etc"]);
    expect(firing(set, ["open", { path: "/etc/shadow", flags: 0 }])).toEqual([]);
  });

  test("an output has percent signs, transformers and braces", () => {
    const [alert] = createDetector(set).detect(event("open", { path: "/etc/a", flags: 1 }));
    expect(alert?.output).toBe("Written (file=/etc/a percent=100% upper=APP wrapped=app!)");
  });
});

describe("later files change earlier ones", () => {
  const changed = (text: string) => load(PUBLIC, text);

  test("lists and macros are appended to and replaced", () => {
    const appended = changed("- list: editors\n  items: [emacs]\n  append: true\n");
    expect(firing(appended, ["execve", { process: process({ name: "emacs" }) }])).toEqual(["Interactive program"]);
    const overridden = changed("- list: shells\n  items: [fish]\n  override:\n    items: replace\n");
    expect(firing(overridden, ["execve", { process: process({ name: "bash" }) }])).toEqual([]);
    const macro = changed(
      "- macro: in_container\n  condition: or container.id = host\n  override: {condition: append}\n",
    );
    const onHost = { process: process({ name: "sh" }), container: null };
    expect(firing(macro, ["execve", onHost])).toEqual(["Interactive program"]);
    expect(firing(changed("- macro: never\n  condition: (proc.name = sh)\n"), ["execve", onHost])).toEqual([]);
  });

  test("rules are appended to, overridden key by key, and switched", () => {
    const appended = changed("- rule: Interactive program\n  append: true\n  condition: and not proc.name = sh\n");
    expect(firing(appended, ["execve", { process: process({ name: "sh" }) }])).toEqual([]);
    const overridden = changed(
      "- rule: Interactive program\n  priority: CRITICAL\n  tags: [mine]\n  output: '| more'\n  override: {priority: replace, tags: append, output: append}\n",
    );
    const rule = overridden.rules.find(({ name }) => name === "Interactive program");
    expect(rule).toMatchObject({
      priority: "critical",
      tags: ["container", "shell", "mitre_execution", "T1059.004", "mine"],
    });
    expect(stateOf(changed("- rule: Interactive program\n  enabled: false\n"), "Interactive program")).toBe("disabled");
    expect(stateOf(changed("- rule: Partly\n  enabled: true\n  override: {enabled: replace}\n"), "Partly")).toBe(
      "ready",
    );
  });

  test("exceptions get more values, also into the short forms, and lists may stand among them", () => {
    const set = changed(`
- list: known
  items: [/etc/one, /etc/two]
- rule: Written below etc
  append: true
  exceptions:
    - name: writers
      values:
        - [other, /etc]
    - name: starting
      values:
        - ["app --init", [known]]
        - [cron, [/etc/three, known]]
    - name: names
      values: [hosts]
`);
    const write = (path: string, words: readonly string[] = ["app"], name = "app") =>
      firing(set, ["open", { path, flags: 1, process: process({ name, arguments: words }) }]);
    expect(write("/etc/shadow", ["other"], "other")).toEqual([]);
    expect(write("/etc/one", ["app", "--init"])).toEqual([]);
    expect(write("/etc/three", ["app", "--init"])).toEqual(["Written below etc"]);
    expect(write("/etc/two", ["cron"], "cron")).toEqual([]);
    expect(write("/etc/hosts")).toEqual([]);
  });
});

describe("a mistake costs the rule that has it and is told with its place", () => {
  const rule = (condition: string, more = "") =>
    `- rule: R\n  desc: d\n  condition: ${condition}\n  output: o\n  priority: info\n${more}`;
  const GOOD = "- rule: Good\n  desc: d\n  condition: evt.type = execve\n  output: o\n  priority: info\n";

  test.each([
    [rule("evt.type = execve and"), 3, 34, "ends too early"],
    [rule("nowhere and evt.type = open"), 3, 14, 'no macro "nowhere"'],
    [rule("evt.type = open and fd.nmae = x"), 3, 34, "fd.name is one"],
    [rule(">\n    evt.type = open\n    and (fd.name = a\n    or fd.nmae = b)"), 6, 8, "fd.name is one"],
    [`- macro: m\n  condition: m and evt.num > 0\n${rule("m")}`, 2, 14, "uses itself"],
    [`- macro: a\n  condition: evt.type = x\n${rule("a")}`, 2, 14, 'no event type "x"'],
    [
      rule(
        "evt.type = open",
        "  source: syscall\n  exceptions:\n    - name: e\n      fields: [proc.nmae]\n      values: [[a]]\n",
      ),
      8,
      7,
      "there is no field",
    ],
    [
      "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: '%proc.nmae'\n  priority: info\n",
      4,
      13,
      "in the output",
    ],
  ])("%s", (text, line, column, message) => {
    const set = load(GOOD + text);
    expect(stateOf(set, "R")).toBe("invalid");
    expect(stateOf(set, "Good")).toBe("ready");
    const [problem] = set.reports.find((report) => report.rule === "R")?.problems ?? [];
    expect(problem).toMatchObject({ level: "error", place: { line: line + 5, column } });
    expect(problem?.message).toContain(message);
  });

  test.each([
    ["- rule: R\n  desc: d\n", 'needs "condition"'],
    ["- rule: R\n  append: true\n  condition: and x\n", 'no rule "R" to change'],
    ["- macro: m\n  condition: x\n  append: true\n", 'no macro "m"'],
    ["- list: l\n  items: [a]\n  override: {items: append}\n", 'no list "l"'],
    ["- list: l\n", 'needs "items"'],
    ["- rule:\n  desc: d\n", "has no name"],
    ["nonsense: true\n", "is a list of rules"],
    ["- just text\n", "must be a mapping"],
    ["- other: 1\n", "is ignored"],
    ["- rule: [\n", "not YAML"],
    [rule("evt.type = open", "  tags: x\n"), '"tags" must be a list'],
    [rule("evt.type = open").replace("priority: info", "priority: urgent"), "is no priority"],
    [rule("evt.type = open", "  enabled: maybe\n"), "true or false"],
    [rule("evt.type = open", "  append: true\n  override: {priority: replace}\n"), "cannot stand together"],
    [`${GOOD}- rule: Good\n  priority: info\n  override: {priority: append}\n`, "can be overridden by replace"],
    [
      `${GOOD}- rule: Good\n  priority: info\n  output: o\n  override: {priority: replace}\n`,
      "does not say how it is meant",
    ],
    [`${GOOD}- rule: Good\n  override: {priority: replace}\n`, "is not given"],
    [
      rule("evt.type = open", "  exceptions:\n    - name: e\n      fields: [a.b, c.d]\n      comps: [=]\n"),
      "2 fields and 1 comparisons",
    ],
    [
      rule("evt.type = open", "  exceptions:\n    - name: e\n      fields: [proc.name]\n      comps: [likes]\n"),
      "is no comparison",
    ],
    [
      rule(
        "evt.type = open",
        "  exceptions:\n    - name: e\n      fields: [proc.name, fd.name]\n      values: [[a]]\n",
      ),
      "a tuple of 1",
    ],
    [rule("evt.type = open", "  detector: magic\n"), 'no detector "magic"'],
    [rule("evt.type = open", "  detector: threshold\n  settings: {atLeast: many}\n"), "must be a number"],
    [rule("evt.type = open", "  detector: threshold\n  settings: {distinct: fd.nmae}\n"), "there is no field"],
    [rule("evt.type = open", "  colour: red\n"), 'the key "colour" is not known'],
  ])("%s", (text, message) => {
    const set = load(text);
    const all = [...set.problems, ...set.reports.flatMap(({ problems }) => problems)];
    expect(all.map((problem) => problem.message).join("\n")).toContain(message);
  });

  test("a rule that tolerates unknown fields is left out without an error", () => {
    const set = load(rule("evt.type = open and new.field = x", "  skip-if-unknown-filter: true\n"));
    expect(set.reports[0]).toMatchObject({ state: "unsupported", problems: [{ level: "warning" }] });
  });
});

test("macros that double each other and nests of aliases end in an error, not in a crash", () => {
  const doubling = Array.from({ length: 40 }, (_, at) =>
    at === 0 ? "- macro: m0\n  condition: evt.num > 0\n" : `- macro: m${at}\n  condition: m${at - 1} and m${at - 1}\n`,
  );
  const set = load(
    `${doubling.join("")}- rule: R\n  desc: d\n  condition: evt.type = open and m39\n  output: o\n  priority: info\n`,
  );
  expect(set.reports[0]?.problems[0]?.message).toContain("more than 50000 tests");
  const lists = Array.from({ length: 30 }, (_, at) =>
    at === 0 ? "- list: l0\n  items: [a, b]\n" : `- list: l${at}\n  items: [l${at - 1}, l${at - 1}]\n`,
  );
  const big = load(
    `${lists.join("")}- rule: R\n  desc: d\n  condition: evt.type = open and proc.name in (l29)\n  output: o\n  priority: info\n`,
  );
  expect(big.reports[0]?.problems[0]?.message).toContain("more than 100000 values");
  const bomb = `- &a [x, x]\n- &b [*a, *a]\n${Array.from({ length: 40 }, (_, at) => `- &c${at} [*b, *b, ${at > 0 ? `*c${at - 1}, *c${at - 1}` : "1"}]\n`).join("")}`;
  expect(load(bomb).problems[0]?.message).toContain("not YAML");
});

test("no file, however it is broken, makes loading fail", () => {
  const lines = PUBLIC.split("\n");
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.nat(lines.length - 1),
          fc.nat(80),
          fc.constantFrom("", " ", "'", '"', "(", ")", ":", "-", "[", "]", "&a", "*a", "|", ">", "and ", "not ", "\t"),
        ),
        { maxLength: 6 },
      ),
      (changes) => {
        const broken = [...lines];
        for (const [line, column, text] of changes) {
          const before = broken[line] ?? "";
          broken[line] = before.slice(0, column) + text + before.slice(column + 1);
        }
        const set = load(broken.join("\n"));
        const detector = createDetector(set, { runs: () => true });
        detector.detect(event("execve", { process: process({ name: "sh" }) }));
        for (const { problems } of set.reports) for (const { place } of problems) expect(place.line).toBeGreaterThan(0);
      },
    ),
    { numRuns: 400 },
  );
});

test("the name of a list is a word like any other where no list may stand", () => {
  const set = load(
    "- list: app\n  items: [x, y]\n- rule: R\n  desc: d\n  condition: evt.type = execve and proc.name = app\n  output: o\n  priority: info\n",
  );
  expect(firing(set, ["execve", { process: process({ name: "app" }) }])).toEqual(["R"]);
  expect(firing(set, ["execve", { process: process({ name: "x" }) }])).toEqual([]);
});

test("a rule for containers of one image only sees that image", () => {
  const set = load(
    "- rule: R\n  desc: d\n  condition: evt.type = execve and container.image.repository contains shop\n  output: o\n  priority: info\n",
  );
  expect(firing(set, ["execve", { container: container({ image: "a/shop:1" }) }])).toEqual(["R"]);
  expect(firing(set, ["execve", {}])).toEqual([]);
});

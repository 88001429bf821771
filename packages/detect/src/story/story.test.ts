import { expect, test } from "vitest";
import { createDetector } from "../detector.ts";
import { loadRules } from "../rule-set.ts";
import { container, event, process } from "../testing/events.ts";
import { buildStory } from "./build-story.ts";
import { storyHtml, storySvg } from "./story-html.ts";
import { storyText } from "./story-text.ts";

const RULES = `
- rule: Shell under a server
  desc: d
  condition: evt.type = execve and proc.name = sh and proc.pname = nginx
  output: shell %proc.cmdline
  priority: ERROR
  tags: [mitre_execution, T1059.004]
  advice: look
- rule: Key added
  desc: d
  condition: evt.type = open and evt.is_open_write = true and fd.name endswith /authorized_keys
  output: key %fd.name
  priority: CRITICAL
  tags: [mitre_persistence, T1098.004]
`;

const runtime = process({ pid: 77, namespacePid: 77, startUs: 0, name: "containerd-shim" });
const nginx = process({
  pid: 501,
  namespacePid: 1,
  startUs: 1,
  parent: runtime,
  name: "nginx",
  exe: "/usr/sbin/nginx",
  arguments: ["nginx", "-g"],
});
const shell = process({
  pid: 2,
  startUs: 2,
  name: "sh",
  parent: nginx,
  arguments: ["sh", "-c", "<script>alert(1)</script>\u001b[2J"],
});
const curl = process({ pid: 3, startUs: 3, name: "curl", parent: shell, arguments: ["curl", "http://x"] });
const other = process({ pid: 9, startUs: 9, name: "cron", arguments: ["cron"] });
const web = container({ name: 'web" onload="x' });
const at = (second: number) => ({ timeUs: 1_700_000_000_000_000 + second * 1_000_000, container: web });

const events = [
  event("execve", { ...at(1), process: shell }),
  event("execve", { ...at(2), process: curl }),
  event("dns", { ...at(3), process: curl, dnsName: "evil.example", dnsAnswers: ["203.0.113.9"] }),
  event("connect", {
    ...at(4),
    process: curl,
    family: 4,
    remoteAddress: "203.0.113.9",
    remotePort: 80,
    protocol: "tcp",
  }),
  event("open", { ...at(5), process: shell, path: "/root/.ssh/authorized_keys", flags: 0o1101 }),
  event("open", { ...at(6), process: other, path: "/etc/crontab" }),
];
const detector = createDetector(loadRules([{ name: "r.yaml", text: RULES }]));
const story = buildStory(events.toReversed(), events.flatMap(detector.detect));

test("a story follows the processes that alerts are about, and leaves out the others", () => {
  expect(story.nodes.map(({ label }) => label)).toEqual([
    'web" onload="x',
    "nginx",
    "sh",
    "curl",
    "evil.example",
    "203.0.113.9:80",
    "/root/.ssh/authorized_keys",
  ]);
  const label = (id: string) => story.nodes.find((node) => node.id === id)?.label;
  expect(story.edges.map(({ from, what, to }) => `${label(from)} ${what} ${label(to)}`)).toEqual([
    'web" onload="x started nginx',
    "nginx started sh",
    "sh started curl",
    "curl asked for evil.example",
    "curl connected to 203.0.113.9:80",
    "evil.example is 203.0.113.9:80",
    "sh wrote /root/.ssh/authorized_keys",
  ]);
});

test("what the runtime does before the program of the story starts is left out, and what passes for it is not", () => {
  const runc = process({ pid: 80, namespacePid: 80, startUs: 3, name: "runc", exe: "/usr/sbin/runc", parent: runtime });
  const told = (parent: typeof runc) => {
    const init = process({
      pid: 90,
      namespacePid: 7,
      startUs: 4,
      name: "runc:[2:INIT]",
      exe: "memfd:runc_cloned:x",
      parent,
    });
    const started = { ...init, name: "sh", exe: "/bin/sh", parent };
    const all = [
      event("open", { ...at(1), process: init, path: "/proc/7/setgroups" }),
      event("execve", { ...at(2), process: { ...started, parent: nginx } }),
      event("open", { ...at(3), process: started, path: "/etc/passwd" }),
    ];
    const alerts = all.slice(1, 2).flatMap(createDetector(loadRules([{ name: "r.yaml", text: RULES }])).detect);
    expect(alerts.length).toBe(1);
    return buildStory(all, alerts).nodes.map(({ label }) => label);
  };
  expect(told(runc)).toContain("/etc/passwd");
  expect(told(runc)).not.toContain("/proc/7/setgroups");
  expect(told({ ...runc, namespacePid: 5 })).toContain("/proc/7/setgroups");
});

test("its steps are the alerts in the order of time with their tactics", () => {
  expect(story.steps.map(({ rule, tactic, severity }) => [rule, tactic, severity])).toEqual([
    ["Shell under a server", "execution", "high"],
    ["Key added", "persistence", "critical"],
  ]);
  expect(story.tactics).toEqual(["execution", "persistence"]);
  expect(story.nodes.find(({ label }) => label === "sh")).toMatchObject({
    severity: "critical",
    rules: ["Shell under a server", "Key added"],
  });
});

test("as text it is read without a terminal being moved", () => {
  const text = storyText(story);
  expect(text).toContain("[execution T1059.004] Shell under a server");
  expect(text).toContain("!     sh: sh -c <script>alert(1)</script>\\x1b[2J");
  expect(text).not.toContain("\u001b");
});

test("as HTML nothing of an event is markup, and nothing runs or is fetched", () => {
  const html = storyHtml(story);
  expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(html).not.toMatch(/<script|onload="x|\shref=|\ssrc=/);
  expect(html).toContain("default-src 'none'");
});

test("in the picture no text lies on another or on a box, however much was done to a thing", () => {
  const file = "/var/lib/postgresql/17/main/base/16384/2619";
  const often = ["open", "creat", "unlink", "rename", "chmod"].flatMap((type) =>
    Array.from({ length: 120 }, () =>
      event(type as "open", { ...at(7), process: shell, path: file, newPath: file, flags: 2 }),
    ),
  );
  const traced = event("ptrace", { ...at(8), process: shell, targetPid: 100 });
  const fresh = createDetector(loadRules([{ name: "r.yaml", text: RULES }]));
  const busy = buildStory([...events, ...often, traced], events.flatMap(fresh.detect));
  const svg = storySvg(busy);
  const number = (tag: string, name: string) =>
    Number(new RegExp(` ${name}="(-?[0-9.]+)"`).exec(tag)?.[1] ?? Number.NaN);
  const boxes = [...svg.matchAll(/<rect[^>]*>/g)].map(([tag]) => {
    const [x, y] = [number(tag, "x"), number(tag, "y")];
    return { x, y, x2: x + number(tag, "width"), y2: y + number(tag, "height") };
  });
  // Eleven pixels high; a character of this face has less than 6.6 on average.
  const labels = [...svg.matchAll(/(<text class="what"[^>]*>)<title>[^<]*<\/title>([^<]*)/g)].map(
    ([, tag = "", text = ""]) => {
      const [x, y, width] = [number(tag, "x"), number(tag, "y"), text.length * 6.6];
      const left = tag.includes('text-anchor="end"') ? x - width : x;
      return { x: left, y: y - 10, x2: left + width, y2: y + 2 };
    },
  );
  expect(labels.length).toBeGreaterThan(3);
  const all = [...boxes, ...labels];
  const overlaps = labels.flatMap((a) =>
    all.filter((b) => a !== b && a.x < b.x2 && b.x < a.x2 && a.y < b.y2 && b.y < a.y2).map((b) => [a, b]),
  );
  expect(overlaps).toEqual([]);
});

test("the bound leaves out what only stood by", () => {
  const many = Array.from({ length: 1000 }, (_, index) =>
    event("open", { ...at(7), process: shell, path: `/tmp/${index}` }),
  );
  const [alert] = createDetector(loadRules([{ name: "r.yaml", text: RULES }])).detect(events[4] ?? event("open"));
  const big = buildStory(many, alert === undefined ? [] : [alert]);
  expect(big.nodes).toHaveLength(150);
  expect(big.leftOut).toBe(1004 - 150);
  expect(big.nodes.some(({ label }) => label.endsWith("authorized_keys"))).toBe(true);
});

import { expect, test } from "vitest";
import { createDetector } from "../detector.ts";
import { loadRules } from "../rule-set.ts";
import { container, event, process } from "../testing/events.ts";
import { buildStory } from "./build-story.ts";
import { storyHtml } from "./story-html.ts";
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

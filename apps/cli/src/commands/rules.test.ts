import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { CliError } from "../failure.ts";
import { rulesCommand } from "./rules.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

async function run(...args: readonly string[]): Promise<{ readonly status: number; readonly said: string }> {
  const written: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => written.push(String(text)) > 0);
  }
  const status = await rulesCommand(args);
  vi.restoreAllMocks();
  return { status, said: written.join("") };
}

const GOOD = `- rule: Shell
  desc: d
  condition: evt.type = execve and proc.name = sh
  output: shell %proc.cmdline
  priority: NOTICE
  tags: [T1059.004]
- rule: Env
  desc: d
  condition: evt.type = execve and proc.env exists
  output: o
  priority: INFO
`;
const exec = (name: string, words: readonly string[]) =>
  JSON.stringify({ type: "execve", timeUs: 1_700_000_000_000_000, process: { pid: 7, name, arguments: words } });

test("check reports each rule that is not ready with its place, and passes what only is unsupported", async () => {
  const path = file("good.yaml", GOOD);
  const { status, said } = await run("check", path);
  expect(status).toBe(0);
  expect(said).toContain(`Env: unsupported\n  ${path}:9:36: warning: proc.env is not filled: `);
  expect(said).toContain("2 rules: 1 ready, 0 disabled, 1 unsupported, 0 invalid");
});

test("check ends with 2 for a rule that cannot be read, and says where as JSON too", async () => {
  const path = file("bad.yaml", GOOD.replace("proc.name = sh", "proc.nmae = sh"));
  expect((await run("check", path)).status).toBe(2);
  const { status, said } = await run("check", "--format", "json", path);
  expect(status).toBe(2);
  expect(JSON.parse(said).rules[0]).toMatchObject({ rule: "Shell", state: "invalid", place: { line: 1 } });
  expect((await run("check", file("text.yaml", "just text"))).status).toBe(2);
});

test("replay prints alerts and ends with 1, or with 0 when there are none", async () => {
  const rules = file("good.yaml", GOOD);
  const events = file("events.ndjson", `${exec("sh", ["sh", "-c", "a\u001b[2J"])}\n\n${exec("ls", ["ls"])}\n`);
  const { status, said } = await run("replay", "--rules", rules, "--events", events);
  expect(status).toBe(1);
  expect(said).toBe("2023-11-14T22:13:20.000Z notice Shell [T1059.004]: shell sh -c a\\x1b[2J\n");
  const none = file("none.ndjson", exec("ls", ["ls"]));
  expect(await run("replay", "--rules", rules, "--events", none)).toEqual({ status: 0, said: "" });
});

test("replay takes audit events of Kubernetes, one by one and in lists, and tells no secret of theirs", async () => {
  const exec = {
    ...{ kind: "Event", apiVersion: "audit.k8s.io/v1", auditID: "a1", stage: "ResponseStarted", verb: "get" },
    requestURI: "/api/v1/namespaces/shop/pods/web/exec?command=mysql&command=--password%3Dx&token=hunter2",
    user: { username: "jane", groups: ["devs"] },
    sourceIPs: ["10.0.0.9"],
    objectRef: { resource: "pods", subresource: "exec", namespace: "shop", name: "web" },
    responseStatus: { code: 101 },
    requestReceivedTimestamp: "2026-11-21T20:00:00.123456Z",
  };
  const list = { kind: "EventList", items: [{ ...exec, auditID: "a2", user: { username: "joe" } }] };
  const events = file("audit.ndjson", `${JSON.stringify(exec)}\n${JSON.stringify(list)}\n`);
  const { status, said } = await run("replay", "--events", events);
  expect(status).toBe(1);
  expect(said).toContain("2026-11-21T20:00:00.123Z warning Command run in a pod through the API [T1609]: ");
  expect(said).toContain("user=joe");
  expect(said).not.toContain("hunter2");
  const [first = ""] = (await run("replay", "--events", events, "--format", "json")).said.split("\n");
  expect(JSON.parse(first)).toMatchObject({ auditId: "a1", user: "jane", sourceAddresses: ["10.0.0.9"] });
  const broken = file("broken-audit.ndjson", JSON.stringify({ auditID: 7 }));
  await expect(run("replay", "--events", broken)).rejects.toThrow("it is no audit event");
});

test("replay as JSON gives one alert a line, and writes the story", async () => {
  const rules = file("good.yaml", GOOD);
  const events = file("events.ndjson", exec("sh", ["sh", "-c", "id"]));
  const story = join(folder, "story.html");
  const { said } = await run("replay", "--rules", rules, "--events", events, "--format", "json", "--story", story);
  expect(JSON.parse(said)).toMatchObject({
    rule: "Shell",
    severity: "low",
    pid: 7,
    fields: { "proc.cmdline": "sh -c id" },
  });
  expect(readFileSync(story, "utf8")).toContain("shell sh -c id");
});

test("replay runs the rules that are shipped when none are named", async () => {
  const container = { id: "a".repeat(64), name: "web" };
  const given = {
    type: "creat",
    timeUs: 1,
    path: "/etc/ld.so.preload",
    container,
    process: { name: "sh", exe: "/bin/sh" },
  };
  const { said } = await run("replay", "--events", file("preload.ndjson", JSON.stringify(given)));
  expect(said).toContain("Preload list of the dynamic linker changed [T1574.006]");
});

test.each([
  ["{", "line 2"],
  ["{}", "no event type"],
  ['{"type":"execve"}', "timeUs is no number"],
  ['{"type":"execve","timeUs":1,"path":7}', "path of the event is of another kind"],
  ['{"type":"execve","timeUs":1,"process":{"arguments":"x"}}', "arguments of a process"],
])("an event that is none is told with its line: %s", async (line, why) => {
  const events = file("broken.ndjson", `${exec("ls", [])}\n${line}\n`);
  const error = await run("replay", "--rules", file("good.yaml", GOOD), "--events", events).catch((cause) => cause);
  expect(error).toBeInstanceOf(CliError);
  expect(error.message).toContain("broken.ndjson, line 2");
  expect(error.message).toContain(why);
});

test("a file that is not there is told, and so are words that are not understood", async () => {
  for (const args of [
    ["check", "/no/such.yaml"],
    ["check"],
    ["replay"],
    ["nonsense"],
    ["check", "--format", "xml", file("good.yaml", GOOD)],
  ]) {
    expect(await run(...args).catch((cause) => cause)).toBeInstanceOf(CliError);
  }
  const missing = await run("replay", "--events", "/no/such.ndjson").catch((cause) => cause);
  expect(missing.message).toContain("/no/such.ndjson");
});

test("fields lists what a rule may name, and why others are not filled", async () => {
  const { said } = await run("fields", "proc.e");
  expect(said).toContain("proc.exepath\n");
  expect(said).toContain("Not filled\nproc.env\n    environment variables");
  expect(JSON.parse((await run("fields", "fd.rip", "--format", "json")).said).fields[0]).toMatchObject({
    name: "fd.rip",
    type: "addresses",
  });
});

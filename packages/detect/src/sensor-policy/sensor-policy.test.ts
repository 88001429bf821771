import { describe, expect, test } from "vitest";
import { loadRules } from "../rule-set.ts";
import { blockFor } from "./blocks.ts";
import { neededSelections } from "./selections.ts";

function ruleSet(...conditions: readonly string[]) {
  const text = conditions.map(
    (condition, at) => `- rule: R${at}\n  desc: d\n  condition: >\n    ${condition}\n  output: o\n  priority: info\n`,
  );
  const set = loadRules([{ name: "r.yaml", text: text.join("") }]);
  expect(set.reports.map(({ state, problems }) => [state, problems.map(({ message }) => message)])).toEqual(
    conditions.map(() => ["ready", []]),
  );
  return set;
}

const base = { fromContainers: true, fromHost: false, paths: [], reads: false, calls: [], failures: false };
const selections = (...conditions: readonly string[]) => neededSelections(ruleSet(...conditions));

describe("what a sensor must capture", () => {
  test.each([
    ["evt.type in (execve, execveat) and container.id != host", [{ ...base, type: "execve" }]],
    ["evt.type = execve and proc.name = a", [{ ...base, type: "execve", fromHost: true }]],
    ["evt.type = fork and container.id = host", [{ ...base, type: "clone", fromContainers: false, fromHost: true }]],
    [
      "evt.type = openat and evt.is_open_write = true and fd.name startswith /etc/ and container.id != host",
      ["creat", "open"].map((type) => ({ ...base, type, paths: [{ kind: "prefix", value: "/etc/" }] })),
    ],
    [
      "evt.type = open and evt.is_open_read = true and fd.name in (/etc/shadow, /etc/sudoers) and container.id != host",
      [
        {
          ...base,
          type: "creat",
          paths: [
            { kind: "exact", value: "/etc/shadow" },
            { kind: "exact", value: "/etc/sudoers" },
          ],
        },
        {
          ...base,
          type: "open",
          paths: [
            { kind: "exact", value: "/etc/shadow" },
            { kind: "exact", value: "/etc/sudoers" },
          ],
        },
        {
          ...base,
          type: "open",
          reads: true,
          paths: [
            { kind: "exact", value: "/etc/shadow" },
            { kind: "exact", value: "/etc/sudoers" },
          ],
        },
      ],
    ],
    [
      "evt.type = unlink and container.id != host and (fs.path.name endswith .log or fs.path.name pmatch (/var/log) or fs.path.name contains history)",
      [
        {
          ...base,
          type: "unlink",
          paths: [
            { kind: "suffix", value: ".log" },
            { kind: "prefix", value: "/var/log" },
            { kind: "contains", value: "history" },
          ],
        },
      ],
    ],
    [
      "evt.type = unlink and container.id != host and (fs.path.name = /a or proc.name = b)",
      [{ ...base, type: "unlink" }],
    ],
    ["evt.type = unlink and container.id != host and not fs.path.name = /a", [{ ...base, type: "unlink" }]],
    [
      "evt.type = creat and fd.directory = /bin and container.id != host",
      [{ ...base, type: "creat", paths: [{ kind: "prefix", value: "/bin/" }] }],
    ],
    ["evt.type = setns and container.id != host", [{ ...base, type: "setns", failures: true }]],
    ["evt.type = setns and evt.failed = false and container.id != host", [{ ...base, type: "setns" }]],
    ["evt.type in (acct, iopl) and container.id != host", [{ ...base, type: "syscall", calls: ["acct", "iopl"] }]],
    ["evt.type = prctl and evt.failed = true and container.id != host", [{ ...base, type: "prctl", failures: true }]],
    [
      "evt.type = connect and (evt.rawres >= 0 or evt.res = EINPROGRESS) and container.id != host",
      [{ ...base, type: "connect" }],
    ],
  ])("%s", (condition, expected) => {
    expect(selections(condition)).toEqual(expected);
  });

  test("selections of several rules are joined, and reads stay bounded beside unbounded writes", () => {
    const both = selections(
      "evt.type = open and evt.is_open_write = true and container.id != host and proc.name = a",
      "evt.type = open and evt.is_open_read = true and container.id != host and fd.name = /etc/shadow",
    );
    expect(both).toEqual([
      { ...base, type: "creat" },
      { ...base, type: "open" },
      { ...base, type: "open", reads: true, paths: [{ kind: "exact", value: "/etc/shadow" }] },
    ]);
  });
});

describe("what a node can block", () => {
  const exec = { kind: "exec", names: [], paths: [], drifted: false, inMemory: false, socketStdio: false };
  const C = "and container.id != host";
  const blocked = (condition: string) => {
    const set = ruleSet(condition);
    const [rule] = set.rules;
    return rule === undefined ? undefined : blockFor(set, rule);
  };

  test.each([
    [`evt.type = execve ${C} and proc.name in (nc, ncat)`, [{ ...exec, names: ["nc", "ncat"] }]],
    [
      `evt.type = execve ${C} and proc.exepath startswith /dev/shm/`,
      [{ ...exec, paths: [{ kind: "prefix", value: "/dev/shm/" }] }],
    ],
    [`evt.type = execve ${C} and proc.is_exe_upper_layer = true`, [{ ...exec, drifted: true }]],
    [
      `evt.type = execve ${C} and (proc.is_exe_from_memfd = true or (proc.stdin = socket and proc.stdout = socket))`,
      [{ ...exec, inMemory: true, socketStdio: true }],
    ],
    [
      `evt.type = open and evt.is_open_write = true ${C} and (fd.name = /etc/passwd or fd.name startswith /root/.ssh/)`,
      [
        {
          kind: "file",
          paths: [
            { kind: "exact", value: "/etc/passwd" },
            { kind: "prefix", value: "/root/.ssh/" },
          ],
          reads: false,
          writes: true,
        },
      ],
    ],
    [
      `evt.type = connect ${C} and fd.sip = 169.254.169.254`,
      [{ kind: "connect", networks: ["169.254.169.254"], ports: [], except: [] }],
    ],
    [
      `evt.type = connect ${C} and fd.rport in (3333, 4444) and not fd.snet in ("10.0.0.0/8")`,
      [{ kind: "connect", networks: [], ports: [3333, 4444], except: ["10.0.0.0/8"] }],
    ],
    [
      `evt.type in (init_module, finit_module, kexec_load, acct) ${C}`,
      [{ kind: "syscall", calls: ["init_module", "finit_module", "kexec_load", "acct"] }],
    ],
  ])("%s", (condition, blocks) => {
    expect(blocked(condition)).toEqual({ blocks, besides: [] });
  });

  test.each([
    [`evt.type = execve ${C} and proc.name = sh and proc.pname = nginx`, "one property each"],
    [`evt.type = execve ${C} and proc.cmdline contains x`, "proc.cmdline"],
    [`evt.type = execve ${C} and not proc.name = x`, "leaves out"],
    [`evt.type = open and evt.is_open_write = true ${C} and fd.name = /a and proc.name = b`, "path alone"],
    [`evt.type = unlink ${C} and fs.path.name = /a`, "cannot refuse unlink"],
    [`evt.type = unshare ${C} and evt.arg.flags contains CLONE_NEWUSER`, "name alone"],
    [`evt.type = connect ${C} and fd.l4proto = tcp`, "every connection"],
    ["evt.type = execve and container.id = host", "about the host"],
  ])("%s: not, and it says why", (condition, why) => {
    expect(blocked(condition)).toEqual({ why: expect.stringContaining(why) });
  });

  test("what can be is blocked, and the rest is said to stay an alert", () => {
    const condition = `evt.type in (open, rename) ${C} and (fd.name = /etc/ld.so.preload or fs.path.target = /etc/ld.so.preload)`;
    expect(blocked(condition)).toEqual({
      blocks: [{ kind: "file", paths: [{ kind: "exact", value: "/etc/ld.so.preload" }], reads: true, writes: true }],
      besides: ["a node cannot refuse rename"],
    });
    expect(
      blocked(`evt.type = execve and evt.failed = false ${C} and (proc.name = xmrig or proc.args contains stratum)`),
    ).toEqual({
      blocks: [{ ...exec, names: ["xmrig"] }],
      besides: ["a node cannot decide on proc.args by itself"],
    });
  });
});

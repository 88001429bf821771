import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Alert, blockFor, createDetector, type Detector, loadRules, neededSelections } from "@bulwark/detect";
import type { RuntimeEvent } from "@bulwark/model";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AttackContainers, openAttackContainers, whyNoContainers } from "./support/attack-container.ts";
import { type RunningSensor, startSensor, whyNoSensor } from "./support/sensor-process.ts";

const RULES = join(import.meta.dirname, "../content/rules");
const AT_ONCE = 3;
/** All but those over audit events, which are attacked at a real API server (test/cluster/audit-rules.test.ts). */
const AUDIT = /^4\d{3}-/;
const ALL = readdirSync(RULES).filter((name) => statSync(join(RULES, name)).isDirectory());
const FOLDERS = ALL.filter((name) => !AUDIT.test(name));
/** For trying a few: `BULWARK_RULES=1001,3001 npx vitest run test/rules.test.ts`. */
const WANTED = process.env.BULWARK_RULES?.split(",") ?? [];
const CHOSEN = FOLDERS.filter((name) => WANTED.length === 0 || WANTED.some((prefix) => name.startsWith(prefix)));
const why = whyNoSensor() || whyNoContainers();
if (why !== "") console.warn(`rules are not attacked for real: ${why}`);

const files = readdirSync(RULES, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml"))
  .toSorted()
  .map((name) => ({ name, text: readFileSync(join(RULES, name), "utf8") }));
const set = loadRules(files);

function read(folder: string, name: string): string {
  return readFileSync(join(RULES, folder, name), "utf8");
}

function ruleOf(folder: string) {
  return set.rules.find(({ place }) => place.file === join(folder, "rule.yaml"));
}

test("every rule that is shipped loads without a word", () => {
  expect(set.problems).toEqual([]);
  expect(set.reports.filter(({ state, problems }) => state !== "ready" || problems.length > 0)).toEqual([]);
});

test.each(FOLDERS)("%s is complete: rule, attack, benign neighbour, README, technique, advice", (folder) => {
  expect(folder).toMatch(/^\d{4}(-[a-z0-9]+)+$/);
  expect(readdirSync(join(RULES, folder)).toSorted()).toEqual(["README.md", "attack.sh", "benign.sh", "rule.yaml"]);
  const rule = ruleOf(folder);
  expect(rule?.techniques.filter(({ name }) => name !== "").length).toBeGreaterThan(0);
  expect(rule?.tactics.length).toBeGreaterThan(0);
  expect(rule?.advice).toMatch(/^[A-Z].{20,}\.$/s);
  expect(read(folder, "README.md")).toContain(`# ${rule?.name}`);
  expect(read(folder, "attack.sh")).not.toBe(read(folder, "benign.sh"));
});

test("docs/rules.md lists every rule with its priority and techniques", () => {
  const page = readFileSync(join(RULES, "../../docs/rules.md"), "utf8");
  const lines = ALL.map((folder) => {
    const rule = AUDIT.test(folder)
      ? set.auditRules.find(({ place }) => place.file === join(folder, "rule.yaml"))
      : ruleOf(folder);
    const techniques = rule?.techniques.map(({ id }) => id).join(" ");
    return `| [${rule?.name}](../content/rules/${folder}/README.md) | ${rule?.priority} | ${techniques} |`;
  });
  expect(lines.filter((line) => !page.includes(line))).toEqual([]);
});

test("a node can block at least these, and each other says why it cannot", () => {
  const able = set.rules.filter((rule) => "blocks" in blockFor(set, rule)).map(({ name }) => name);
  expect(able).toEqual(
    expect.arrayContaining([
      "Kernel helper program written",
      "Raw disk or memory of the host opened",
      "Kernel module loaded or removed from a container",
      "Program started with a socket as its input and output",
      "Program started that only exists in memory",
      "Program started that is not in the image",
      "Connection to a port of mining pools",
      "Preload list of the dynamic linker changed",
      "Metadata service of the cloud contacted",
    ]),
  );
  const silent = set.rules.filter((rule) => {
    const block = blockFor(set, rule);
    return "why" in block && block.why === "";
  });
  expect(silent).toEqual([]);
});

test("no two rules have one number", () => {
  const numbers = ALL.map((name) => name.slice(0, 4));
  expect(new Set(numbers).size).toBe(numbers.length);
});

/** Containers in which a rule is blocked. */
const BLOCKED: Readonly<Record<string, string>> = {
  "blocked-drift": "Program started that is not in the image",
  "blocked-memory": "Program started that only exists in memory",
  "blocked-tool": "Network scanner started",
  "blocked-preload": "Preload list of the dynamic linker changed",
  "blocked-metadata": "Metadata service of the cloud contacted",
};
const BLOCKED_SCRIPTS: Readonly<Record<string, string>> = {
  "blocked-drift": "cp /bin/echo /tmp/tool; /tmp/tool it happened; echo beside it",
  "blocked-memory": `python3 - <<'END'
import os
number = os.memfd_create("x", 0)
os.write(number, open("/bin/echo", "rb").read())
if os.fork() == 0:
    os.execve(number, ["x", "it happened"], {})
os.wait()
END
echo beside it`,
  "blocked-tool": "ln -s /bin/echo /tmp/nmap; /tmp/nmap it happened; echo beside it",
  // A node watches the files of a container from shortly after its start on.
  "blocked-preload": `turn=0
while [ $turn -lt 50 ] && echo x > /etc/ld.so.preload; do turn=$((turn + 1)); sleep 0.1; done 2>/dev/null
[ $turn -lt 50 ] || echo it happened
echo x > /etc/ld.so.other && echo beside it`,
  "blocked-metadata": `# container: loopback
python3 - <<'END'
import errno, socket
def reach(address):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return client.connect_ex((address, 80))
print("beside it" if reach("127.0.0.1") == 0 else "")
print("it happened" if reach("169.254.169.254") not in (errno.EPERM, errno.EACCES) else "")
END`,
};

interface Watched {
  readonly detector: Detector;
  readonly alerts: Alert[];
  readonly stopped: Promise<void>;
  readonly stop: () => void;
}

describe.skipIf(why !== "")("attacked for real in containers", () => {
  const work = mkdtempSync(join(tmpdir(), "bulwark-rules-"));
  const watched = new Map<string, Watched>();
  const said = new Map<string, string>();
  let containers: AttackContainers;
  let sensor: RunningSensor;

  function watch(name: string): Watched {
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry = { detector: createDetector(set), alerts: [], stopped: promise, stop: resolve };
    watched.set(name, entry);
    return entry;
  }

  function see(event: RuntimeEvent): void {
    const entry = watched.get(event.container?.name ?? "");
    entry?.alerts.push(...entry.detector.detect(event));
    if (event.type === "container" && event.detail === "stop") entry?.stop();
  }

  beforeAll(async () => {
    containers = openAttackContainers();
    sensor = await startSensor(work, { selections: neededSelections(set), blocks: blocksOf(BLOCKED) }, see);
    const open = CHOSEN.flatMap((folder) => [`${folder}-attack`, `${folder}-benign`]);
    const worker = async () => {
      for (let name = open.shift(); name !== undefined; name = open.shift()) {
        const [, folder = "", kind = ""] = /^(.*)-(attack|benign)$/.exec(name) ?? [];
        const { stopped } = watch(name);
        said.set(name, await containers.run(name, read(folder, `${kind}.sh`)));
        await stopped;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }, 900_000);

  /** Blocks of a rule, for containers of one name. */
  function blocksOf(rules: Readonly<Record<string, string>>) {
    return Object.entries(rules).flatMap(([container, name]) => {
      const rule = set.rules.find((candidate) => candidate.name === name);
      const block = rule === undefined ? { why: `there is no rule ${name}` } : blockFor(set, rule);
      if ("why" in block) throw new Error(block.why);
      return block.blocks.map((action) => ({ rule: name, action, containerNames: [container] }));
    });
  }

  test.each(Object.keys(BLOCKED))(
    "%s: what its rule blocks does not happen, and what lies beside it does",
    async (name) => {
      const said = await containers.run(name, BLOCKED_SCRIPTS[name] ?? "");
      expect(said).toContain("beside it");
      expect(said).not.toContain("it happened");
    },
  );

  afterAll(async () => {
    await sensor?.close();
    containers?.close();
    rmSync(work, { recursive: true, force: true });
  });

  test.each(CHOSEN)("%s fires on its attack", (folder) => {
    const fired = watched.get(`${folder}-attack`)?.alerts.map(({ rule }) => rule);
    expect(fired, said.get(`${folder}-attack`)).toContain(ruleOf(folder)?.name);
  });

  test.each(CHOSEN)("no rule fires on what lies beside the attack of %s", (folder) => {
    const fired = watched.get(`${folder}-benign`)?.alerts.map(({ rule, output }) => `${rule}: ${output}`);
    expect(said.get(`${folder}-benign`)).toMatch(/exit 0$/);
    expect(fired).toEqual([]);
  });
});

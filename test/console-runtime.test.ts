import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { addEvidence, addResponse, announce, endResponse, getResponse } from "@bulwark/store";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { en, type Key } from "../apps/console/src/i18n/en.ts";
import { zh } from "../apps/console/src/i18n/zh.ts";
import { startSyslogReceiver } from "../apps/server/src/exports/testing/syslog-receiver.ts";
import { type SeededAttack, seedAttack } from "../apps/server/src/testing/seed-attack.ts";
import { type ConsoleBench, openConsoleBench, settled } from "./support/console-bench.ts";

/** Alerts, sensors, rules and responses in a browser before the real server; what sensors tell is played. */

const TENANT = 1;
const BULWARK = join(import.meta.dirname, "../bin/bulwark");
const SLOW_MS = 240_000;
const PLANTED = `<img src=x onerror="window.xss=1">\u001b[31m\n\u202e<script>window.xss=1</script>`;
const PLANTS = `document.querySelectorAll('img[src="x"], svg[onload], main script, a[href^="javascript:" i]').length`;
const WIDER = `document.documentElement.scrollWidth > window.innerWidth ||
  document.querySelector("main").scrollWidth > document.querySelector("main").clientWidth`;
/** Texts of the page that are its own. */
const TEXTS = `[...document.querySelectorAll("body *")].filter((e) => !e.closest("script,style,bdi"))
  .flatMap((e) => [...[...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()),
    e.getAttribute("aria-label"), e.getAttribute("placeholder")]).filter((text) => text)`;

let bench: ConsoleBench;
let attack: SeededAttack;
beforeAll(async () => {
  bench = await openConsoleBench();
}, SLOW_MS);
afterAll(async () => bench?.close());

const pages = ({ alertId, containerId, nodeId, eventId }: SeededAttack): Readonly<Record<string, string>> => ({
  overview: "/",
  alerts: "/alerts",
  alert: `/alerts/${alertId}`,
  story: `/alerts/${alertId}?tab=story`,
  containers: "/assets",
  hosts: "/assets?tab=hosts",
  programs: "/assets?tab=programs",
  ports: "/assets?tab=ports",
  web: "/assets?tab=web",
  databases: "/assets?tab=database",
  container: `/containers/${containerId}`,
  "container-ports": `/containers/${containerId}?tab=ports`,
  nodes: "/nodes",
  upgrades: "/nodes?tab=upgrades",
  tokens: "/nodes?tab=tokens",
  exposed: "/assets?exposed=true&selfBuilt=true",
  exports: "/exports",
  node: `/nodes/${nodeId}`,
  events: "/events",
  event: `/events?event=${eventId}`,
  rules: "/runtime-rules",
  rule: `/runtime-rules?open=${encodeURIComponent("Cron job written")}`,
  files: "/runtime-rules?tab=files",
  allowed: "/runtime-rules?tab=allowed",
  indicators: "/runtime-rules?tab=indicators",
  automatic: "/runtime-rules?tab=automatic",
  responses: "/responses",
});

test("without a sensor every list says what to do next", { timeout: SLOW_MS }, async () => {
  const window = await bench.logIn();
  for (const path of ["/alerts", "/assets", "/nodes", "/events", "/responses", "/assets?tab=ports"]) {
    await open(window.page, path);
    await window.page.waitForSelector("main :text('No sensor yet')");
    await window.page.waitForSelector("main :text('bulwark sensor install')");
  }
  await bench.picture(window, "runtime-no-sensor");
  await window.page.click("main button:has-text('Make an enrolment token')");
  await window.page.waitForURL("**/nodes?tab=tokens");
  await window.close();
});

test("an enrolment token is shown once, in the command that uses it", { timeout: SLOW_MS }, async () => {
  const window = await bench.logIn();
  const { page } = window;
  await open(page, "/nodes?tab=tokens");
  await click(page, "main button:has-text('Make a token')");
  await page.fill("#name", "nodes of the shop");
  await page.keyboard.press("Enter");
  const command = page.locator(".ant-modal :text('bulwark sensor install --gateway')");
  await command.waitFor();
  const token = /--token (\S+)/.exec((await command.textContent()) ?? "")?.[1] ?? "";
  expect(token.length).toBeGreaterThan(80);
  await bench.picture(window, "runtime-token-once");
  await click(page, ".ant-modal button:has-text('kept')");
  await page.waitForSelector("td:has-text('nodes of the shop')");
  await page.reload();
  await settled(page);
  expect(await page.content()).not.toContain(token.slice(0, 20));
  await window.close();
});

test("an alert that comes appears by itself; it is isolated from its page, and that is undone", {
  timeout: SLOW_MS,
}, async () => {
  const window = await bench.logIn();
  const { page } = window;
  await open(page, "/alerts");
  attack = await seedAttack(bench.store, TENANT);
  await bench.store.tenant(TENANT, (db) => announce(db, { topic: "alerts", id: attack.alertId }));
  await page.click("main td a:has-text('Program started with a socket')");
  await page.waitForURL(`**/alerts/${attack.alertId}`);
  await settled(page);
  await page.waitForSelector(".process-subject :text('Not in the image')");
  await page.click("button:has-text('Isolate network')");
  await page.waitForSelector(".ant-modal :text('Nothing reaches it and it reaches nothing')");
  await page.fill("#reason", "a shell on a socket");
  await bench.picture(window, "runtime-isolate");
  await page.click(".ant-modal-footer button:has-text('Isolate network')");
  await page.waitForSelector("main .tag:text-is('On its way')");
  await played("isolate", "isolated: 2 connections ended");
  await page.waitForSelector("main .tag:text-is('Done')");
  await page.waitForSelector("main td:has-text('isolated: 2 connections ended')");
  await bench.picture(window, "runtime-isolated");
  await page.click("main td button:has-text('Undo')");
  await page.waitForSelector("main td:has-text('Restore network')");
  await played("restore-network", "the network is as it was");
  await page.waitForSelector("main td:has-text('undone by')");
  expect(await page.locator("main td button:has-text('Undo')").count()).toBe(0);
  expect(window.complaints).toEqual([]);
  await window.close();
});

test("an alert is acknowledged, assigned, noted, allowed and opened again", { timeout: SLOW_MS }, async () => {
  const window = await bench.logIn();
  const { page } = window;
  await open(page, `/alerts/${attack.alertId}`);
  await page.click("main button:has-text('Acknowledge')");
  await page.waitForSelector(".page-title .tag:text-is('Acknowledged')");
  await page.fill("#note", "we look at it");
  await page.click("button:has-text('Send')");
  await page.waitForSelector(".history :text('we look at it')");
  await page.click("main button:has-text('Allow')");
  await page.fill("#reason", "our own test");
  await page.click(".ant-modal-footer button:has-text('Allow')");
  await page.waitForSelector(".page-title .tag:text-is('Allowed')");
  await open(page, "/runtime-rules?tab=allowed");
  await page.waitForSelector("td:has-text('our own test')");
  await open(page, `/alerts/${attack.alertId}`);
  await page.click("button:has-text('Open again')");
  await page.waitForSelector(".page-title .tag:text-is('Open')");
  expect(window.complaints).toEqual([]);
  await window.close();
});

test("the story draws who did what, step by step, and can be downloaded", { timeout: SLOW_MS }, async () => {
  const window = await bench.logIn();
  const { page } = window;
  await open(page, `/alerts/${attack.alertId}?tab=story`);
  expect(await page.locator(".story-node").count()).toBeGreaterThan(5);
  expect(await page.locator(".story-steps li").count()).toBe(5);
  await page.waitForSelector(".tactics :text('Persistence')");
  await page.click(".story-steps button:has-text('Cron job written')");
  await page.waitForSelector(".story-node.chosen");
  await page.waitForSelector(".story-chosen li:has-text('203.0.113.9')");
  for (const [format, start] of [
    ["JSON", "{"],
    ["HTML", "<!doctype html"],
    ["Text", ""],
  ] as const) {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.click(`main a[download]:has-text('${format}')`),
    ]);
    const text = readFileSync(await download.path(), "utf8");
    expect(text.toLowerCase().startsWith(start), format).toBe(true);
    expect(text).toContain("203.0.113.9");
  }
  expect(window.complaints).toEqual([]);
  await window.close();
});

test("a rule is switched to block and off, and one that cannot block says why", { timeout: SLOW_MS }, async () => {
  const window = await bench.logIn();
  const { page } = window;
  await open(page, "/runtime-rules?search=miner");
  const row = page.locator("tr:has-text('Cryptocurrency miner started')");
  await row.locator(".ant-segmented-item:has-text('Block')").click();
  await row.locator(".mode-block").waitFor();
  await page.reload();
  await settled(page);
  await row.locator(".mode-block").waitFor();
  await row.locator(".ant-segmented-item:has-text('Off')").click();
  await row.locator(".mode-off").waitFor();
  await open(page, "/runtime-rules?search=ports+scanned");
  const [judged] = await page.locator("tr .ant-segmented-item-disabled:has-text('Block')").all();
  await judged?.hover();
  await page.waitForSelector(".ant-tooltip:has-text('It cannot block: it judges many events together')");
  expect(window.complaints).toEqual([]);
  await window.close();
});

test("a rule does otherwise in a scope, until that is taken back", { timeout: SLOW_MS }, async () => {
  const window = await bench.logIn();
  const { page } = window;
  await open(page, `/runtime-rules?open=${encodeURIComponent("Cron job written")}`);
  await page.click(".ant-drawer button:has-text('Add an exception')");
  await page.click(".ant-modal-footer button:has-text('Save')");
  await page.waitForSelector(".ant-modal :text('Name at least one image, namespace or container')");
  await page.fill("#namespaces", "batch-*");
  await page.keyboard.press("Enter");
  await page.click(".ant-modal-footer button:has-text('Save')");
  await page.waitForSelector(".ant-drawer li:has-text('Namespaces: batch-*')");
  await page.click(".ant-drawer li button:has-text('Take back')");
  await page.waitForSelector(".ant-drawer :text('It does the same everywhere')");
  expect(window.complaints).toEqual([]);
  await window.close();
});

test("a file of rules is tried out with its problems by line, then kept", { timeout: SLOW_MS }, async () => {
  const window = await bench.logIn();
  const { page } = window;
  await open(page, "/runtime-rules?tab=files");
  await page.click("main button:has-text('Add a file')");
  await page.fill("#name", "team.yaml");
  await page.fill("#content", "- rule: Ours\n  desc: d\n  condition: proc.nope = 1\n  output: o\n  priority: ERROR\n");
  await page.click("button:has-text('Try out')");
  await page.waitForSelector(".rule-problems :text-matches('team.yaml:3:[0-9]+')");
  await bench.picture(window, "runtime-rule-problems");
  await page.fill(
    "#content",
    "- rule: Ours\n  desc: d\n  condition: evt.type = execve and proc.name = ours\n  output: o\n  priority: ERROR\n",
  );
  await page.click("button:has-text('Try out')");
  await page.waitForSelector(":text('1 rule works, no problems')");
  await page.click(".ant-drawer-footer button:has-text('Save')");
  await page.waitForSelector("main td:has-text('team.yaml')");
  await open(page, "/runtime-rules?search=ours");
  await page.waitForSelector("main td:has-text('team.yaml')");
  expect(window.complaints).toEqual([]);
  await window.close();
});

test("indicators are pasted, and an automatic response is only tried out at first", { timeout: SLOW_MS }, async () => {
  const window = await bench.logIn();
  const { page } = window;
  await open(page, "/runtime-rules?tab=indicators");
  await page.click("main button:has-text('Paste a list')");
  await page.fill("#source", "our list");
  await page.fill("#list", "203.0.113.9\nbad.example.org\n198.51.100.0/24\nnot an indicator !\n");
  await page.click(".ant-modal-footer button:has-text('Save')");
  await page.waitForSelector(":text('3 indicators read, 3 new or changed, 1 line refused')");
  await open(page, "/runtime-rules?tab=automatic");
  await page.click("main button:has-text('Add a response')");
  await page.fill("#name", "cut off");
  await page.fill("#condition", 'alert.severity == "critical"');
  await page.click("#actions");
  await page.click(".ant-select-item-option:has-text('Isolate network')");
  await page.keyboard.press("Escape");
  await page.click(".ant-modal-footer button:has-text('Save')");
  await page.waitForSelector("main td .tag:text-is('Only try out')");
  expect(window.complaints).toEqual([]);
  await window.close();
});

test("a target of exports is added, tried, and says why it fails", { timeout: SLOW_MS }, async () => {
  const receiver = await startSyslogReceiver();
  const window = await bench.logIn();
  const { page } = window;
  await open(page, "/exports");
  await page.click("button:has-text('Add a target')");
  await page.fill("#name", "siem");
  await page.fill("#address", receiver.address);
  await page.check("#events");
  await page.check("#settings_allowPrivate");
  await bench.picture(window, "runtime-export-form");
  await page.click(".ant-modal-footer button:has-text('Save')");
  const row = page.locator("main tr:has-text('siem')");
  await row.locator(":text('Up to date')").waitFor();
  await row.locator("button:has-text('Test')").click();
  await page.waitForSelector(":text('The receiver took a test record')");
  expect(receiver.received.join()).toContain("test");
  await receiver.close();
  await row.locator("button:has-text('Test')").click();
  await page.waitForSelector(".ant-message :text('ECONNREFUSED')");
  // What follows is sent by itself, and tried again.
  await page.click("main tr:has-text('siem') button:has-text('Edit')");
  await page.waitForSelector(".ant-modal :text('Send also what it did not get so far')");
  await page.keyboard.press("Escape");
  await row.locator(".ant-switch").click();
  await row.locator(":text('Off')").waitFor();
  await row.locator("button:has-text('Delete')").click();
  await page.click(".ant-modal-confirm-btns button:has-text('Delete')");
  await page.waitForSelector(":text('Nothing is sent anywhere')");
  const scopes = ["admin:read", "admin:write"];
  const { token } = await bench.call<{ token: string }>(window, "POST", "/tokens", { name: "cli", scopes, days: 1 });
  const env = { ...process.env, BULWARK_SERVER: new URL(page.url()).origin, BULWARK_TOKEN: token };
  const bulwark = async (...words: readonly string[]) => {
    const ended = await promisify(execFile)(BULWARK, ["export", ...words], { env }).catch((error) => error);
    return `${ended.code ?? 0} ${ended.stdout}${ended.stderr}`;
  };
  const again = await startSyslogReceiver();
  expect(await bulwark("add", "logs", again.address)).toContain("2 bulwark: http");
  expect(await bulwark("add", "logs", again.address, "--allow-private", "--events")).toContain(
    "0 alerts, events go to logs",
  );
  expect(await bulwark("test", "logs")).toBe("0 logs took a test record\n");
  await again.close();
  expect(await bulwark("test", "logs")).toMatch(/^1 logs took nothing: .*ECONNREFUSED/);
  expect(await bulwark("list")).toMatch(/logs +syslog +alerts, events +(?:idle|sending|failing) +\d+ +0 /);
  expect(await bulwark("remove", "logs")).toBe("0 nothing more is sent to logs\n");
  expect(await bulwark("remove", "logs")).toContain("2 bulwark: there is no export logs");
  await bulwark("add", "lake", "kafka+tls://127.0.0.1:9093", "--topic", "security", "--events", "--allow-private");
  expect(window.complaints).toEqual([]);
  await window.close();
});

test("what waits is approved by somebody else, and events are searched, opened and the search kept", {
  timeout: SLOW_MS,
}, async () => {
  const window = await bench.logIn();
  const { page } = window;
  const { nodeId, runtimeId, alertId } = attack;
  const place = { nodeId, container: runtimeId, alertId };
  const now = new Date();
  await bench.store.tenant(TENANT, (db) =>
    addResponse(db, {
      ...{ uid: "waits", ...place, action: "stop", parameters: {}, state: "waiting", askedBy: "automatic: cut off" },
      ...{ reason: "", now, expiresAt: new Date(now.getTime() + SLOW_MS) },
    }),
  );
  await open(page, "/");
  await page.click("main a[href='/responses?state=waiting']");
  const answered = page.waitForResponse((answer) => answer.url().endsWith("/approve") && answer.ok());
  await page.click("main td button:has-text('Approve')");
  // Leaving the page before the server answers would take the request back.
  await answered;
  await open(page, "/responses");
  await page.waitForSelector("main td:has-text('decided by admin')");
  const content = Buffer.from("nginx,sh,.x");
  await bench.store.tenant(TENANT, async (db) => {
    await addResponse(db, {
      ...{ uid: "evidence", ...place, action: "collect-evidence", parameters: {}, state: "sent", askedBy: "admin" },
      ...{ reason: "", now, expiresAt: new Date(now.getTime() + SLOW_MS) },
    });
    const piece = { uid: "evidence", name: "process-tree.txt", offset: 0, content, isLast: true, cutBytes: 0 };
    await addEvidence(db, nodeId, piece);
    await announce(db, { topic: "responses", id: 0 });
  });
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.click("main td a:has-text('process-tree.txt')"),
  ]);
  expect(readFileSync(await download.path(), "utf8")).toBe("nginx,sh,.x");
  await open(page, "/events?text=.x");
  await page.locator("main td .link-button").first().click();
  await page.waitForSelector(".ant-drawer .lineage :text('nginx')");
  await page.keyboard.press("Escape");
  await page.click("main button:has-text('Save search')");
  await page.fill("#name", "the dropped file");
  await page.keyboard.press("Enter");
  await open(page, "/events");
  await page.click("button:has-text('Saved searches')");
  await page.click(".ant-dropdown :text('the dropped file')");
  await page.waitForURL("**text=.x**");
  expect(window.complaints).toEqual([]);
  await window.close();
});

describe.each([
  { language: "en", theme: "light" },
  { language: "zh", theme: "dark" },
  { language: "en", theme: "dark" },
  { language: "zh", theme: "light" },
] as const)("in $language, $theme", (look) => {
  test("every page of the runtime shows in its language and within its width", { timeout: SLOW_MS }, async () => {
    const window = await bench.logIn(look);
    const foreign = foreignTexts(look.language);
    for (const [name, path] of Object.entries(pages(attack))) {
      await open(window.page, path);
      await bench.picture(window, `runtime-${look.language}-${look.theme}-${name}`);
      const texts = (await window.page.evaluate(TEXTS)) as string[];
      expect
        .soft(
          texts.filter((text) => foreign.has(text)),
          name,
        )
        .toEqual([]);
      expect.soft(await window.page.evaluate(WIDER), `${name} is wider than the window`).toBe(false);
    }
    expect(window.complaints).toEqual([]);
    await window.close();
  });
});

test("what attackers name is shown as text on every page, and nothing of it runs", { timeout: SLOW_MS }, async () => {
  const hostile = await seedAttack(bench.store, TENANT, { planted: PLANTED, now: new Date(Date.now() + 1_000) });
  const window = await bench.logIn();
  const call = (path: string, body: unknown, method = "POST") => bench.call(window, method, path, body);
  await call("/enrolment-tokens", { name: PLANTED });
  await call(`/alerts/${hostile.alertId}`, { note: PLANTED }, "PATCH");
  await call("/responses", { action: "pause", alertId: hostile.alertId, reason: PLANTED });
  await call("/allow-entries", { rule: PLANTED, condition: "proc.name = x", reason: PLANTED });
  await call("/indicators", { source: PLANTED, list: "203.0.113.77" });
  const target = { name: PLANTED, kind: "syslog", address: "tcp://127.0.0.1:9", settings: { allowPrivate: true } };
  await call("/exports", target, "PUT");
  await call("/automatic-responses", { name: PLANTED, condition: "false", actions: ["pause"] }, "PUT");
  const shown: string[] = [];
  for (const [name, path] of Object.entries(pages(hostile))) {
    await open(window.page, path);
    await bench.picture(window, `runtime-hostile-${name}`);
    expect.soft(await window.page.evaluate(PLANTS), `${name} holds a planted element`).toBe(0);
    expect.soft(await window.page.evaluate("window.xss"), `${name} ran a planted script`).toBeUndefined();
    expect.soft(await window.page.evaluate(WIDER), `${name} is wider than the window`).toBe(false);
    const text = (await window.page.textContent("body")) ?? "";
    expect.soft(/[\u001b\u202e]/.test(text), `${name} shows control characters`).toBe(false);
    if (text.includes("<img src=x onerror=")) shown.push(name);
  }
  // Otherwise the pages above would have been looked at for nothing.
  expect(shown).toEqual(
    expect.arrayContaining(["alerts", "alert", "story", "container", "node", "event", "responses"]),
  );
  expect(shown.length).toBeGreaterThan(15);
  expect(window.complaints).toEqual([]);
  await window.close();
});

/** The node's answer to the last order of this kind. */
async function played(action: string, detail: string): Promise<void> {
  const waiting = async () => {
    const found = await bench.store.tenant(TENANT, async (db) => {
      for (let id = 50; id > 0; id--) {
        const response = await getResponse(db, id);
        if (response?.action === action && response.nodeId === attack.nodeId) return response;
      }
      return undefined;
    });
    return found;
  };
  await expect.poll(async () => (await waiting())?.uid, { timeout: 10_000 }).toBeDefined();
  const { uid, id } = (await waiting())!;
  await bench.store.tenant(TENANT, async (db) => {
    await endResponse(db, attack.nodeId, { uid, state: "done", detail, facts: {}, at: new Date() });
    await announce(db, { topic: "responses", id });
  });
}

function foreignTexts(language: "en" | "zh"): ReadonlySet<string> {
  const [own, other] = language === "en" ? [en, zh] : [zh, en];
  const keys = Object.keys(en) as Key[];
  const said = new Set<string>(keys.map((key) => own[key]));
  return new Set(keys.filter((key) => !key.startsWith("language.") && !said.has(other[key])).map((key) => other[key]));
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await settled(page);
}

async function click(page: Page, selector: string): Promise<void> {
  await page.click(selector);
  await settled(page);
}

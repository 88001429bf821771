import type { ImageInput } from "@bulwark/image/testing";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ConsoleBench, openConsoleBench, settled, type Window } from "./support/console-bench.ts";

/** From the log-in to the closed case, as a person works: the platform, a registry and a browser are real. */

const OS = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n';
const INSTALL = "RUN npm install lodash";
const FLAW = "CVE-2019-10744";
const PATIENCE = { timeout: 100_000 };

let bench: ConsoleBench;
beforeAll(async () => {
  bench = await openConsoleBench();
});
afterAll(async () => bench?.close());

/** A shop that brings one version of lodash in its second layer. */
const shop = (lodash: string): ImageInput => ({
  layers: [
    { files: { "etc/os-release": OS }, createdBy: "ADD rootfs.tar /" },
    {
      files: { "app/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version: lodash }) },
      createdBy: INSTALL,
    },
    { files: { "app/index.js": "require('lodash');\n" }, createdBy: "COPY . /app" },
  ],
});

test("a registry is connected, its flaw found, assigned, fixed by a push, and its case closes", async () => {
  bench.push("shop/web", "1.0", shop("4.17.4"));
  const window = await bench.logIn();
  const progress = await watchJobs(window);
  await connect(window);
  await expect.poll(() => progress.states(), PATIENCE).toEqual(expect.arrayContaining(["Running", "Done"]));
  await bench.picture(progress.window, "jobs");
  await progress.window.close();
  await findOnLayer(window);
  const caseAddress = await searchAndSave(window);
  const riskAddress = await assignRisk(window);

  bench.push("shop/web", "1.0", shop("4.17.21"));
  await click(window.page, "nav >> text=Registries");
  await click(window.page, "button:has-text('Sync')");
  // Both pages are only looked at: nobody reloads them, nobody closes anything by hand.
  await open(window.page, riskAddress);
  await window.page.waitForSelector("main .tag:text-is('Fixed')");
  await bench.picture(window, "risk-fixed");
  await open(window.page, caseAddress);
  await window.page.waitForSelector('[aria-label="0 images still affected, 1 put right"]', PATIENCE);
  await bench.picture(window, "case-closed");
  expect(window.complaints).toEqual([]);
  await window.close();
});

test("a tag that goes back to an image that was scanned before opens its risks again at once", async () => {
  const window = await bench.logIn();
  const { page } = window;
  bench.push("shop/web", "1.0", shop("4.17.4"));
  await open(page, "/registries");
  await click(page, "button:has-text('Sync')");
  await open(page, "/risks?state=reopened");
  await page.waitForSelector(`main td a:has-text('${FLAW}')`);
  await window.close();
});

/** A window that only looks at the list of jobs; tells the states that it showed without being reloaded. */
async function watchJobs(other: Window): Promise<{ readonly window: Window; states(): Promise<readonly string[]> }> {
  const window = await bench.logIn();
  await open(window.page, "/jobs");
  expect(await window.page.textContent("main")).toContain("No jobs");
  await window.page.evaluate(`{
    window.seen = new Set();
    new MutationObserver(() => {
      for (const tag of document.querySelectorAll("main td .tag")) window.seen.add(tag.textContent);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  }`);
  await other.page.bringToFront();
  return { window, states: () => window.page.evaluate("[...window.seen]") };
}

async function connect(window: Window): Promise<void> {
  const { page } = window;
  await click(page, "nav >> text=Registries");
  await bench.picture(window, "registries-empty");
  await click(page, "button:has-text('Connect a registry')");
  await page.fill("#name", "shop registry");
  await page.fill("#address", bench.registry.host);
  await click(page, "button:has-text('Test')");
  // Without being told so, it goes neither into private networks nor without TLS.
  await page.waitForSelector("text=This address is not allowed");
  await page.click("text=Filters, intervals, certificates");
  await page.click("text=The address may be in a private network");
  await page.click("text=Without TLS");
  await click(page, "button:has-text('Test')");
  await page.waitForSelector("text=The registry answers and the login works");
  await bench.picture(window, "registry-tested");
  await click(page, "button:has-text('Connect and sync')");
  await page.waitForSelector("td:has-text('shop registry')");
}

async function findOnLayer(window: Window): Promise<void> {
  const { page } = window;
  await click(page, "nav >> text=Images");
  await page.click("td a:has-text('shop/web')");
  await settled(page);
  await bench.picture(window, "image");
  await click(page, `.layer-stack button:has-text("npm install lodash")`);
  await page.waitForURL("**layer=1**");
  await click(page, `main td button:has-text('${FLAW}')`);
  const drawer = page.locator(".finding-drawer");
  await drawer.getByText("4.17.12").first().waitFor();
  await drawer.getByText("pkg:npm/lodash@4.17.4").waitFor();
  await bench.picture(window, "finding");
  await page.keyboard.press("Escape");
}

async function searchAndSave(window: Window): Promise<string> {
  const { page } = window;
  await click(page, "nav >> text=Emergency search");
  await page.fill("#component", "lodash");
  await page.fill("#range", "<4.17.12");
  await page.keyboard.press("Enter");
  await page.waitForSelector("main td a:has-text('shop/web')");
  await bench.picture(window, "search");
  await click(page, "button:has-text('Save as case')");
  await page.fill("#title", "Old lodash everywhere");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/cases\/\d+$/);
  await page.waitForSelector('[aria-label="1 images still affected, 0 put right"]');
  await bench.picture(window, "case-open");
  return new URL(page.url()).pathname;
}

async function assignRisk(window: Window): Promise<string> {
  const { page } = window;
  await click(page, "nav >> text=Risks");
  await click(page, `main td a:has-text('${FLAW}')`);
  await page.waitForURL(/\/risks\/\d+$/);
  await click(page, "button:has-text('Assign')");
  await page.click("#accountId");
  await page.click(".ant-select-item-option");
  await click(page, ".ant-modal button:has-text('Assign')");
  await page.waitForSelector("main .tag:text-is('Assigned')");
  await click(page, "button:has-text('Start fixing')");
  await page.waitForSelector("main .tag:text-is('Being fixed')");
  await bench.picture(window, "risk-fixing");
  return new URL(page.url()).pathname;
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await settled(page);
}

async function click(page: Page, selector: string): Promise<void> {
  await page.click(selector);
  await settled(page);
}

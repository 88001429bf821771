import type { ImageInput } from "@bulwark/image/testing";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seedAttack } from "../apps/server/src/testing/seed-attack.ts";
import { type ConsoleBench, openConsoleBench, settled, type Window } from "./support/console-bench.ts";

/** From the log-in to the closed case, as a person works: the platform, a registry and a browser are real. */

const OS = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n';
const INSTALL = "RUN npm install lodash";
const FLAW = "CVE-2019-10744";
const PATIENCE = { timeout: 100_000 };
/** Cases are looked at again every minute. */
const SLOW_MS = 300_000;

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

test(
  "a registry is connected, its flaw found, assigned, fixed by a push, and its case closes",
  async () => {
    await bench.push("shop/web", "1.0", shop("4.17.4"));
    const window = await bench.logIn();
    const progress = await watchJobs(window);
    await connect(window);
    await expect.poll(() => progress.states(), PATIENCE).toEqual(expect.arrayContaining(["Running", "Done"]));
    await bench.picture(progress.window, "jobs");
    await progress.window.close();
    await findOnLayer(window);
    const caseAddress = await searchAndSave(window);
    const riskAddress = await assignRisk(window);

    await bench.push("shop/web", "1.0", shop("4.17.21"));
    await sync(window.page);
    // Both pages are only looked at: nobody reloads them, nobody closes anything by hand.
    await open(window.page, riskAddress);
    await window.page.waitForSelector("main .tag:text-is('Fixed')");
    await bench.picture(window, "risk-fixed");
    await open(window.page, caseAddress);
    await window.page.waitForSelector('[aria-label="0 images still affected, 1 put right"]', PATIENCE);
    await bench.picture(window, "case-closed");
    expect(window.complaints).toEqual([]);
    await window.close();
  },
  SLOW_MS,
);

test(
  "a tag that goes back to an image that was scanned before opens its risks again at once",
  async () => {
    const window = await bench.logIn();
    const { page } = window;
    await bench.push("shop/web", "1.0", shop("4.17.4"));
    await sync(page);
    await open(page, "/risks?state=reopened");
    await click(page, `main td a:has-text('${FLAW}')`);
    await page.waitForSelector("main .tag:text-is('Reopened')");
    await click(page, "button:has-text('Accept risk')");
    await page.fill("#reason", "The shop is switched off next week");
    await page.fill("#until", "2099-12-31");
    await page.keyboard.press("Enter");
    await page.waitForSelector("main :text('Waits for approval')");
    await window.close();
  },
  SLOW_MS,
);

/** Each would set `window.xss` if anything took it for more than a text. */
const PLANTED = `"'><img src=x onerror="window.xss=1"><svg onload="window.xss=1"></svg><script>window.xss=1</script>`;
/** What would be there if a planted text had become part of the page. */
const PLANTS = `document.querySelectorAll('img[src="x"], svg[onload], main script, a[href^="javascript:" i]').length`;
const SECRET = `ghp_${"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0xL2rU5"}`;

const hostile: ImageInput = {
  layers: [
    { files: { "etc/os-release": `ID=debian\nVERSION_ID="12"\nPRETTY_NAME='${PLANTED.replaceAll("'", "")}'\n` } },
    {
      files: {
        "app/node_modules/planted/package.json": JSON.stringify({ name: PLANTED, version: PLANTED }),
        "app/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version: "4.17.4" }),
        [`app/${PLANTED.replaceAll("/", "")}/.env`]: `TOKEN=${SECRET}\n`,
      },
      createdBy: `RUN echo ${PLANTED}`,
    },
  ],
  config: {
    Labels: { [PLANTED]: PLANTED, "org.opencontainers.image.title": PLANTED },
    Env: [`NAME=${PLANTED}`, `API_TOKEN=${SECRET}`],
    User: PLANTED,
    Cmd: [PLANTED],
  },
};

test(
  "what is planted in images and names is shown as text on every page, and nothing of it runs",
  async () => {
    const digest = await bench.push("hostile/app", "1", hostile);
    const window = await bench.logIn();
    const { page } = window;
    const pages = await plant(window, digest);
    const shown: string[] = [];
    for (const path of pages) {
      await open(page, path);
      expect.soft(await page.evaluate(PLANTS), `${path} holds a planted element`).toBe(0);
      expect.soft(await page.evaluate("window.xss"), `${path} ran a planted script`).toBeUndefined();
      await bench.picture(window, `hostile-${path.replaceAll(/[^a-z0-9]+/g, "-").slice(1, 40)}`);
      if ((await page.textContent("main"))?.includes("<img src=x onerror=")) shown.push(path);
    }
    // Otherwise the pages above would have been looked at for nothing.
    expect(shown.length).toBeGreaterThan(10);
    expect(window.complaints).toEqual([]);
    await window.close();
  },
  SLOW_MS,
);

/** Names everything after the planted text; gives the addresses of all pages that show it. */
async function plant(window: Window, digest: string): Promise<readonly string[]> {
  const call = <Body = Made>(method: string, path: string, body?: unknown) =>
    bench.call<Body>(window, method, path, body);
  const place = { kind: "docker", address: bench.registry.host, plainHttp: true, allowPrivate: true };
  const owner = await call("POST", "/owners", { name: PLANTED.slice(0, 90) });
  const registry = await call("POST", "/registries", {
    ...place,
    name: PLANTED.slice(0, 90),
    include: ["hostile/*"],
    ownerId: owner.id,
  });
  const scanned = () => call<{ state?: string }>("GET", `/images/${digest}`).then(({ state }) => state, String);
  await expect.poll(scanned, PATIENCE).toBe("scanned");
  await call("PATCH", `/images/${digest}`, { labels: { planted: PLANTED } });
  const opened = await call("POST", "/cases", { title: PLANTED, query: { component: PLANTED }, note: PLANTED });
  await call("POST", "/tokens", { name: PLANTED.slice(0, 90), scopes: ["images:read"] });
  const account = { login: "planted", name: PLANTED.slice(0, 90), role: "developer", password: "seven brown otters" };
  const somebody = await call("POST", "/accounts", account);
  const { items: risks } = await call<{ items: Made[] }>("GET", "/risks?search=hostile");
  expect(risks.length).toBeGreaterThan(0);
  for (const { id } of risks.slice(0, 2)) {
    await call("POST", `/risks/${id}/comment`, { text: PLANTED });
    await call("POST", `/risks/${id}/assign`, { accountId: somebody.id });
    await call("POST", `/risks/${id}/accept`, { reason: PLANTED, until: "2099-01-01" });
  }
  const attack = await seedAttack(bench.store, 1, { planted: PLANTED });
  const { items: jobs } = await call<{ items: Made[] }>("GET", "/jobs");
  const asked = encodeURIComponent(PLANTED);
  return [
    "/",
    `/images?search=${asked}`,
    "/images",
    `/images/${digest}`,
    `/images/${digest}?layer=1`,
    `/images/${digest}?tab=packages`,
    `/images/${digest}?tab=about`,
    `/images/${digest}?search=${asked}`,
    "/vulnerabilities",
    `/vulnerabilities/${FLAW}`,
    `/vulnerabilities/${asked}`,
    "/packages",
    `/search?component=${asked}`,
    "/search?component=lodash",
    "/search?component=lodash&tab=layers",
    "/search?component=lodash&tab=owners",
    "/cases",
    `/cases/${opened.id}`,
    "/risks",
    ...risks.slice(0, 2).map(({ id }) => `/risks/${id}`),
    "/registries",
    "/jobs",
    ...jobs.map(({ id }) => `/jobs?job=${id}`),
    "/jobs?tab=given-up",
    "/users",
    "/tokens",
    "/owners",
    "/audit",
    `/registries?registry=${registry.id}`,
    "/alerts",
    `/alerts/${attack.alertId}`,
    `/alerts/${attack.alertId}?tab=story`,
    `/containers/${attack.containerId}`,
    `/nodes/${attack.nodeId}`,
    `/events?event=${attack.eventId}`,
    "/assets?tab=ports",
  ];
}

interface Made {
  readonly id: number;
}

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
  // Said of what is there: while the part of the form opens, a click may go beside.
  await page.getByRole("checkbox", { name: "The address may be in a private network" }).check();
  await page.getByRole("checkbox", { name: "Without TLS" }).check();
  await click(page, "button:has-text('Test'):not(.ant-btn-loading)");
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
  await page.waitForSelector('[aria-label="1 image still affected, 0 put right"]');
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

async function sync(page: Page): Promise<void> {
  await open(page, "/registries");
  // Leaving the page before the server answers would take the request back.
  const answered = page.waitForResponse((answer) => answer.url().endsWith("/sync") && answer.ok());
  await click(page, "button:has-text('Sync')");
  await answered;
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await settled(page);
}

async function click(page: Page, selector: string): Promise<void> {
  await page.click(selector);
  await settled(page);
}

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { en, type Key } from "../i18n/en.ts";
import { zh } from "../i18n/zh.ts";
import { type Bench, type Look, openBench, settled } from "./browser.ts";
import { imageOf } from "./fixture/images.ts";
import { LOGIN } from "./fixture-server.ts";

const HOSTILE = imageOf(0).digest;
const PAGES: Readonly<Record<string, string>> = {
  overview: "/",
  images: "/images",
  image: `/images/${imageOf(30).digest}`,
  hostile: `/images/${HOSTILE}`,
  "hostile-about": `/images/${HOSTILE}?tab=about`,
  "hostile-packages": `/images/${HOSTILE}?tab=packages`,
  "image-bases": `/images/${HOSTILE}?tab=bases`,
  forest: "/bases",
  "forest-inside": "/bases?node=3",
  "forest-node": "/bases?node=1&detail=1",
  spread: "/bases/spread",
  "spread-direct": "/bases/spread?by=direct",
  plan: "/bases/plan",
  "plan-share": "/bases/plan?goal=share&value=80&measure=risk",
  rebuilds: "/rebuilds",
  golden: "/golden",
  "golden-image": "/golden/1",
  "golden-changes": "/golden/4?diff=40",
  "golden-proposed": "/golden/2",
  increment: "/programmes",
  stock: "/programmes?tab=stock",
  teams: "/programmes?tab=teams",
  unused: "/unused",
  cleanups: "/unused?tab=cleanups",
  "cleanup-items": "/unused?tab=cleanups&cleanup=3",
  holds: "/unused?tab=holds",
  vulnerabilities: "/vulnerabilities",
  vulnerability: "/vulnerabilities/CVE-2025-10000",
  packages: "/packages",
  search: "/search",
  "search-result": "/search?component=log4j-core&range=%3C2.17.1",
  "search-undetermined": "/search?component=log4j-core&tab=undetermined",
  cases: "/cases",
  case: "/cases/1",
  "hostile-case": "/cases/2",
  risks: "/risks",
  risk: "/risks/1",
  "risk-of-base": "/risks/2",
  "risks-of-own": "/risks?verdict=own",
  waivers: "/waivers",
  benchmarks: "/benchmarks",
  "benchmark-results": "/benchmarks?tab=results",
  "benchmark-fixes": "/benchmarks?tab=fixes",
  "component-flaws": "/benchmarks?tab=components",
  compliance: "/benchmarks?tab=compliance",
  "benchmark-rules": "/benchmarks?tab=rules",
  admission: "/admission",
  "admission-policies": "/admission?tab=policies",
  "admission-policy": "/admission?tab=policies&policy=no-privileged",
  baselines: "/admission?tab=baselines",
  baseline: "/admission?tab=baselines&baseline=3",
  brakes: "/admission?tab=brakes",
  "admission-exceptions": "/admission?tab=exceptions",
  "break-glass": "/admission?tab=grants",
  clusters: "/clusters",
  cluster: "/clusters/1",
  "cluster-exposure": "/clusters/1?tab=exposure",
  "cluster-paths": "/clusters/1?tab=paths",
  "cluster-agents": "/clusters/1?tab=about",
  workload: "/workloads/1",
  impact: "/impact?cause=vulnerability&id=CVE-2021-44228",
  registries: "/registries",
  connect: "/registries?connect=new",
  repositories: "/repositories",
  schedules: "/schedules",
  providers: "/providers",
  tenants: "/tenants",
  jobs: "/jobs",
  tasks: "/jobs?job=100",
  "given-up": "/jobs?tab=given-up",
  accepted: "/risks/6",
  channels: "/notifications",
  rules: "/notifications?tab=rules",
  deliveries: "/notifications?tab=deliveries",
  users: "/users",
  tokens: "/tokens",
  owners: "/owners",
  audit: "/audit",
  database: "/database",
  account: "/account",
  alerts: "/alerts?state=all",
  "request-alert": "/alerts/1",
  nodes: "/nodes",
  "no-match": "/images?search=zzzz",
  missing: "/nothing/here",
};
const LOOKS: readonly Look[] = [
  { language: "en", theme: "light" },
  { language: "zh", theme: "dark" },
];

/** Texts of the page, each as it stands in the document. */
const TEXTS = `[...document.querySelectorAll("body *")].filter((e) => !e.closest("script,style,bdi"))
  .flatMap((e) => [...[...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()),
    e.getAttribute("aria-label"), e.getAttribute("placeholder"), e.closest("bdi") ? null : e.getAttribute("title")])
  .filter((text) => text)`;
const WIDER = `document.documentElement.scrollWidth > window.innerWidth ||
  document.querySelector("main").scrollWidth > document.querySelector("main").clientWidth`;
const PLANTED = `[...document.querySelectorAll('img[src="x"], svg[onload], a[href^="javascript:" i], a[href^="data:" i]')].length`;

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => bench?.close());

/** Pages that one visit looks at: all of them would take longer than a test may on a busy machine. */
const AT_ONCE = 16;
const VISITS = Array.from({ length: Math.ceil(Object.keys(PAGES).length / AT_ONCE) }, (_, n) =>
  Object.entries(PAGES).slice(n * AT_ONCE, (n + 1) * AT_ONCE),
);

describe.each(LOOKS)("in $language, $theme", (look) => {
  test.each(VISITS.map((pages) => [`${pages[0]?.[0]} to ${pages.at(-1)?.[0]}`, pages] as const))(
    "pages from %s show without complaint, in their language, within their width, and run nothing that was planted",
    async (_, pages) => {
      const visit = await bench.visit(look);
      const { page } = visit;
      await bench.logIn(page);
      const foreign = foreignTexts(look);
      for (const [name, path] of pages) {
        await bench.open(page, path);
        await bench.screenshot(page, `${look.language}-${look.theme}-${name}`);
        const texts = (await page.evaluate(TEXTS)) as string[];
        expect
          .soft(
            texts.filter((text) => foreign.has(text)),
            name,
          )
          .toEqual([]);
        expect.soft(await page.evaluate(WIDER), `${name} is wider than the window`).toBe(false);
        expect.soft(await page.evaluate(PLANTED), `${name} holds planted elements`).toBe(0);
        expect.soft(await page.evaluate("window.xss"), `${name} ran a planted script`).toBeUndefined();
        expect.soft(await page.title()).toContain("Bulwark");
        expect.soft(await page.evaluate("document.documentElement.dataset.theme")).toBe(look.theme);
      }
      expect(visit.complaints).toEqual([]);
      await visit.close();
    },
  );
});

/** Logs in where the console led by itself. */
async function logInHere(page: Page): Promise<void> {
  await page.fill("#login", LOGIN.login);
  await page.fill("#password", LOGIN.password);
  await page.keyboard.press("Enter");
  await page.fill("#code", LOGIN.code);
  await page.keyboard.press("Enter");
}

/** Strings of the other language that this one writes otherwise. */
function foreignTexts({ language }: Look): ReadonlySet<string> {
  const [own, other] = language === "en" ? [en, zh] : [zh, en];
  const keys = Object.keys(en) as Key[];
  const said = new Set<string>(keys.map((key) => own[key]));
  // The languages are named in themselves, and what the product is called is the same in both.
  return new Set(keys.filter((key) => !key.startsWith("language.") && !said.has(other[key])).map((key) => other[key]));
}

test("from login to a layer's findings by keyboard alone", async () => {
  const { page, complaints, close } = await bench.visit({ language: "en", theme: "light" });
  await page.goto("/images");
  await page.waitForSelector("#login:focus");
  await page.keyboard.type(LOGIN.login);
  await page.keyboard.press("Tab");
  await page.keyboard.type(LOGIN.password);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#code:focus");
  await page.keyboard.type(LOGIN.code);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/images");
  await settled(page);
  await page.reload();
  await settled(page);
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("Skip to content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate("document.activeElement.id")).toBe("main");
  const reference = imageOf(2).reference;
  await tabTo(page, (text) => text.endsWith("-normal:1"));
  await page.keyboard.press("Enter");
  await page.waitForURL("**/images/sha256:*");
  await settled(page);
  expect(reference).toContain(((await page.textContent("h1")) ?? "").slice(0, 25));
  await tabTo(page, (text) => text.includes("npm ci"));
  await page.keyboard.press("Enter");
  await page.waitForURL("**layer=4**");
  await settled(page);
  const cells = ".image-tabs tbody tr:not(.spacer) td:nth-child(5) .number";
  const layers = () => page.$$eval(cells, (found) => [...new Set(found.map((cell) => cell.textContent))]);
  await expect.poll(layers).toEqual(["4"]);
  await tabTo(page, (text) => text.startsWith("CVE-"));
  await page.keyboard.press("Enter");
  await page.waitForSelector(".finding-drawer");
  await page.keyboard.press("Escape");
  await page.waitForSelector(".finding-drawer", { state: "detached" });
  expect(complaints).toEqual([]);
  await close();
});

const focused = (page: Page) => page.evaluate("document.activeElement.textContent") as Promise<string>;

/** Presses Tab until what has the focus reads so. */
async function tabTo(page: Page, isIt: (text: string) => boolean): Promise<void> {
  const MOST = 80;
  for (let presses = 0; presses < MOST; presses++) {
    await page.keyboard.press("Tab");
    const role = await page.evaluate("document.activeElement.tagName");
    if (role !== "MAIN" && isIt(await focused(page))) return;
  }
  throw new Error(`not reached with ${MOST} presses of Tab`);
}

test("a list of 100,000 images holds only rows in sight, and reads on as one scrolls", async () => {
  const { page, close } = await bench.visit({ language: "en", theme: "light" });
  await bench.logIn(page);
  await bench.open(page, "/images");
  expect(await page.getAttribute(".data-table", "aria-rowcount")).toBe("100000");
  for (const rows of [400, 600, 800, 1_000]) {
    await page.evaluate("document.querySelector('.table-scroll').scrollTo(0, 1e9)");
    await page.waitForSelector(`.table-footer:has-text("${rows.toLocaleString("en")} of")`);
  }
  expect(await page.locator(".data-table tbody tr").count()).toBeLessThan(80);
  await close();
});

test("a forest of 30,000 roots is read as far as asked, by keyboard, and stays fluid", async () => {
  const { page, complaints, close } = await bench.visit({ language: "en", theme: "light" });
  await bench.logIn(page);
  // How many there are in all may be answered last.
  let answer = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route("**/api/v1/lineage/spread", async (route) => {
    await asked;
    await route.continue();
  });
  await bench.open(page, "/bases");
  await page.waitForSelector("text=5,500 bases read");
  answer();
  await page.waitForSelector("text=30,000 of them at the very bottom");
  await page.click(".forest-row");
  await page.waitForURL("**node=1");
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector('.forest-row[aria-level="2"]');
  await page.keyboard.press("ArrowLeft");
  await page.waitForSelector('.forest-row[aria-level="2"]', { state: "detached" });
  await page.keyboard.press("End");
  await page.waitForSelector(".forest-row:focus:has-text('and 24,500 bases with under 3 images')");
  // Who looks elsewhere with the mouse loses no place of the keyboard.
  await page.evaluate("document.querySelector('.forest-tree').scrollTo(0, 0)");
  await page.waitForSelector('.forest-row[aria-posinset="1"]');
  expect(await focused(page)).toContain("24,500 bases");
  await page.keyboard.press("Enter");
  await page.waitForSelector('.forest-map canvas[aria-label*="30,000"]');
  expect(await page.locator(".forest-row").count()).toBeLessThan(80);
  await page.click('[aria-label="Show all"]');
  await page.focus(".forest-map canvas");
  await page.evaluate(FRAMES);
  for (let presses = 0; presses < 40; presses++) await page.keyboard.press(presses % 2 === 0 ? "ArrowLeft" : "+");
  const frames = (await page.evaluate("window.told")) as number[];
  // Sixty a second where the machine does nothing else; ten are asked for wherever this runs.
  expect(frames.toSorted((a, b) => a - b)[Math.floor(frames.length / 2)]).toBeLessThan(100);
  expect(complaints).toEqual([]);
  await close();
});

/** Keeps how long each frame took, in milliseconds. */
const FRAMES = `window.told = []; (function next(last) {
  requestAnimationFrame((now) => { if (last) window.told.push(now - last); next(now); });
})(0)`;

test("filters, sorting and tabs are in the address and survive a reload", async () => {
  const { page, close } = await bench.visit({ language: "en", theme: "light" });
  await bench.logIn(page);
  await bench.open(page, "/images");
  await page.fill('main input[type="search"]', "payments/api");
  await page.waitForURL("**search=payments**");
  await page.click("text=Exploited only");
  await page.waitForURL("**exploited=true**");
  await page.reload();
  await settled(page);
  expect(await page.inputValue('main input[type="search"]')).toBe("payments/api");
  const names = () => page.$$eval("tbody a", (links) => links.map((link) => link.textContent ?? ""));
  await expect.poll(async () => (await names()).every((name) => name.includes("payments/api"))).toBe(true);
  await close();
});

test("who is logged out meanwhile comes back to the same page after login", async () => {
  const { page, close } = await bench.visit({ language: "en", theme: "light" });
  await bench.logIn(page);
  await bench.open(page, "/risks?state=open");
  await page.context().clearCookies();
  await page.click("text=Vulnerabilities");
  await page.waitForURL("**/login?back=%2Fvulnerabilities");
  await page.fill("#login", LOGIN.login);
  await page.fill("#password", "wrong");
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=Login or password is wrong");
  await logInHere(page);
  await page.waitForURL("**/vulnerabilities");
  await close();
});

test("a login begins with nothing of who was there before", async () => {
  const { page, close } = await bench.visit({ language: "en", theme: "light" });
  await bench.logIn(page);
  await bench.open(page, "/images");
  await page.waitForSelector(".data-table tbody tr");
  await page.context().clearCookies();
  await page.click("text=Vulnerabilities");
  await page.waitForURL("**/login?back=%2Fvulnerabilities");
  await logInHere(page);
  await page.waitForURL("**/vulnerabilities");
  // Whoever logs in now sees only what was answered to them: here, nothing yet.
  const asked = new Promise<void>((resolve) => void page.route("**/api/v1/images?**", () => resolve()));
  await page.click('nav >> text="Images"');
  await page.waitForURL("**/images");
  await asked;
  await page.waitForSelector('h1:has-text("Images")');
  expect(await page.locator(".data-table tbody tr").count()).toBe(0);
  await close();
});

test("a further page that is refused is asked for again by hand alone", async () => {
  const { page, close } = await bench.visit({ language: "en", theme: "light" });
  await bench.logIn(page);
  await bench.open(page, "/images");
  let asked = 0;
  // A list that is read anew as a whole may ask for what comes next, too.
  let refreshed = 0;
  page.on("request", (request) => {
    if (/api\/v1\/images\?/.test(request.url()) && !request.url().includes("cursor=")) refreshed++;
  });
  await page.route(/api\/v1\/images\?.*cursor=/, (route) => {
    asked++;
    return route.fulfill({ status: 500, contentType: "application/problem+json", body: '{"title":"no","status":500}' });
  });
  for (let scrolled = 0; scrolled < 3; scrolled++) {
    await page.evaluate("document.querySelector('.table-scroll').scrollTo(0, 1e9)");
    await page.waitForSelector(".table-footer button");
    await page.evaluate("document.querySelector('.table-scroll').scrollTo(0, 0)");
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  }
  expect(asked).toBeLessThanOrEqual(1 + refreshed);
  await page.unroute(/api\/v1\/images\?.*cursor=/);
  await page.click(".table-footer button");
  await page.waitForSelector('.table-footer:has-text("400 of")');
  await close();
});

test("a link to the login page leads to no other host", async () => {
  const { page, close } = await bench.visit({ language: "en", theme: "light" });
  await bench.logIn(page);
  for (const back of [
    "//evil.example.org/",
    "/\\evil.example.org",
    "https://evil.example.org/",
    "javascript:window.xss=1",
  ]) {
    await page.goto(`/login?back=${encodeURIComponent(back)}`);
    await settled(page);
    expect(new URL(page.url()).pathname, back).toBe("/");
  }
  await close();
});

test("language and look are remembered", async () => {
  const { page, close } = await bench.visit({ language: "en", theme: "light" });
  await bench.logIn(page);
  await page.click('[aria-label="Language"]');
  await page.click("text=简体中文");
  await page.waitForSelector("h1:has-text('总览')");
  await page.click('[aria-label="外观"]');
  await page.click("text=深色");
  await page.reload();
  await page.waitForSelector("h1:has-text('总览')");
  expect(await page.evaluate("document.documentElement.lang")).toBe("zh-CN");
  expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
  await close();
});

test("a server that does not answer is told, with what to do", async () => {
  const { page, close } = await bench.visit({ language: "en", theme: "light" });
  await bench.logIn(page);
  await page.route("**/api/v1/risks?**", (route) =>
    route.fulfill({
      status: 400,
      contentType: "application/problem+json",
      body: JSON.stringify({
        type: "about:blank",
        title: "<b>bad</b>",
        status: 400,
        code: "INVALID_REQUEST",
        next: "ask differently",
      }),
    }),
  );
  await page.goto("/risks");
  await page.waitForSelector("text=The server did not accept this input");
  await page.waitForSelector("text=<b>bad</b>");
  await page.waitForSelector("text=ask differently");
  await close();
});

test("a chosen theme that is not the system's is there before the console's own program runs", async () => {
  const { page, close } = await bench.visit({ language: "en", theme: "light" });
  await page.addInitScript('localStorage.setItem("bulwark.theme", "dark")');
  await page.route(/assets\/index-.*\.js/, (route) => route.abort());
  await page.goto("/login");
  expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
  await close();
});

test("an alert about an API server is allowed for who asked, where the request was", async () => {
  const { page, complaints, close } = await bench.visit({ language: "en", theme: "light" });
  await bench.logIn(page);
  await bench.open(page, "/alerts/1");
  expect(await page.textContent("main")).toContain("rules could not be shown all that they look at");
  await page.getByRole("button", { name: "Allow" }).click();
  const form = page.getByRole("dialog");
  await expect.poll(() => form.textContent()).toContain("The same request by");
  expect(await form.textContent()).toContain("In this namespace of this cluster");
  await form.getByRole("combobox").first().click();
  const places = page.locator(".ant-select-item-option-content");
  await expect
    .poll(() => places.allTextContents())
    .toEqual(["In this namespace of this cluster", "On this object", "In this cluster", "Everywhere"]);
  expect(complaints).toEqual([]);
  await close();
});

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { createFixtureServer, LOGIN } from "./fixture-server.ts";

/** Debian's; another one where it lies elsewhere. */
const CHROMIUM = process.env.BULWARK_CHROMIUM ?? "/usr/bin/chromium";
/** Where screenshots are kept, if they are wanted. */
const SCREENSHOTS = process.env.BULWARK_SCREENSHOTS;
const ROOT = join(import.meta.dirname, "../..");
const IMAGES = 100_000;
/** A machine that does much else at once is slow, and not broken. */
const PATIENCE_MS = 60_000;

export interface Look {
  readonly language: "en" | "zh";
  readonly theme: "light" | "dark";
}

/** A page that is watched: what it complains of is gathered. */
interface Visit {
  readonly page: Page;
  readonly complaints: string[];
  close(): Promise<void>;
}

export interface Bench {
  readonly app: FastifyInstance;
  visit(look: Look): Promise<Visit>;
  logIn(page: Page): Promise<void>;
  /** Opens an address and waits until all of it is there. */
  open(page: Page, path: string): Promise<void>;
  screenshot(page: Page, name: string): Promise<void>;
  close(): Promise<void>;
}

/** The built console over made-up data in a real browser. */
export async function openBench(): Promise<Bench> {
  const dist = mkdtempSync(join(tmpdir(), "bulwark-dist-"));
  await build({ root: ROOT, logLevel: "error", build: { outDir: dist, emptyOutDir: true } });
  const app = await createFixtureServer({ images: IMAGES, dist });
  const address = await app.listen({ host: "127.0.0.1", port: 0 });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  if (SCREENSHOTS !== undefined) mkdirSync(SCREENSHOTS, { recursive: true });
  return {
    app,
    visit: async (look) => watch(await newContext(browser, address, look)),
    async logIn(page) {
      await page.goto("/login");
      await page.fill("#login", LOGIN.login);
      await page.fill("#password", LOGIN.password);
      await page.keyboard.press("Enter");
      await page.fill("#code", LOGIN.code);
      await page.keyboard.press("Enter");
      await settled(page);
    },
    async open(page, path) {
      await page.goto(path);
      await settled(page);
    },
    async screenshot(page, name) {
      if (SCREENSHOTS !== undefined) await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
    },
    async close() {
      await browser.close();
      await app.close();
      rmSync(dist, { recursive: true });
    },
  };
}

/** Nothing is on its way any more. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector(".shell main h1");
  await page.waitForSelector('.waiting, .ant-spin, .ant-skeleton, [aria-busy="true"]', { state: "detached" });
}

async function newContext(browser: Browser, baseURL: string, { language, theme }: Look): Promise<BrowserContext> {
  const viewport = { width: 1_440, height: 900 };
  const context = await browser.newContext({
    baseURL,
    viewport,
    locale: language === "zh" ? "zh-CN" : "en-US",
    colorScheme: theme,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

async function watch(context: BrowserContext): Promise<Visit> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // The refusals that lead to the login page are no mistakes.
    const expected = message.text().includes("401 (Unauthorized)");
    const wrong = message.type() === "error" || message.type() === "warning";
    if (wrong && !expected) complaints.push(`${page.url()}: ${message.text()}`);
  });
  return { page, complaints, close: () => context.close() };
}

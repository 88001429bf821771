import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildImage, type ImageInput, writeLayout } from "@bulwark/image/testing";
import { startServer } from "@bulwark/server";
import type { Store } from "@bulwark/store";
import pino from "pino";
import { type Browser, chromium, type Page } from "playwright-core";
import { buildConsole } from "./built-console.ts";
import { pushLayout } from "./push.ts";
import { type RealRegistry, startRealRegistry } from "./real-registry.ts";

/** Debian's; another one where it lies elsewhere. */
const CHROMIUM = process.env.BULWARK_CHROMIUM ?? "/usr/bin/chromium";
/** Where pictures of the pages are kept, if they are wanted. */
const SCREENSHOTS = process.env.BULWARK_SCREENSHOTS;
const PASSWORD = "four grey herons wading";
/** A machine that does much else at once is slow, and not broken. */
const PATIENCE_MS = 60_000;

interface ConsoleLook {
  readonly language: "en" | "zh";
  readonly theme: "light" | "dark";
}

/** A browser window, and what it complained of. */
export interface Window {
  readonly page: Page;
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** The whole platform in one process, a registry beside it, and a browser before it. */
export interface ConsoleBench {
  readonly registry: RealRegistry;
  /** Where sensors connect. */
  readonly gateway: string;
  /** Where tests put what sensors would have told. */
  readonly store: Store;
  /** Builds an image and pushes it with skopeo. */
  push(repository: string, tag: string, image: ImageInput): Promise<string>;
  /** Opens a window in which the administrator is logged in. */
  logIn(look?: ConsoleLook): Promise<Window>;
  /** Asks the API as the window's person. */
  call<Body>(window: Window, method: string, path: string, body?: unknown): Promise<Body>;
  picture(window: Window, name: string): Promise<void>;
  close(): Promise<void>;
}

/** @throws when a part does not start */
export async function openConsoleBench(): Promise<ConsoleBench> {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-console-"));
  // As root, the database runs as another user, who has to come through to its files.
  chmodSync(directory, 0o755);
  const opened: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
  const close = async () => {
    for (const end of opened.toReversed()) await end();
  };
  try {
    await buildConsole();
    const registry = await startRealRegistry(join(directory, "registry"));
    opened.push(registry.stop);
    const server = await startServer({
      dataDirectory: join(directory, "data"),
      roles: new Set(["api", "gateway", "worker"]),
      gateway: { host: "127.0.0.1", port: 0 },
      host: "127.0.0.1",
      port: 0,
      concurrency: 1,
      adminPassword: PASSWORD,
      log: pino({ level: process.env.BULWARK_TEST_LOG ?? "silent" }),
    });
    opened.push(server.close);
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    opened.push(() => browser.close());
    if (SCREENSHOTS !== undefined) mkdirSync(SCREENSHOTS, { recursive: true });
    return {
      registry,
      gateway: server.gateway,
      store: server.store,
      push: (repository, tag, image) => push(directory, registry.host, `${repository}:${tag}`, image),
      logIn: (look) => logIn(browser, server.url, look),
      call,
      picture: async ({ page }, name) => {
        if (SCREENSHOTS !== undefined) await page.screenshot({ path: join(SCREENSHOTS, `real-${name}.png`) });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

let pushed = 0;

/** @returns digest of the image's manifest */
async function push(directory: string, host: string, name: string, input: ImageInput): Promise<string> {
  const image = buildImage(input);
  const layout = join(directory, `image-${pushed++}`);
  writeLayout(image, layout, "x");
  await pushLayout(layout, `${host}/${name}`, ["--preserve-digests"]);
  return image.manifest.digest;
}

const ENGLISH_LIGHT: ConsoleLook = { language: "en", theme: "light" };

async function logIn(browser: Browser, url: string, look = ENGLISH_LIGHT): Promise<Window> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1_440, height: 900 },
    locale: look.language === "zh" ? "zh-CN" : "en-US",
    colorScheme: look.theme,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto("/login");
  await page.fill("#login", "admin");
  await page.fill("#password", PASSWORD);
  await page.keyboard.press("Enter");
  await settled(page);
  return { page, complaints, close: () => context.close() };
}

function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // Chromium says so of every answer that is a refusal; the page tells it in its own words.
    const isExpected = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
    const isWrong = message.type() === "error" || message.type() === "warning";
    if (isWrong && !isExpected) complaints.push(`${page.url()}: ${message.text()}`);
  });
  return complaints;
}

/** The page is there and nothing is on its way any more. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector(".shell main h1");
  await page.waitForSelector('.waiting, .ant-spin, .ant-skeleton, [aria-busy="true"]', { state: "detached" });
}

async function call<Body>({ page }: Window, method: string, path: string, body?: unknown): Promise<Body> {
  const { csrf } = (await (await page.request.get("/api/v1/session")).json()) as { csrf: string };
  const headers = { "x-csrf-token": csrf };
  const answer = await page.request.fetch(`/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { data: body }),
  });
  const text = await answer.text();
  if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as Body;
}

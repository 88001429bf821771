import { changeImage, type TestImage } from "@bulwark/store/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ConsoleBench, openConsoleBench, settled } from "./support/console-bench.ts";

/** Base images in a browser before the real server: what the pages ask is what it answers. */

const TENANT = 1;
const SLOW_MS = 240_000;
const PAGES = [
  "/bases",
  "/bases/spread",
  "/bases/plan",
  "/bases/plan?goal=share&value=90",
  "/rebuilds?state=open",
  "/golden",
  "/programmes",
  "/programmes?tab=stock",
  "/programmes?tab=teams",
  "/unused?days=30",
  "/unused?tab=cleanups",
  "/unused?tab=holds",
  "/risks?verdict=base",
];
const ESTATE: readonly TestImage[] = [
  { layers: ["os"], repository: "debian", isGone: false },
  { layers: ["os", "java"], repository: "platform", isGone: false },
  { layers: ["os", "java", "shop"], repository: "shop", isGone: false },
  { layers: ["os", "java", "till"], repository: "till", isGone: false },
];

let bench: ConsoleBench;
beforeAll(async () => {
  bench = await openConsoleBench();
}, SLOW_MS);
afterAll(async () => bench?.close());

test("every page of base images is answered, and the forest leads from a root to who stands on it", {
  timeout: SLOW_MS,
}, async () => {
  for (const [number, image] of ESTATE.entries()) {
    await bench.store.tenant(TENANT, (db) => changeImage(db, number, image));
  }
  const window = await bench.logIn();
  const { page } = window;
  await bench.call(window, "POST", "/lineage/spread");
  for (const path of PAGES) {
    await page.goto(path);
    await settled(page);
    expect(await page.locator(".ant-alert-error").count(), path).toBe(0);
  }
  await page.goto("/bases/spread");
  await page.waitForSelector("text=1 base carries half of 3 images");
  await page.goto("/bases");
  await page.click(".forest-row");
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector('.forest-row[aria-level="2"]');
  await page.click("button:has-text('Details')");
  await page.waitForSelector(".node-path li");
  await page.waitForSelector(".ant-drawer .figure:has-text('Images'):has-text('3')");
  await bench.picture(window, "forest");
  expect(window.complaints).toEqual([]);
  await window.close();
});

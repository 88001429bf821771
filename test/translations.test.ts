import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { zhServer } from "../apps/console/src/i18n/zh-server.ts";
import { priorityOf } from "../packages/advisory/src/priority.ts";
import { SHIPPED_CHECKS } from "../packages/benchmark/src/testing/content.ts";

const ROOT = join(import.meta.dirname, "..");
const isChinese = (text: string) => /\p{Script=Han}/u.test(text);

test("every check has its title and advice in Chinese, and nothing else has", () => {
  const { checks } = zhServer;
  expect(Object.keys(checks).sort()).toEqual(SHIPPED_CHECKS.map(({ id }) => id).sort());
  const plain = Object.entries(checks).filter(([, { title, advice }]) => !isChinese(title) || !isChinese(advice));
  expect(plain).toEqual([]);
});

test("every factor that a priority is made of has a Chinese text", () => {
  const kev = { added: "2026-01-01", due: "2026-02-01", ransomware: true };
  const usual = { malicious: false, severity: "critical", publicExploit: true, hasFix: true } as const;
  const reasons = [
    ...priorityOf({ ...usual, kev, epss: { score: 0.97, percentile: 1 } }).reasons,
    ...priorityOf({ ...usual, kev: { ...kev, ransomware: false } }).reasons,
    ...priorityOf({ ...usual, kev, malicious: true }).reasons,
  ];
  expect(reasons.length).toBeGreaterThan(8);
  expect(reasons.filter((reason) => !isChinese(zhServer.reason(reason)))).toEqual([]);
});

test("advice and problems keep the names in them; what is not known stays as it is", () => {
  expect(zhServer.advice("It came with a layer of your own: update lodash to 4.17.21 and rebuild.")).toBe(
    "来自您自己的层：将 lodash 更新到 4.17.21，然后重新构建。",
  );
  expect(zhServer.problem("it waits for the worker on node-7")).toBe("等待 node-7 上的工作进程");
  expect(zhServer.problem("r.example.org cannot be reached: no answer for 1000 ms (3 requests)")).toBe(
    "无法连接 r.example.org：1000 毫秒内没有响应",
  );
  expect(zhServer.problem("something else")).toBe("something else");
});

test.each([
  ["apps/server/src/jobs/worker.ts", "its worker was stopped"],
  ["apps/server/src/jobs/worker.ts", "it waits for the worker on ${"],
  ["apps/server/src/jobs/worker.ts", "the disk of the database or of the worker is full (${"],
  ["packages/store/src/jobs/task-life.ts", "gave no sign of life for ${"],
  ["packages/image/src/registry/http.ts", "cannot be reached: ${"],
  ["packages/store/src/images/image-findings.ts", "and replace every secret that the image could reach"],
  ["packages/store/src/images/image-findings.ts", "wait for a base that holds ${"],
  ["packages/store/src/images/image-findings.ts", "It came with the base image: "],
])("%s still writes what is translated: %s", (file, text) => {
  expect(readFileSync(join(ROOT, file), "utf8")).toContain(text);
});

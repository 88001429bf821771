import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { zhServer } from "../apps/console/src/i18n/zh-server.ts";
import { shippedRules } from "../apps/server/src/rules/shipped-rules.ts";
import { priorityOf } from "../packages/advisory/src/priority.ts";
import { SHIPPED_CHECKS } from "../packages/benchmark/src/testing/content.ts";
import { blockFor, loadRules } from "../packages/detect/src/index.ts";

const ROOT = join(import.meta.dirname, "..");
const isChinese = (text: string) => /\p{Script=Han}/u.test(text);

test("every check has its title and advice in Chinese, and nothing else has", () => {
  const { checks } = zhServer;
  expect(Object.keys(checks).sort()).toEqual(SHIPPED_CHECKS.map(({ id }) => id).sort());
  const plain = Object.entries(checks).filter(([, { title, advice }]) => !isChinese(title) || !isChinese(advice));
  expect(plain).toEqual([]);
});

test("every rule of the runtime has its name, description and advice in Chinese, and nothing else has", () => {
  const names = loadRules(shippedRules()).rules.map(({ name }) => name);
  expect(names.length).toBeGreaterThan(70);
  expect(Object.keys(zhServer.rules).sort()).toEqual([...names].sort());
  const plain = Object.entries(zhServer.rules).filter(([, texts]) => !Object.values(texts).every(isChinese));
  expect(plain).toEqual([]);
});

test("why a rule cannot block, and how a response ended, is told in Chinese", () => {
  const set = loadRules(shippedRules());
  const able = set.rules.map((rule) => blockFor(set, rule));
  const reasons = able.flatMap((each) => ("why" in each ? each.why.split("; ") : each.besides));
  expect(reasons.length).toBeGreaterThan(10);
  expect([...new Set(reasons)].filter((why) => !isChinese(zhServer.blocking(why)))).toEqual([]);
  expect(zhServer.blocking("a node cannot refuse link; it would block every connection")).toBe(
    "节点无法拒绝 link；会阻断所有连接",
  );
  expect(isChinese(zhServer.outcome("the node was not connected in time"))).toBe(true);
  expect(zhServer.outcome("isolated")).toBe("isolated");
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
  ["packages/store/src/responses/responses.ts", "the node was not connected in time"],
  ["packages/store/src/responses/responses.ts", "the node did not answer in time"],
  ["packages/store/src/responses/responses.ts", "taken back before it was sent"],
  ["packages/store/src/images/image-findings.ts", "and replace every secret that the image could reach"],
  ["packages/store/src/images/image-findings.ts", "wait for a base that holds ${"],
  ["packages/store/src/images/image-findings.ts", "It came with the base image: "],
])("%s still writes what is translated: %s", (file, text) => {
  expect(readFileSync(join(ROOT, file), "utf8")).toContain(text);
});

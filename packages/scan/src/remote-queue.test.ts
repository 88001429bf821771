import { type RemoteScanner, wholeFile } from "@bulwark/model";
import { expect, test } from "vitest";
import { remoteQueue } from "./remote-queue.ts";

test("millions of tiny files do not wait all at once", async () => {
  const answers: (() => void)[] = [];
  const slow: RemoteScanner = {
    id: "slow",
    version: "1",
    maxBytes: 1_000,
    wants: () => true,
    scan: () => new Promise((resolve) => answers.push(() => resolve({}))),
  };
  let found = 0;
  const queue = remoteQueue(() => found++);
  const tiny = wholeFile("a", Buffer.from("x"));
  let taken = 0;
  while (taken < 10_000 && queue.tryAdd([slow], tiny)) taken++;
  expect(taken).toBeGreaterThan(100);
  expect(taken).toBeLessThan(5_000);
  expect(queue.settle()).toBeInstanceOf(Promise);
  for (const answer of answers) answer();
  await queue.drain();
  expect(found).toBe(taken);
  expect(queue.settle()).toBeUndefined();
  expect(queue.tryAdd([slow], tiny)).toBe(true);
});

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/**/*.test.ts", "apps/**/*.test.ts", "test/**/*.test.ts"],
    reporters: ["default", "./scripts/count-reporter.ts"],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // What a test waits for comes sooner, but for a machine that is busy with others.
    expect: { poll: { timeout: 15_000 } },
    maxWorkers: 2,
    pool: "forks",
  },
});

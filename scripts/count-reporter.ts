import { execFileSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import type { Reporter, TestModule } from "vitest/node";

/** No file of tests takes so long: one that does waits for what never comes, where no time limit of a test sees it. */
const STUCK_AFTER_MS = 15 * 60_000;
const LOOK_MS = 30_000;
/** Of a failure's message: enough to tell what it was where only the end of a log is kept. */
const TOLD_LINES = 12;
const TOLD_WIDTH = 300;

/**
 * Closes a test run on what failed, shortly, and on one plain line, `N passed, N failed, N skipped`, for people and for CI alike. A run in which nothing ends any
 * more is ended, and says which files were running and which programs they had started.
 */
export default class CountReporter implements Reporter {
  readonly #running = new Set<string>();
  #movedAt = Date.now();
  #watch: NodeJS.Timeout | undefined;

  onTestRunStart(): void {
    this.#movedAt = Date.now();
    this.#watch = setInterval(() => {
      if (Date.now() - this.#movedAt < STUCK_AFTER_MS) return;
      console.error(`nothing ended for ${STUCK_AFTER_MS / 60_000} minutes; running: ${[...this.#running].join(", ")}`);
      console.error(execFileSync("ps", ["-e", "-o", "pid,ppid,stat,etime,args", "--forest"], { encoding: "utf8" }));
      process.exit(1);
    }, LOOK_MS).unref();
  }

  onTestModuleStart(module: TestModule): void {
    this.#running.add(module.relativeModuleId);
  }

  onTestCaseResult(): void {
    this.#movedAt = Date.now();
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module.relativeModuleId);
    this.#movedAt = Date.now();
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    clearInterval(this.#watch);
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    for (const error of errors) tell("outside of every test", error);
    for (const module of modules) {
      // What prepares tests fails outside of them: in the file, or in one of its groups.
      for (const group of [module, ...module.children.allSuites()]) {
        if (group.errors().length > 0) counts.failed++;
        for (const error of group.errors()) tell(module.relativeModuleId, error);
      }
      for (const test of module.children.allTests()) {
        const { state, errors: why = [] } = test.result();
        if (state === "passed") counts.passed++;
        else if (state === "failed") {
          counts.failed++;
          for (const error of why) tell(`${module.relativeModuleId} > ${test.fullName}`, error);
        } else counts.skipped++;
      }
    }
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}

function tell(where: string, error: unknown): void {
  const { message, stack } = error as { readonly message?: string; readonly stack?: string };
  const line = stack?.split("\n").find((each) => each.includes(".test.ts:"));
  const lines = stripVTControlCharacters(message ?? String(error)).split("\n");
  const told = [...lines.slice(0, TOLD_LINES), line?.trim() ?? ""].filter((each) => each !== "");
  console.log(`failed: ${where}\n${told.map((each) => `  ${each.slice(0, TOLD_WIDTH)}\n`).join("")}`);
}

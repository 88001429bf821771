import type { Words } from "./words.ts";

const of = (one: string, many: string) => (total: number) => (total === 1 ? `1 ${one}` : `${total} ${many}`);

export const en: Words = {
  titles: {
    "risk.opened": of("new risk", "new risks"),
    "risk.reopened": of("risk came back", "risks came back"),
    "risk.overdue": of("risk is overdue", "risks are overdue"),
    "risk.fixed": of("risk is fixed", "risks are fixed"),
    "risk.acceptance-asked": of("risk waits for somebody to accept it", "risks wait for somebody to accept them"),
    "risk.acceptance-decided": of("acceptance was decided", "acceptances were decided"),
    "case.changed": of("case changed", "cases changed"),
    "job.failed": of("job failed", "jobs failed"),
    "registry.failed": of("registry cannot be read", "registries cannot be read"),
    "alert.raised": of("new alert", "new alerts"),
    "advisories.new": of("new finding from advisories", "new findings from advisories"),
    test: () => "a test message",
  },
  severities: {
    critical: "critical",
    high: "high",
    medium: "medium",
    low: "low",
    negligible: "negligible",
    unknown: "severity unknown",
  },
  in: (place) => `in ${place}`,
  owner: (name) => `owner ${name}`,
  due: (day) => `due ${day}`,
  fixedIn: (version) => `fixed in ${version}`,
  exploited: "known to be exploited",
  accepted: "accepted",
  notAccepted: "not accepted",
  reason: (text) => `reason: ${text}`,
  more: (count) => `and ${count} more`,
  counts: (open, closed) => `${open} images open, ${closed} closed`,
  caseClosed: "closed",
  failedTasks: of("task failed", "tasks failed"),
  images: (count) => `at least ${count} images`,
  test: (channel) => `The channel "${channel}" works.`,
  separator: ", ",
};

import type { Section } from "../message.ts";

/** The words of a language: the compiler sees that none is missing. */
export interface Words {
  /** `3 risks opened` */
  readonly titles: Readonly<Record<Section["event"], (total: number) => string>>;
  readonly severities: Readonly<Record<"critical" | "high" | "medium" | "low" | "negligible" | "unknown", string>>;
  readonly in: (place: string) => string;
  readonly owner: (name: string) => string;
  readonly due: (day: string) => string;
  readonly fixedIn: (version: string) => string;
  readonly exploited: string;
  readonly accepted: string;
  readonly notAccepted: string;
  readonly reason: (text: string) => string;
  readonly more: (count: number) => string;
  readonly counts: (open: number, closed: number) => string;
  readonly caseClosed: string;
  readonly failedTasks: (count: number) => string;
  readonly onBase: (base: string, findings: number) => string;
  readonly standing: (count: number) => string;
  readonly insteadOf: (name: string) => string;
  readonly images: (count: number) => string;
  readonly test: (channel: string) => string;
  readonly separator: string;
}

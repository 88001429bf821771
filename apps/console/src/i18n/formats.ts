import type { Translate } from "./language.tsx";

export interface Formats {
  readonly number: (value: number) => string;
  readonly percent: (share: number) => string;
  readonly bytes: (bytes: number) => string;
  /** Day only. */
  readonly date: (time: string | null | undefined) => string;
  readonly time: (time: string | null | undefined) => string;
  /** To the millisecond, where the order of things matters. */
  readonly exactTime: (time: string | null | undefined) => string;
  /** "3 days ago". */
  readonly ago: (time: string | null | undefined) => string;
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
const SECOND_MS = 1_000;
const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** How numbers and times are written in a language (a BCP 47 tag). What is missing or no time is "–". */
export function formatsOf(tag: string, t: Translate): Formats {
  const number = new Intl.NumberFormat(tag);
  const percent = new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: 1 });
  const date = new Intl.DateTimeFormat(tag, { dateStyle: "medium" });
  const time = new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "short" });
  const exactTime = new Intl.DateTimeFormat(tag, {
    ...{ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
    fractionalSecondDigits: 3,
    hourCycle: "h23",
  });
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: "auto" });
  const sizes = UNITS.map(
    (unit) => new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "short", maximumSignificantDigits: 3 }),
  );
  const written = (format: (value: Date) => string) => (value: string | null | undefined) => {
    const day = value === null || value === undefined ? undefined : new Date(value);
    return day === undefined || Number.isNaN(day.getTime()) ? t("none") : format(day);
  };
  return {
    number: (value) => number.format(value),
    percent: (share) => percent.format(share),
    bytes: (bytes) => {
      const power = Math.min(UNITS.length - 1, Math.floor(Math.log(Math.max(1, bytes)) / Math.log(1000)));
      return sizes[power]!.format(bytes / 1000 ** power);
    },
    date: written((value) => date.format(value)),
    time: written((value) => time.format(value)),
    exactTime: written((value) => exactTime.format(value)),
    ago: written((value) => {
      const seconds = (value.getTime() - Date.now()) / SECOND_MS;
      const [unit, length] = STEPS.find(([, step]) => Math.abs(seconds) >= step) ?? STEPS[STEPS.length - 1]!;
      return relative.format(Math.round(seconds / length), unit);
    }),
  };
}

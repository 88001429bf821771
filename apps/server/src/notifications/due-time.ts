import type { ChannelSettings } from "./channel.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const DEFAULT_DIGEST_HOUR = 9;

/**
 * When a message of now is to be sent: at once, with the next digest, or when the quiet hours are over. Hours are those of the
 * channel's time zone, also on days when clocks change.
 *
 * @example dueTime({ quietFrom: "20:00", quietTo: "07:00", timeZone: "Asia/Shanghai" }, now)
 */
export function dueTime(settings: ChannelSettings, now: Date): Date {
  const { digest = "none", digestHour = DEFAULT_DIGEST_HOUR, quietFrom, quietTo, timeZone = "UTC" } = settings;
  const digested = digest === "none" ? now : nextAt(now, timeZone, digest === "daily" ? digestHour * 60 : "hour");
  if (quietFrom === undefined || quietTo === undefined) return digested;
  const from = minutesOf(quietFrom);
  const to = minutesOf(quietTo);
  return isWithin(localMinutes(digested, timeZone), from, to) ? nextAt(digested, timeZone, to) : digested;
}

/** Whether there is such a time zone (IANA Time Zone Database). */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function isWithin(minutes: number, from: number, to: number): boolean {
  return from <= to ? minutes >= from && minutes < to : minutes >= from || minutes < to;
}

/** The next full minute at which local clocks show so many minutes since midnight, or a full hour. */
function nextAt(now: Date, timeZone: string, goal: number | "hour"): Date {
  const start = Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS;
  const minutes = localMinutes(now, timeZone);
  if (goal === "hour") return new Date(start + (60 - (minutes % 60)) * MINUTE_MS);
  const wait = (goal - minutes + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES;
  const at = new Date(start + wait * MINUTE_MS);
  // Where clocks change in between, the goal is missed by as much as they do.
  const missed = ((localMinutes(at, timeZone) - goal + DAY_MINUTES * 1.5) % DAY_MINUTES) - DAY_MINUTES / 2;
  const mended = new Date(at.getTime() - missed * MINUTE_MS);
  return mended > now ? mended : at;
}

function localMinutes(at: Date, timeZone: string): number {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return minutesOf(format.format(at));
}

function minutesOf(text: string): number {
  const [hours = "0", minutes = "0"] = text.split(":");
  return Number(hours) * 60 + Number(minutes);
}

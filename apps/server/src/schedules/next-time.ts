import { CronExpressionParser } from "cron-parser";
import { ServerError } from "../errors.ts";

const FIELDS = 5;

/**
 * When a schedule is due next.
 *
 * @param cron minute, hour, day of month, month, day of week
 * @param timeZone of the IANA database, such as `Asia/Shanghai`
 * @throws ServerError `INVALID_REQUEST` for an expression or a time zone that is none, or a time that never comes
 * @example nextTime("0 3 * * 1-5", "UTC", new Date())
 */
export function nextTime(cron: string, timeZone: string, after: Date): Date {
  const fields = cron.trim().split(/\s+/);
  const next = "write five fields: minute, hour, day of month, month, day of week, such as 0 3 * * 1-5";
  if (fields.length !== FIELDS) throw new ServerError("INVALID_REQUEST", `"${cron}" has not ${FIELDS} fields`, next);
  try {
    Intl.DateTimeFormat("en", { timeZone });
  } catch (cause) {
    const why = `"${timeZone}" is no time zone`;
    throw new ServerError("INVALID_REQUEST", why, "give one of the IANA database, such as Europe/Berlin", cause);
  }
  try {
    return CronExpressionParser.parse(fields.join(" "), { tz: timeZone, currentDate: after }).next().toDate();
  } catch (cause) {
    throw new ServerError("INVALID_REQUEST", `"${cron}" is no time that comes`, next, cause);
  }
}

import { ServerError } from "../errors.ts";

const DAY_MS = 86_400_000;
const MAX_SPAN_DAYS = 31;

/**
 * A span of time of a query; the last day where it is not given.
 *
 * @throws ServerError `INVALID_REQUEST` when it ends before it begins, or is longer than 31 days
 */
export function spanOf(since: string | undefined, until: string | undefined, now: Date) {
  const end = until === undefined ? now : new Date(until);
  const begin = since === undefined ? new Date(end.getTime() - DAY_MS) : new Date(since);
  const days = (end.getTime() - begin.getTime()) / DAY_MS;
  if (days >= 0 && days <= MAX_SPAN_DAYS) return { since: begin, until: end };
  throw new ServerError(
    "INVALID_REQUEST",
    `a span of time ends after it begins and has ${MAX_SPAN_DAYS} days at most`,
    "give other times",
  );
}

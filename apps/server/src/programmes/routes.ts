import { increment, stock, teamScores } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { ServerError } from "../errors.ts";
import { List } from "../list.ts";
import type { Routes } from "../routes.ts";

const tags = ["programmes"];
const read = { scope: "findings:read" } as const;
const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;
const MAX_DAYS = 731;
const Text = Type.String();
const Count = Type.Integer();
const Owner = Type.Union([Type.Object({ id: Type.Integer(), name: Text }), Type.Null()]);
const Rate = Type.Union([Type.Number({ description: "0 to 1, of those that were assessed" }), Type.Null()]);
const Since = Type.Object({
  since: Type.Optional(Type.String({ format: "date", description: `${DEFAULT_DAYS} days ago if left out` })),
});

/** Two programmes: new images are held to the rules, and old risk is worked off. */
export const programmeRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;

  app.get(
    "/api/v1/programmes/increment",
    {
      config: read,
      schema: {
        tags,
        operationId: "getIncrement",
        summary: "New images since a day against the build rules: pass rate by owner and week",
        querystring: Since,
        response: {
          200: Type.Object({
            since: Text,
            images: Count,
            passed: Count,
            failed: Count,
            waiting: Count,
            rate: Rate,
            weeks: List(
              Type.Object({
                week: Text,
                owner: Owner,
                images: Count,
                passed: Count,
                failed: Count,
                waiting: Count,
                rate: Rate,
              }),
            ),
            rules: List(Type.Object({ rule: Text, level: Text, images: Count })),
          }),
        },
      },
    },
    async (request) => {
      const { tenantId, owners } = principalOf(request);
      const since = sinceOf(request.query.since, clock());
      const { weeks, rules } = await store.tenant(tenantId, (db) => increment(db, since, owners));
      const sum = (key: "images" | "passed" | "failed" | "waiting") =>
        weeks.reduce((total, row) => total + row[key], 0);
      const [images, passed, failed, waiting] = [sum("images"), sum("passed"), sum("failed"), sum("waiting")];
      return {
        since: since.toISOString().slice(0, 10),
        ...{ images, passed, failed, waiting, rules, rate: rateOf(passed, failed) },
        weeks: weeks.map((row) => ({ ...row, rate: rateOf(row.passed, row.failed) })),
      };
    },
  );

  app.get(
    "/api/v1/programmes/stock",
    {
      config: read,
      schema: {
        tags,
        operationId: "getStock",
        summary: "Risks that were open on a day, and how they are closed day by day",
        querystring: Since,
        response: {
          200: Type.Object({
            since: Text,
            start: Type.Integer({ description: "risks of the stock" }),
            open: Count,
            cleared: Type.Union([Type.Number({ description: "0 to 1" }), Type.Null()]),
            days: List(
              Type.Object({
                day: Text,
                open: Count,
                critical: Count,
                fixed: Count,
                newer: Count,
                estateCritical: Type.Union([Count, Type.Null()]),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const { tenantId, owners } = principalOf(request);
      const now = clock();
      const since = sinceOf(request.query.since, now);
      const days = await store.tenant(tenantId, (db) => stock(db, since, now, owners));
      const [first, last] = [days[0], days.at(-1)];
      const start = (first?.open ?? 0) + (first?.fixed ?? 0);
      const open = last?.open ?? 0;
      const cleared = start === 0 ? null : (start - open) / start;
      return { since: since.toISOString().slice(0, 10), start, open, cleared, days };
    },
  );

  app.get(
    "/api/v1/programmes/teams",
    {
      config: read,
      schema: {
        tags,
        operationId: "listTeamScores",
        summary: "The scoreboard: images, pass rate, risks, rebuilds and share on golden images of each owner",
        response: {
          200: Type.Object({
            items: List(
              Type.Object({
                owner: Owner,
                images: Count,
                assessed: Count,
                passed: Count,
                rate: Rate,
                onGolden: Count,
                goldenShare: Rate,
                risksOwn: Count,
                risksBase: Count,
                overdue: Count,
                rebuildsOpen: Count,
                meanDaysToFix: Type.Union([Type.Number(), Type.Null()]),
                reopened: Count,
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const { tenantId, owners } = principalOf(request);
      const rows = await store.tenant(tenantId, (db) => teamScores(db, clock(), owners));
      const items = rows.map((row) => ({
        ...row,
        rate: rateOf(row.passed, row.assessed - row.passed),
        goldenShare: rateOf(row.onGolden, row.assessed - row.onGolden),
      }));
      return { items };
    },
  );
};

function rateOf(passed: number, failed: number): number | null {
  return passed + failed === 0 ? null : passed / (passed + failed);
}

/** @throws ServerError `INVALID_REQUEST` */
function sinceOf(day: string | undefined, now: Date): Date {
  if (day === undefined)
    return new Date(`${new Date(now.getTime() - DEFAULT_DAYS * DAY_MS).toISOString().slice(0, 10)}T00:00:00Z`);
  const since = new Date(`${day}T00:00:00Z`);
  const days = (now.getTime() - since.getTime()) / DAY_MS;
  if (days >= 0 && days <= MAX_DAYS) return since;
  throw new ServerError("INVALID_REQUEST", `since lies within the last ${MAX_DAYS} days`, "give another day");
}

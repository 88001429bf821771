import type { Problem } from "./contract.ts";

/**
 * Parts of the API that the server does not serve yet, by hand. When its routes are there, their types are generated with
 * all others: a noun then moves to contract.ts, and its paths leave this file.
 */

export interface AdvisoryDatabase {
  readonly built: string | null;
  readonly records: number;
  readonly seedOnly: boolean;
  readonly ecosystems: { readonly name: string; readonly records: number }[];
  readonly updatedAt: string | null;
  readonly nextUpdate: string | null;
}

type Json<Body> = { content: { "application/json": Body } };
type Answers<Result> = {
  responses: { 200: Json<Result>; default: { content: { "application/problem+json": Problem } } };
};
type Get<Result> = { get: { parameters: { query?: never; path?: never } } & Answers<Result> };

export interface PlannedPaths {
  "/api/v1/database": Get<AdvisoryDatabase>;
}

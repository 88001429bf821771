import { Type } from "typebox";
import { ServerError } from "../errors.ts";
import type { Routes } from "../routes.ts";

const READY_WITHIN_MS = 2_000;

/** `/healthz`: the process lives. `/readyz`: it can answer, the database too. */
export const healthRoutes: Routes = async (app, { deps }) => {
  const config = { scope: "public" } as const;
  const schema = { hide: true, response: { 200: Type.Object({ status: Type.Literal("ok") }) } };
  app.get("/healthz", { config, schema }, async () => ({ status: "ok" as const }));
  app.get("/readyz", { config, schema }, async () => {
    if (await deps.store.answers(READY_WITHIN_MS)) return { status: "ok" as const };
    throw new ServerError("NOT_READY", "the database does not answer", "see the server's log");
  });
};

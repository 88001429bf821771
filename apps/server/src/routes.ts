import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { AppDeps } from "./app.ts";
import { healthRoutes } from "./health/routes.ts";

/** The routes of one noun. */
export type Routes = FastifyPluginAsyncTypebox<{ readonly deps: AppDeps }>;

/** All routes; a new noun is one line here. */
export const ROUTES: readonly Routes[] = [healthRoutes];

import { createBrowserRouter, type RouteObject } from "react-router";
import { PageFailure } from "./layout/page-failure.tsx";
import { RequireSession } from "./layout/require-session.tsx";
import { Shell } from "./layout/shell.tsx";
import { Starting } from "./layout/starting.tsx";

type PageModule = Promise<{ readonly Page: React.ComponentType }>;
const page = (path: string, load: () => PageModule): RouteObject => ({
  path,
  lazy: async () => ({ Component: (await load()).Page }),
  ErrorBoundary: PageFailure,
});

/** Every page is a chunk of its own, read when it is opened. */
const PAGES: readonly RouteObject[] = [
  page("/", () => import("./pages/overview/page.tsx")),
  page("/images", () => import("./pages/images/page.tsx")),
  page("/images/:digest", () => import("./pages/image/page.tsx")),
  page("/bases", () => import("./pages/bases/page.tsx")),
  page("/bases/spread", () => import("./pages/spread/page.tsx")),
  page("/bases/plan", () => import("./pages/plan/page.tsx")),
  page("/rebuilds", () => import("./pages/rebuilds/page.tsx")),
  page("/golden", () => import("./pages/golden/page.tsx")),
  page("/golden/:id", () => import("./pages/golden-image/page.tsx")),
  page("/programmes", () => import("./pages/programmes/page.tsx")),
  page("/unused", () => import("./pages/unused/page.tsx")),
  page("/vulnerabilities", () => import("./pages/vulnerabilities/page.tsx")),
  page("/vulnerabilities/:id", () => import("./pages/vulnerability/page.tsx")),
  page("/packages", () => import("./pages/packages/page.tsx")),
  page("/search", () => import("./pages/search/page.tsx")),
  page("/cases", () => import("./pages/cases/page.tsx")),
  page("/cases/:id", () => import("./pages/case/page.tsx")),
  page("/risks", () => import("./pages/risks/page.tsx")),
  page("/risks/:id", () => import("./pages/risk/page.tsx")),
  page("/waivers", () => import("./pages/waivers/page.tsx")),
  page("/alerts", () => import("./pages/alerts/page.tsx")),
  page("/alerts/:id", () => import("./pages/alert/page.tsx")),
  page("/admission", () => import("./pages/admission/page.tsx")),
  page("/assets", () => import("./pages/assets/page.tsx")),
  page("/containers/:id", () => import("./pages/container/page.tsx")),
  page("/nodes", () => import("./pages/nodes/page.tsx")),
  page("/nodes/:id", () => import("./pages/node/page.tsx")),
  page("/events", () => import("./pages/events/page.tsx")),
  page("/runtime-rules", () => import("./pages/runtime-rules/page.tsx")),
  page("/responses", () => import("./pages/responses/page.tsx")),
  page("/clusters", () => import("./pages/clusters/page.tsx")),
  page("/clusters/:id", () => import("./pages/cluster/page.tsx")),
  page("/workloads/:id", () => import("./pages/workload/page.tsx")),
  page("/impact", () => import("./pages/impact/page.tsx")),
  page("/benchmarks", () => import("./pages/benchmarks/page.tsx")),
  page("/registries", () => import("./pages/registries/page.tsx")),
  page("/repositories", () => import("./pages/repositories/page.tsx")),
  page("/jobs", () => import("./pages/jobs/page.tsx")),
  page("/schedules", () => import("./pages/schedules/page.tsx")),
  page("/notifications", () => import("./pages/notifications/page.tsx")),
  page("/exports", () => import("./pages/exports/page.tsx")),
  page("/users", () => import("./pages/users/page.tsx")),
  page("/tokens", () => import("./pages/tokens/page.tsx")),
  page("/owners", () => import("./pages/owners/page.tsx")),
  page("/providers", () => import("./pages/providers/page.tsx")),
  page("/tenants", () => import("./pages/tenants/page.tsx")),
  page("/audit", () => import("./pages/audit/page.tsx")),
  page("/database", () => import("./pages/database/page.tsx")),
  page("/account", () => import("./pages/account/page.tsx")),
  page("*", () => import("./pages/not-found/page.tsx")),
];

export const router = createBrowserRouter([
  {
    HydrateFallback: Starting,
    ErrorBoundary: PageFailure,
    children: [
      page("/login", () => import("./pages/login/page.tsx")),
      { Component: RequireSession, children: [{ Component: Shell, children: [...PAGES] }] },
    ],
  },
]);

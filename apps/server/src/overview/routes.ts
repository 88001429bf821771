import { estateOverview } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { itemOf } from "../images/reference.ts";
import { ImageItemShape } from "../images/shapes.ts";
import { List } from "../list.ts";
import type { Routes } from "../routes.ts";

const N = Type.Integer();

const Overview = Type.Object({
  identify: Type.Object({
    registries: N,
    repositories: N,
    images: N,
    scanned: N,
    failed: N,
    layers: N,
    packages: N,
    hosts: N,
    unowned: N,
  }),
  protect: Type.Object({
    critical: N,
    high: N,
    medium: N,
    low: N,
    exploited: N,
    fixable: N,
    secrets: N,
    malware: N,
    misconfigurations: N,
    inBases: N,
    topImages: List(ImageItemShape),
  }),
  respond: Type.Object({ open: N, overdue: N, cases: N, byState: Type.Record(Type.String(), N) }),
  recover: Type.Object({ fixed30Days: N, reopened: N, meanDaysToFix: Type.Union([Type.Number(), Type.Null()]) }),
  trend: List(Type.Object({ day: Type.String(), images: N, critical: N, high: N, openRisks: N })),
  notCovered: List(Type.Object({ function: Type.String(), area: Type.String() })),
});

/** Parts of the NIST functions that nothing looks at yet: a quiet page must not be taken for safety. */
const NOT_COVERED = [
  { function: "identify", area: "clusters" },
  { function: "identify", area: "running-containers" },
  { function: "protect", area: "admission" },
  { function: "detect", area: "runtime" },
  { function: "detect", area: "network" },
  { function: "respond", area: "containment" },
  { function: "recover", area: "rollout" },
];

/** The first page: the estate by the functions of the NIST Cybersecurity Framework. */
export const overviewRoutes: Routes = async (app, { deps }) => {
  app.get(
    "/api/v1/overview",
    {
      config: { scope: "images:read" },
      schema: {
        tags: ["overview"],
        operationId: "getOverview",
        summary: "The estate by the functions of the NIST CSF, and what is not covered",
        response: { 200: Overview },
      },
    },
    async (request) => {
      const { tenantId, owners } = principalOf(request);
      const found = await deps.store.tenant(tenantId, (db) => estateOverview(db, owners, deps.clock()));
      const topImages = found.protect.topImages.map(itemOf);
      return { ...found, protect: { ...found.protect, topImages }, notCovered: NOT_COVERED };
    },
  );
};

import { countAssets, estateOverview } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { itemOf } from "../images/reference.ts";
import { ImageItemShape } from "../images/shapes.ts";
import { keepByCost } from "../keep-by-cost.ts";
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
  { function: "protect", area: "admission" },
  { function: "detect", area: "network" },
  { function: "recover", area: "rollout" },
];
/** What nobody looks at while no node has a sensor. */
const WITHOUT_SENSORS = [
  { function: "identify", area: "running-containers" },
  { function: "detect", area: "runtime" },
  { function: "respond", area: "containment" },
];
const SOME_AWAY = { function: "detect", area: "nodes-away" };
const ORDER = ["identify", "protect", "detect", "respond", "recover"];

function notCovered({ nodes = 0, connectedNodes = 0 }: Readonly<Record<string, number>>) {
  const sensors = nodes === 0 ? WITHOUT_SENSORS : connectedNodes < nodes ? [SOME_AWAY] : [];
  return [...NOT_COVERED, ...sensors].toSorted((a, b) => ORDER.indexOf(a.function) - ORDER.indexOf(b.function));
}

/** The first page: the estate by the functions of the NIST Cybersecurity Framework. */
export const overviewRoutes: Routes = async (app, { deps }) => {
  const overviews =
    keepByCost<readonly [Awaited<ReturnType<typeof estateOverview>>, Readonly<Record<string, number>>]>();
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
      const [found, assets] = await overviews(`${tenantId} ${owners?.join() ?? "all"}`, () =>
        deps.store.tenant(
          tenantId,
          async (db) => [await estateOverview(db, owners, deps.clock()), await countAssets(db)] as const,
        ),
      );
      const topImages = found.protect.topImages.map(itemOf);
      return { ...found, protect: { ...found.protect, topImages }, notCovered: notCovered(assets) };
    },
  );
};

import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { accountRoutes } from "./accounts/routes.ts";
import { admissionExceptionRoutes } from "./admission/exception-routes.ts";
import { admissionPolicyRoutes } from "./admission/policy-routes.ts";
import { alertRoutes } from "./alerts/routes.ts";
import type { AppDeps } from "./app.ts";
import { assetRoutes } from "./assets/routes.ts";
import { auditRoutes } from "./audit/routes.ts";
import { baselineRoutes } from "./baselines/routes.ts";
import { benchmarkFixRoutes } from "./benchmarks/fix-routes.ts";
import { benchmarkRoutes } from "./benchmarks/routes.ts";
import { benchmarkRuleRoutes } from "./benchmarks/rule-routes.ts";
import { caseRoutes } from "./cases/routes.ts";
import { cleanupRoutes } from "./cleanups/routes.ts";
import { impactRoutes } from "./clusters/impact-routes.ts";
import { clusterRoutes } from "./clusters/routes.ts";
import { workloadRoutes } from "./clusters/workload-routes.ts";
import { consoleRoutes } from "./console/routes.ts";
import { databaseRoutes } from "./database/routes.ts";
import { eventRoutes } from "./events/routes.ts";
import { exportRoutes } from "./exports/routes.ts";
import { baseAdviceRoutes } from "./golden/advice-routes.ts";
import { goldenCheckRoutes } from "./golden/check-routes.ts";
import { goldenRoutes } from "./golden/routes.ts";
import { buildRuleRoutes } from "./golden/rule-routes.ts";
import { healthRoutes } from "./health/routes.ts";
import { imageRoutes } from "./images/routes.ts";
import { jobRoutes } from "./jobs/routes.ts";
import { lineageRoutes } from "./lineage/routes.ts";
import { sensorProgramRoutes } from "./nodes/program-routes.ts";
import { nodeRoutes } from "./nodes/routes.ts";
import { sensorUpgradeRoutes } from "./nodes/upgrade-routes.ts";
import { channelRoutes } from "./notifications/channel-routes.ts";
import { deliveryRoutes } from "./notifications/delivery-routes.ts";
import { notificationRuleRoutes } from "./notifications/rule-routes.ts";
import { overviewRoutes } from "./overview/routes.ts";
import { ownerRoutes } from "./owners/routes.ts";
import { programmeRoutes } from "./programmes/routes.ts";
import { rebuildRoutes } from "./rebuilds/routes.ts";
import { registryRoutes } from "./registries/routes.ts";
import { repositoryRoutes } from "./repositories/routes.ts";
import { automaticResponseRoutes } from "./responses/automatic-routes.ts";
import { responseRoutes } from "./responses/routes.ts";
import { riskRoutes } from "./risks/routes.ts";
import { indicatorRoutes } from "./rules/indicator-routes.ts";
import { runtimeRuleRoutes } from "./rules/routes.ts";
import { runtimeEventExportRoutes } from "./runtime-events/export-routes.ts";
import { retentionRoutes } from "./runtime-events/retention-routes.ts";
import { runtimeEventRoutes } from "./runtime-events/routes.ts";
import { scheduleRoutes } from "./schedules/routes.ts";
import { searchRoutes } from "./search/routes.ts";
import { identityProviderRoutes } from "./session/oidc/provider-routes.ts";
import { oidcRoutes } from "./session/oidc/routes.ts";
import { sessionRoutes } from "./session/routes.ts";
import { tenantRoutes } from "./tenants/routes.ts";
import { tokenRoutes } from "./tokens/routes.ts";
import { vulnerabilityRoutes } from "./vulnerabilities/routes.ts";
import { waiverRoutes } from "./waivers/routes.ts";
import { webhookRoutes } from "./webhooks/routes.ts";

/** The routes of one noun. */
export type Routes = FastifyPluginAsyncTypebox<{ readonly deps: AppDeps }>;

/** All routes; a new noun is one line here. */
export const ROUTES: readonly Routes[] = [
  registryRoutes,
  webhookRoutes,
  repositoryRoutes,
  scheduleRoutes,
  jobRoutes,
  eventRoutes,
  healthRoutes,
  overviewRoutes,
  imageRoutes,
  vulnerabilityRoutes,
  searchRoutes,
  sessionRoutes,
  oidcRoutes,
  identityProviderRoutes,
  accountRoutes,
  tokenRoutes,
  ownerRoutes,
  tenantRoutes,
  auditRoutes,
  riskRoutes,
  caseRoutes,
  waiverRoutes,
  channelRoutes,
  notificationRuleRoutes,
  deliveryRoutes,
  databaseRoutes,
  nodeRoutes,
  clusterRoutes,
  workloadRoutes,
  impactRoutes,
  sensorProgramRoutes,
  sensorUpgradeRoutes,
  assetRoutes,
  runtimeEventRoutes,
  runtimeEventExportRoutes,
  retentionRoutes,
  exportRoutes,
  alertRoutes,
  lineageRoutes,
  rebuildRoutes,
  goldenRoutes,
  goldenCheckRoutes,
  buildRuleRoutes,
  baseAdviceRoutes,
  programmeRoutes,
  cleanupRoutes,
  runtimeRuleRoutes,
  indicatorRoutes,
  responseRoutes,
  automaticResponseRoutes,
  admissionPolicyRoutes,
  baselineRoutes,
  admissionExceptionRoutes,
  benchmarkRoutes,
  benchmarkRuleRoutes,
  benchmarkFixRoutes,
  consoleRoutes,
];

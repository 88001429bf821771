export {
  type Account,
  type AccountChange,
  type AccountSecrets,
  addAccount,
  changeAccount,
  claimKey,
  countAdmins,
  findAccount,
  findAccountBy,
  listAccounts,
  ownersOf,
  releaseKey,
  removeAccount,
  tenantOf,
  tenantsOf,
} from "./accounts/accounts.ts";
export { countAttempt, forgetAttempts, uncountAttempt } from "./accounts/attempts.ts";
export { beginTotp, confirmTotp, removeTotp, takeRecoveryCode, takeTotpStep } from "./accounts/second-factor.ts";
export { addSession, endSession, endSessions, findSession, touchSession } from "./accounts/sessions.ts";
export { type ApiToken, addToken, findToken, listTokens, removeToken, touchToken } from "./accounts/tokens.ts";
export {
  type BaselineValue,
  baselineValues,
  brokenPolicies,
  keepSighting,
  type SeenValue,
  type Sighting,
} from "./admission/baseline-values.ts";
export {
  addBaseline,
  type Baseline,
  type BaselineState,
  countBaselines,
  type Doubt,
  doubtsOf,
  endLearning,
  getBaseline,
  type LearnablePod,
  listBaselines,
  moveBaseline,
  type NewBaseline,
  podsToLearn,
  roughlyCountPods,
} from "./admission/baselines.ts";
export {
  type DecidedViolation,
  type DecisionFilter,
  forgetDecisions,
  keepDecisions,
  listDecisions,
  type NewDecision,
  type StoredDecision,
} from "./admission/decisions.ts";
export {
  type AdmissionBrake,
  type AdmissionException,
  type AdmissionGrant,
  addAdmissionException,
  addGrant,
  approveAdmissionException,
  endGrant,
  getAdmissionException,
  listAdmissionExceptions,
  listBrakes,
  listGrants,
  pullBrake,
  releaseBrake,
  removeAdmissionException,
} from "./admission/exceptions.ts";
export {
  type HeldByImage,
  heldByImage,
  keepSignature,
  keptSignature,
  type NamedImage,
  namedImages,
  namespaceObjects,
  recordImages,
  registryOfHost,
  type WantedReference,
} from "./admission/image-facts.ts";
export {
  type AdmissionMode,
  type AdmissionPolicyVersion,
  admissionPolicyVersions,
  admissionState,
  bumpAdmission,
  type ChosenMode,
  countPolicies,
  listAdmissionModes,
  listAdmissionPolicies,
  namespacesOfPolicy,
  type PolicyCounts,
  putAdmissionPolicy,
  removeAdmissionPolicy,
  type StoredAdmissionPolicy,
  setAdmissionMode,
} from "./admission/policies.ts";
export {
  type AlertDetail,
  type AlertFilter,
  type AlertState,
  addAlertEvent,
  changeAlert,
  countAlerts,
  getAlert,
  listAlerts,
  type StoredAlert,
} from "./alerts/alerts.ts";
export { type NewAlert, raiseAlerts } from "./alerts/raise-alerts.ts";
export { type AuditEntry, type AuditFilter, appendAudit, listAudit } from "./audit/audit.ts";
export type { Plain } from "./audit/canonical-json.ts";
export { type AuditMark, type AuditVerdict, verifyAudit } from "./audit/verify-audit.ts";
export { readBackup } from "./backup/read-backup.ts";
export { type BackupHead, writeBackup } from "./backup/write-backup.ts";
export {
  type ComponentFlaw,
  listComponents,
  type PlatformComponent,
  recordComponents,
  type SeenComponent,
  setComponentFlaws,
  unmatchedComponents,
} from "./benchmarks/components.ts";
export {
  addBenchmarkFix,
  type BenchmarkFix,
  type FixState,
  type FixStep,
  fixesVerifiedBy,
  fixesWithoutAnswer,
  fixOfResponse,
  getBenchmarkFix,
  listBenchmarkFixes,
  moveBenchmarkFix,
  setFixResponse,
} from "./benchmarks/fixes.ts";
export {
  type BenchmarkPlace,
  type BenchmarkResult,
  benchmarkTrend,
  countOutcomes,
  listBenchmarkPlaces,
  listBenchmarkResults,
} from "./benchmarks/results.ts";
export {
  addBenchmarkException,
  approveBenchmarkException,
  type BenchmarkException,
  type BenchmarkScope,
  type BenchmarkTuning,
  dueBenchmarkSchedules,
  endExceptions,
  exceptionsInForce,
  getBenchmarkException,
  hasBenchmarkPlace,
  listBenchmarkExceptions,
  listBenchmarkSchedules,
  listBenchmarkTunings,
  ranBenchmarkSchedule,
  removeBenchmarkException,
  removeBenchmarkSchedule,
  removeBenchmarkTuning,
  setBenchmarkSchedule,
  setBenchmarkTuning,
} from "./benchmarks/rules.ts";
export {
  addBenchmarkRun,
  type BenchmarkCause,
  type BenchmarkRun,
  type BenchmarkTarget,
  expireTargets,
  failTarget,
  findGather,
  getBenchmarkRun,
  getBenchmarkTarget,
  listBenchmarkRuns,
  markStale,
  type NewBenchmarkResult,
  newestFacts,
  newestTarget,
  settleTarget,
  stalePlaces,
  takeDueGathers,
  targetsOfRun,
  unmarkStale,
  waitingClusters,
} from "./benchmarks/runs.ts";
export {
  addCase,
  type CaseImage,
  caseCurve,
  caseImages,
  casesConcerning,
  changeCase,
  getCase,
  type IncidentCase,
  listCases,
  refreshCase,
} from "./cases/cases.ts";
export type { ConcernedImages } from "./cases/concerned-images.ts";
export {
  addCleanup,
  addHold,
  beginDeletion,
  type Cleanup,
  type CleanupHold,
  type CleanupItem,
  type CleanupTurn,
  cleanupItems,
  cleanupPlaces,
  type DeletedItem,
  decideCleanup,
  deletedManifests,
  endCleanup,
  explainUnfinished,
  listCleanups,
  listHolds,
  namedElsewhere,
  nextCleanupItem,
  noteDeleted,
  notePulls,
  removeHold,
  settleCleanupItem,
} from "./cleanups/cleanups.ts";
export { findZombies, type Zombie } from "./cleanups/find-zombies.ts";
export {
  clustersToAnalyse,
  type FoundPath,
  keepAnalysis,
  listPaths,
  lockCluster,
  type StoredPath,
  settleWorkloads,
  type WorkloadFacts,
  type WorkloadVerdict,
  workloadFacts,
} from "./clusters/analysis.ts";
export { containersOfPod, type PodContainerPlace, takeAuditBatch } from "./clusters/audit-spool.ts";
export {
  addCluster,
  type Cluster,
  type ClusterReplica,
  certifyCluster,
  changeCluster,
  connectReplica,
  disconnectReplica,
  enrolCluster,
  findCertifiedCluster,
  findClusterByName,
  findClusterByToken,
  getCluster,
  type Joining,
  listClusters,
  recordReplicaHealth,
  removeCluster,
  STALE_AFTER_MS,
  setClusterToken,
  settleCertificate,
} from "./clusters/clusters.ts";
export { findImpact, type Impact, type ImpactCause, type ImpactedWorkload, namesOfImages } from "./clusters/impact.ts";
export {
  countObjects,
  dropObjects,
  enterEpoch,
  keepObjects,
  listObjects,
  type ObjectFilter,
  objectsByUid,
  objectsOfKinds,
  type SeenObject,
  type StoredObject,
  settleKinds,
} from "./clusters/objects.ts";
export {
  findPod,
  getWorkload,
  keepPods,
  listPods,
  listWorkloads,
  type Pod,
  type PodFilter,
  podAddresses,
  type SeenPod,
  type SeenPodContainer,
  type SeenWorkload,
  type Workload,
  type WorkloadFilter,
} from "./clusters/pods.ts";
export { isDiskFull, StoreError, type StoreErrorCode } from "./errors.ts";
export { countEstate } from "./estate/count-estate.ts";
export { type EstateOverview, estateOverview } from "./estate/overview.ts";
export {
  changedAlerts,
  type ExportedBatch,
  type ExportTurn,
  endExportTurn,
  moveExport,
  newBatches,
  takeExportTurn,
} from "./exports/progress.ts";
export {
  type ExportFormat,
  type ExportKind,
  type ExportTarget,
  exportSecret,
  getExportTarget,
  listExportTargets,
  putExportTarget,
  removeExportTarget,
  setExportSecret,
} from "./exports/targets.ts";
export {
  type AssessmentSubject,
  assessmentSubjects,
  type BuildRuleFile,
  getAssessment,
  imagesToAssess,
  listBuildRules,
  lockAssessments,
  type NewAssessment,
  putBuildRules,
  removeBuildRules,
  type StoredAssessment,
  type StoredViolation,
  saveAssessments,
  staleAssessments,
  staleInRepository,
  staleOnChains,
  staleOnNodes,
} from "./golden/assessments.ts";
export { type HeldPackage, publishedBases, systemPackages } from "./golden/base-needs.ts";
export { diffImages, type ImageDiff } from "./golden/diff.ts";
export {
  approveGolden,
  endGolden,
  type Golden,
  type GoldenEvent,
  getGolden,
  goldenEvents,
  hasGoldenPlace,
  listGolden,
  proposeGolden,
  withdrawGolden,
} from "./golden/golden.ts";
export { type BaseOnPath, basesOfChains, basesOfImages, type GoldenVersionState } from "./golden/paths.ts";
export { type Increment, increment, type StockDay, stock, type TeamScore, teamScores } from "./golden/programmes.ts";
export {
  type ExportedGolden,
  exportGolden,
  type GoldenCandidate,
  type GoldenConsumer,
  type GoldenVersion,
  goldenCandidates,
  goldenConsumers,
  goldenVersions,
  publishVersion,
  settleGolden,
  tellOfGolden,
} from "./golden/versions.ts";
export { type AppliedMatches, applyMatches, type StoredSubject } from "./images/apply-matches.ts";
export { findImageByReference } from "./images/find-by-reference.ts";
export { getImage, type ImageDetail, type ImageLayer } from "./images/get-image.ts";
export { type FindingFilter, type ImageFinding, imageFindings } from "./images/image-findings.ts";
export { type Counts, type ImageItem, imageItems } from "./images/image-items.ts";
export { type ImagePackage, imagePackageFacts, imagePackages, type PackageFilter } from "./images/image-packages.ts";
export { type IngestOptions, ingestImage } from "./images/ingest.ts";
export { knownChains } from "./images/known-chains.ts";
export {
  IMAGE_SORTS,
  type ImageFilter,
  type ImagePage,
  type ImageSort,
  listImages,
} from "./images/list-images.ts";
export { indexesToAsk, setProvenBase } from "./images/proven-base.ts";
export { recountImages } from "./images/recount.ts";
export { type PlaceChange, setPlace } from "./images/set-place.ts";
export type { Sight } from "./images/visible.ts";
export { cancelJob, pauseJob, resumeJob, retryJob } from "./jobs/control.ts";
export { announce, type EstateEvent, type EventListener, listenToEvents } from "./jobs/events.ts";
export {
  addJob,
  addTasks,
  getJob,
  type Job,
  listJobs,
  listTasks,
  type NewJob,
  type NewTask,
  type Task,
  type Ticket,
} from "./jobs/jobs.ts";
export {
  beginTask,
  type Claim,
  endTask,
  forgetQueue,
  markQueued,
  reportProgress,
  rescueTasks,
  type TaskEnd,
} from "./jobs/task-life.ts";
export { loadLayerReport, saveLayerReport } from "./layers/layer-reports.ts";
export { hasFreshBases, takeFreshBases } from "./lineage/fresh-bases.ts";
export { countForestChanges, growForest } from "./lineage/grow-forest.ts";
export {
  containersOn,
  type LineageNode,
  latestSpread,
  lineageNodes,
  type NodeKind,
  nodeIsVisible,
  nodesUnder,
  pathOfImage,
  pathOfNode,
  type StandingSummary,
  saveSpread,
  standingOn,
} from "./lineage/nodes.ts";
export type { EstateColumns } from "./lineage/read-estate.ts";
export { type KeptForest, type KeptRisk, readForest } from "./lineage/read-forest.ts";
export { type BuiltForest, rebuildForest } from "./lineage/rebuild-forest.ts";
export type { ChainRisk, RiskRow } from "./lineage/risk.ts";
export { type Count, type InstallationMeasures, measureInstallation } from "./metrics/measure-installation.ts";
export {
  type Container,
  type ContainerFilter,
  countAssets,
  findContainer,
  getContainer,
  type Listener,
  listContainers,
  listListeners,
  listPrograms,
  markedContainers,
  type PlaceFilter,
  type Program,
} from "./nodes/assets.ts";
export {
  addEnrolmentToken,
  type EnrolmentToken,
  listEnrolmentTokens,
  removeEnrolmentToken,
  takeEnrolmentToken,
} from "./nodes/enrolment.ts";
export {
  dropStoppedContainers,
  type Exposure,
  recordContainers,
  recordExposures,
  recordPrograms,
  type SeenContainer,
  type SeenListener,
  type SeenProgram,
  stopContainers,
  stopOtherContainers,
} from "./nodes/inventory.ts";
export {
  addNode,
  certifyNode,
  connectNode,
  disconnectNode,
  findCertifiedNode,
  getNode,
  listNodes,
  recordHealth,
  removeNode,
  type SensorNode,
  setNodeOwner,
} from "./nodes/nodes.ts";
export {
  addSensorProgram,
  listSensorPrograms,
  programContent,
  programOfOrder,
  removeSensorProgram,
  type SensorProgram,
  signatureOfProgram,
} from "./nodes/sensor-programs.ts";
export {
  addSensorUpgrade,
  endSensorUpgrade,
  getSensorUpgrade,
  listSensorUpgrades,
  lockSensorUpgrade,
  markUpgradeNode,
  runningSensorUpgrades,
  type SensorUpgrade,
} from "./nodes/sensor-upgrades.ts";
export {
  addChannel,
  type ChannelChange,
  type ChannelKind,
  changeChannel,
  channelSecret,
  getChannel,
  listChannels,
  removeChannel,
  type StoredChannel,
} from "./notifications/channels.ts";
export {
  addDelivery,
  type Delivery,
  type DueDelivery,
  endAttempt,
  forgetDeliveries,
  getDelivery,
  listDeliveries,
  retryDelivery,
  rewriteDelivery,
  takeDelivery,
  takeDue,
  waitingDelivery,
} from "./notifications/deliveries.ts";
export {
  giveNotice,
  NOTICE_EVENTS,
  type Notice,
  type NoticeEvent,
  type NoticeFacts,
  noticeStates,
  takeNotices,
} from "./notifications/notices.ts";
export {
  addNotificationRule,
  changeNotificationRule,
  getNotificationRule,
  listNotificationRules,
  type NewNotificationRule,
  type NotificationRule,
  removeNotificationRule,
} from "./notifications/rules.ts";
export { type RoutedRisk, routedRisks, type ToldRisk, toldRisks } from "./notifications/told-risks.ts";
export {
  connectionOf,
  openStore,
  type Store,
  type StoreOptions,
  type SystemQueries,
  type TenantQueries,
} from "./open-store.ts";
export { addOwner, changeOwner, findOwner, listOwners, type Owner, removeOwner, setMembers } from "./owners/owners.ts";
export { assignStages, repositoriesAtRisk } from "./rebuilds/assign-stages.ts";
export { cancelRebuild, listRebuilds, type RebuildTask } from "./rebuilds/rebuilds.ts";
export {
  type BaseTag,
  baseTags,
  type FixedBase,
  movedBases,
  openRebuilds,
  settleRebuilds,
} from "./rebuilds/settle-rebuilds.ts";
export {
  failImage,
  imagesOf,
  knownTags,
  markRepositoriesGone,
  placeOfImage,
  recordRepository,
  repositoriesOfImages,
  type SeenRepository,
  type SeenTag,
} from "./registries/contents.ts";
export {
  addRegistry,
  changeRegistry,
  getRegistry,
  listRegistries,
  type NewRegistry,
  pendingSync,
  type Registry,
  type RegistryChange,
  type RegistryKind,
  type RegistrySettings,
  registrySecret,
  removeRegistry,
  setRegistryState,
} from "./registries/registries.ts";
export { dropWebhook, registryOfWebhook, setWebhook } from "./registries/webhooks.ts";
export {
  getRepository,
  listRepositories,
  type Repository,
  type RepositoryFilter,
} from "./repositories/repositories.ts";
export {
  type AutomaticResponse,
  countAutomatic,
  listAutomaticResponses,
  putAutomaticResponse,
  removeAutomaticResponse,
} from "./responses/automatic.ts";
export {
  addEvidence,
  addResponse,
  approveResponse,
  type DueResponse,
  endResponse,
  expireResponses,
  getEvidence,
  getResponse,
  listResponses,
  type NewResponse,
  type Response,
  type ResponseFilter,
  type ResponseState,
  refuseResponse,
  responseSecret,
  sealResponse,
  takeDueResponses,
} from "./responses/responses.ts";
export { type DueDays, type RefreshedRisks, refreshRisks, reopenExpired } from "./risks/refresh-risks.ts";
export {
  getRisk,
  listRisks,
  measureRisks,
  type Risk,
  type RiskEvent,
  type RiskFilter,
  type RiskMeasures,
  type RiskStep,
  riskKey,
  stepRisk,
} from "./risks/risks.ts";
export {
  addAllowEntry,
  addIndicators,
  listAllowEntries,
  listIndicators,
  listRuleFiles,
  listRuleModes,
  type NewIndicator,
  putRuleFile,
  type RuleMode,
  removeAllowEntry,
  removeIndicators,
  removeRuleFile,
  removeRuleMode,
  type StoredAllowEntry,
  type StoredIndicator,
  type StoredRuleFile,
  type StoredRuleMode,
  type StoredScope,
  setRuleMode,
} from "./rules/rules.ts";
export { countBatches, listBatches } from "./runtime/list-batches.ts";
export { dropRuntimeDays, dropTenantEvents, makeRuntimeDays } from "./runtime/runtime-days.ts";
export { type EventFilter, readBatch, type StoredEvent, searchEvents } from "./runtime/search-events.ts";
export {
  addLosses,
  type EventRow,
  type RuntimeBatch,
  type WrittenBatch,
  writeBatches,
} from "./runtime/write-batches.ts";
export {
  addSchedule,
  changeSchedule,
  dueSchedules,
  getSchedule,
  listSchedules,
  ranSchedule,
  removeSchedule,
  type Schedule,
  type ScheduleSettings,
  takeSchedule,
} from "./schedules/schedules.ts";
export type { KeptManifest } from "./schema/cleanups.ts";
export type { JobState, TaskState } from "./schema/jobs.ts";
export type { RiskState } from "./schema/workflow.ts";
export type { Database, NewRow, Row, RowChange } from "./schema.ts";
export { type FoundSubject, subjectsByName, subjectsByVulnerability } from "./search/find-subjects.ts";
export { type ImagePlace, type Located, locateSubjects } from "./search/locate-subjects.ts";
export { replaceSealed, type SealedSecret, sealedSecrets } from "./secrets/sealed-secrets.ts";
export { listSettings, readSetting, removeSetting, writeSetting, writeSettingOnce } from "./tenants/settings.ts";
export { addTenant, FIRST_TENANT, findTenant, listTenants, type Tenant } from "./tenants/tenants.ts";
export {
  type EstatePackage,
  type EstateVulnerability,
  getVulnerability,
  listPackages,
  listVulnerabilities,
  type VulnerabilityDetail,
  type VulnerabilityFilter,
  vulnerabilityKey,
} from "./vulnerabilities/vulnerabilities.ts";
export {
  addWaiver,
  approveWaiver,
  getWaiver,
  hasWaiverPlace,
  listWaivers,
  removeWaiver,
  type Waiver,
} from "./waivers/waivers.ts";

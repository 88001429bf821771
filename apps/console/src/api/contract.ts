import type { paths as Served } from "./gen/paths.ts";

/**
 * The server's contract as the console uses it. `gen/paths.ts` is generated from the server's own routes
 * (`npm run types --workspace apps/console`); here its parts get the names that pages use.
 */

export type paths = Served;

type Body<Response> = Response extends { content: { "application/json": infer Content } } ? Content : never;
type Read<Path extends keyof Served> = Served[Path] extends { get: { responses: { 200: infer Response } } }
  ? Body<Response>
  : never;
type Item<Path extends keyof Served> = Read<Path> extends { items: (infer Row)[] } ? Row : never;
type Filters<Path extends keyof Served> = Served[Path] extends { get: { parameters: { query?: infer Query } } }
  ? Omit<NonNullable<Query>, "cursor" | "limit">
  : never;
type Sent<Path extends keyof Served, Method extends "post" | "patch" | "put"> = Served[Path] extends {
  [method in Method]: { requestBody?: infer Content };
}
  ? Body<NonNullable<Content>>
  : never;
type Made<Path extends keyof Served, Status extends number> = Served[Path] extends {
  post: { responses: { [status in Status]: infer Response } };
}
  ? Body<Response>
  : never;

export interface Page<Row> {
  items: Row[];
  next?: string;
  total?: number;
}

/** An error as RFC 9457 describes it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly next?: string;
  readonly instance?: string;
}

export type Session = Read<"/api/v1/session">;
export type Overview = Read<"/api/v1/overview">;

export type Image = Item<"/api/v1/images">;
export type ImageFilters = Filters<"/api/v1/images">;
export type ImageDetail = Read<"/api/v1/images/{digest}">;
export type ImageLayer = ImageDetail["layers"][number];
export type ImagePackage = Item<"/api/v1/images/{digest}/packages">;
/** A waived finding says why and until when; the server will tell it with the finding. */
export type Finding = Item<"/api/v1/images/{digest}/findings"> & {
  readonly waived?: { readonly reason: string; readonly until: string; readonly approver: string };
};
export type FindingFilters = Filters<"/api/v1/images/{digest}/findings">;
export type FindingKind = Finding["kind"];
export type Severity = Finding["severity"];

export type Vulnerability = Item<"/api/v1/vulnerabilities">;
export type VulnerabilityFilters = Filters<"/api/v1/vulnerabilities">;
export type VulnerabilityDetail = Read<"/api/v1/vulnerabilities/{id}">;
export type EstatePackage = Item<"/api/v1/packages">;
export type SearchQuery = Omit<Sent<"/api/v1/search", "post">, "cursor">;
export type SearchResult = Made<"/api/v1/search", 200>;

export type Case = Item<"/api/v1/cases">;
export type CaseImage = Item<"/api/v1/cases/{id}/images">;
export type Risk = Item<"/api/v1/risks">;
export type RiskFilters = Filters<"/api/v1/risks">;
export type RiskDetail = Read<"/api/v1/risks/{id}">;
export type RiskState = Risk["state"];
export type RiskMeasures = Read<"/api/v1/risks/measures">;

export type Registry = Item<"/api/v1/registries">;
export type RegistrySettings = Sent<"/api/v1/registries", "post">;
export type RegistryChange = Sent<"/api/v1/registries/{id}", "patch">;
export type Repository = Item<"/api/v1/repositories">;
export type RepositoryFilters = Filters<"/api/v1/repositories">;
export type ScanRequest = Sent<"/api/v1/scans", "post">;
export type Job = Item<"/api/v1/jobs">;
export type JobState = Job["state"];
export type Task = Item<"/api/v1/jobs/{id}/tasks">;

export type Account = Item<"/api/v1/accounts">;
export type NewAccount = Sent<"/api/v1/accounts", "post">;
export type AccountChange = Sent<"/api/v1/accounts/{id}", "patch">;
export type Role = NewAccount["role"];
export type Token = Item<"/api/v1/tokens">;
export type NewToken = Sent<"/api/v1/tokens", "post">;
export type Provider = Item<"/api/v1/identity-providers">;
export type NewProvider = Sent<"/api/v1/identity-providers", "post">;
export type Tenant = Item<"/api/v1/tenants">;
export type NewTenant = Sent<"/api/v1/tenants", "post">;
export type Schedule = Item<"/api/v1/schedules">;
export type NewSchedule = Sent<"/api/v1/schedules", "post">;
export type Owner = Item<"/api/v1/owners">;
export type AuditEntry = Item<"/api/v1/audit">;

export type Waiver = Item<"/api/v1/waivers">;
export type NewWaiver = Sent<"/api/v1/waivers", "post">;

export type AdvisoryDatabase = Read<"/api/v1/database">;

export type Channel = Item<"/api/v1/channels">;
export type ChannelSettings = Sent<"/api/v1/channels", "post">;
export type ChannelChange = Sent<"/api/v1/channels/{id}", "patch">;
export type NotificationRule = Item<"/api/v1/notification-rules">;
export type NotificationRuleSettings = Sent<"/api/v1/notification-rules", "post">;
export type Delivery = Item<"/api/v1/deliveries">;

export type Alert = Item<"/api/v1/alerts">;
export type AlertFilters = Filters<"/api/v1/alerts">;
export type AlertDetail = Read<"/api/v1/alerts/{id}">;
export type AlertState = Alert["state"];
export type AlertChange = Sent<"/api/v1/alerts/{id}", "patch">;
export type AlertAllowance = Sent<"/api/v1/alerts/{id}/allow", "post">;

export type SensorNode = Item<"/api/v1/nodes">;
export type SensorProgram = Item<"/api/v1/sensor-programs">;
export type SensorUpgrade = Item<"/api/v1/sensor-upgrades">;
export type UpgradeNode = SensorUpgrade["nodes"][number];
export type NewSensorUpgrade = Sent<"/api/v1/sensor-upgrades", "post">;
export type ExportTarget = Item<"/api/v1/exports">;
export type ExportSettings = Sent<"/api/v1/exports", "put">;
export type EnrolmentToken = Item<"/api/v1/enrolment-tokens">;
export type NewEnrolmentToken = Sent<"/api/v1/enrolment-tokens", "post">;
export type Container = Item<"/api/v1/containers">;
export type ContainerFilters = Filters<"/api/v1/containers">;
export type Program = Item<"/api/v1/programs">;
export type Listener = Item<"/api/v1/listeners">;
export type ListenerKind = Listener["kind"];

export type RuntimeEventRow = Item<"/api/v1/runtime-events">;
export type RuntimeEventFilters = Filters<"/api/v1/runtime-events">;

export type RuntimeRule = Item<"/api/v1/runtime-rules">;
export type RuleMode = RuntimeRule["mode"];
export type RuleModeChange = Sent<"/api/v1/runtime-rules/modes", "put">;
export type RuleProblem = Read<"/api/v1/runtime-rules">["problems"][number];
export type RuleFile = Item<"/api/v1/rule-files">;
export type RuleFileContent = Sent<"/api/v1/rule-files", "put">;
export type AllowEntry = Item<"/api/v1/allow-entries">;
export type NewAllowEntry = Sent<"/api/v1/allow-entries", "post">;
export type Indicator = Item<"/api/v1/indicators">;
export type IndicatorList = Sent<"/api/v1/indicators", "post">;
export type AutomaticResponse = Item<"/api/v1/automatic-responses">;
export type AutomaticSettings = Sent<"/api/v1/automatic-responses", "put">;

export type SensorResponse = Item<"/api/v1/responses">;
export type ResponseFilters = Filters<"/api/v1/responses">;
export type ResponseRequest = Sent<"/api/v1/responses", "post">;
export type ResponseState = SensorResponse["state"];

export type LineageNode = Item<"/api/v1/lineage/nodes">;
export type LineageDetail = Read<"/api/v1/lineage/nodes/{id}">;
export type Spread = Read<"/api/v1/lineage/spread">;
export type Coverage = Spread["byRoot"];
export type FixPlan = Read<"/api/v1/lineage/plan">;
export type PlanStep = FixPlan["steps"][number];
export type PlanQuery = NonNullable<Served["/api/v1/lineage/plan"]["get"]["parameters"]["query"]>;
export type PlanMeasure = NonNullable<PlanQuery["measure"]>;
export type Rebuild = Item<"/api/v1/rebuilds">;
export type RebuildFilters = Filters<"/api/v1/rebuilds">;

export type UnusedImage = Item<"/api/v1/unused">;
export type Cleanup = Item<"/api/v1/cleanups">;
export type CleanupItem = Item<"/api/v1/cleanups/{id}/items">;
export type Hold = Item<"/api/v1/cleanup-holds">;
export type NewHold = Sent<"/api/v1/cleanup-holds", "post">;
export type CleanupChoice = Sent<"/api/v1/cleanups", "post">;

export type Golden = Item<"/api/v1/golden">;
export type GoldenFilters = Filters<"/api/v1/golden">;
export type GoldenState = Golden["state"];
export type GoldenDetail = Read<"/api/v1/golden/{id}">;
export type GoldenVersion = GoldenDetail["versions"][number];
export type GoldenCandidate = GoldenDetail["candidates"][number];
export type GoldenViolation = GoldenVersion["violations"][number];
export type GoldenDiff = Read<"/api/v1/golden/{id}/diff">;
export type NewGolden = Sent<"/api/v1/golden", "post">;
export type GoldenPublication = Sent<"/api/v1/golden/{id}/publish", "post">;
export type GoldenEnd = Sent<"/api/v1/golden/{id}/revoke", "post">;
export type Increment = Read<"/api/v1/programmes/increment">;
export type Stock = Read<"/api/v1/programmes/stock">;
export type TeamScore = Item<"/api/v1/programmes/teams">;

export type AdmissionDecision = Item<"/api/v1/admission/decisions">;
export type DecisionFilters = Filters<"/api/v1/admission/decisions">;
export type AdmissionPolicy = Item<"/api/v1/admission/policies">;
export type AdmissionModeChange = Sent<"/api/v1/admission/modes", "post">;
export type Brake = Item<"/api/v1/admission/brakes">;
export type NewBrake = Sent<"/api/v1/admission/brakes", "post">;
export type AdmissionException = Item<"/api/v1/admission/exceptions">;
export type NewAdmissionException = Sent<"/api/v1/admission/exceptions", "post">;
export type Baseline = Item<"/api/v1/admission/baselines">;
export type BaselineDetail = Read<"/api/v1/admission/baselines/{id}">;
export type NewBaseline = Sent<"/api/v1/admission/baselines", "post">;
export type BaselineProposal = Read<"/api/v1/admission/baselines/{id}/proposal">;
export type Grant = Item<"/api/v1/admission/grants">;
export type NewGrant = Sent<"/api/v1/admission/grants", "post">;
export type BenchmarkPlaces = Read<"/api/v1/benchmark-places">;
export type BenchmarkPlace = Item<"/api/v1/benchmark-places">;
export type BenchmarkCheck = Item<"/api/v1/benchmark-checks">;
export type BenchmarkProfile = Read<"/api/v1/benchmark-checks">["profiles"][number];
export type BenchmarkRun = Item<"/api/v1/benchmark-runs">;
export type BenchmarkResult = Item<"/api/v1/benchmark-results">;
export type BenchmarkResultFilters = Filters<"/api/v1/benchmark-results">;
export type BenchmarkFix = Item<"/api/v1/benchmark-fixes">;
export type BenchmarkException = Item<"/api/v1/benchmark-exceptions">;
export type NewBenchmarkException = Sent<"/api/v1/benchmark-exceptions", "post">;
export type BenchmarkTuning = Item<"/api/v1/benchmark-tunings">;
export type NewBenchmarkTuning = Sent<"/api/v1/benchmark-tunings", "post">;
export type BenchmarkSchedule = Item<"/api/v1/benchmark-schedules">;
export type NewBenchmarkSchedule = Sent<"/api/v1/benchmark-schedules", "post">;
export type ComponentFlaws = Item<"/api/v1/component-flaws">;

export type Cluster = Item<"/api/v1/clusters">;
export type NewCluster = Sent<"/api/v1/clusters", "post">;
export type Workload = Item<"/api/v1/workloads">;
export type WorkloadFilters = Filters<"/api/v1/workloads">;
export type Pod = Item<"/api/v1/pods">;
export type PodFilters = Filters<"/api/v1/pods">;
export type AttackPath = Item<"/api/v1/attack-paths">;
export type PathFilters = Filters<"/api/v1/attack-paths">;
export type Impact = Read<"/api/v1/impact">;
export type ImpactCause = Filters<"/api/v1/impact">["cause"];
export type ComplianceSection = Item<"/api/v1/benchmark-compliance">;
export type Standard = Served["/api/v1/benchmark-compliance"]["get"]["parameters"]["query"]["standard"];

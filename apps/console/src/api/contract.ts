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

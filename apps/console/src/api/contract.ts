/**
 * The server's contract as the console uses it: the nouns that pages show and the paths they are read from and sent to.
 * `paths` has the shape that openapi-typescript generates from /openapi.json, so that the generated file can take its place.
 */

export type Severity = "critical" | "high" | "medium" | "low" | "negligible" | "unknown";
export type FindingKind = "vulnerability" | "secret" | "malware" | "webshell" | "misconfiguration";
type Origin = "base" | "own";
export type Grade = "critical" | "high" | "medium" | "low";
type ImageState = "known" | "scanned" | "failed" | "gone";
export type RiskState = "open" | "assigned" | "fixing" | "fixed" | "reopened" | "accepted";
export type JobState = "waiting" | "running" | "paused" | "done" | "failed" | "cancelled";
export type RegistryKind = "oci" | "docker" | "harbor" | "local";
export type Role = "admin" | "security" | "operator" | "developer" | "auditor";

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly next?: string;
  readonly instance?: string;
}

export interface Page<Item> {
  readonly items: Item[];
  readonly next?: string;
  readonly total?: number;
}

interface Named {
  readonly id: number;
  readonly name: string;
}

export interface Counts {
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
  readonly other: number;
  readonly exploited: number;
  readonly fixable: number;
  readonly secrets: number;
  readonly malware: number;
  readonly misconfigurations: number;
  readonly baseCritical: number;
  readonly baseHigh: number;
}

export interface Session {
  readonly account: {
    readonly id: number;
    readonly login: string;
    readonly name: string;
    readonly role: Role;
    readonly scopes: string[];
    readonly tenant: Named;
    readonly totp: boolean;
    readonly owners: number[];
  };
  readonly csrf: string;
}

export interface Image {
  readonly id: number;
  readonly digest: string;
  readonly reference: string;
  readonly references: string[];
  readonly registry: string;
  readonly repository: string;
  readonly tags: string[];
  readonly platform: string;
  readonly os: { readonly id: string; readonly version: string; readonly name: string } | null;
  readonly state: ImageState;
  readonly problem: string | null;
  readonly builtAt: string | null;
  readonly firstSeen: string;
  readonly scannedAt: string | null;
  readonly sizeBytes: number;
  readonly layerCount: number;
  readonly packageCount: number;
  readonly counts: Counts;
  readonly risk: number;
  readonly owner: Named | null;
  readonly grade: Grade | null;
  readonly base: { readonly reference: string; readonly digest: string; readonly how: string } | null;
  readonly complete: boolean;
}

export interface ImageLayer {
  readonly depth: number;
  readonly diffId: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly createdBy: string;
  readonly origin: Origin;
  readonly packages: number;
  readonly counts: Counts;
}

export interface ImageDetail extends Image {
  readonly layers: ImageLayer[];
  readonly locations: {
    readonly registry: string;
    readonly repository: string;
    readonly tags: string[];
  }[];
  readonly labels: Record<string, string>;
  readonly imageLabels: Record<string, string>;
  readonly problems: { readonly path: string; readonly layer?: number; readonly what: string }[];
}

export interface Finding {
  readonly kind: FindingKind;
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  readonly package?: { readonly purl: string; readonly name: string; readonly version: string };
  readonly fixedVersion?: string;
  readonly status?: string;
  readonly path?: string;
  readonly line?: number;
  readonly layer: number;
  readonly origin: Origin;
  readonly removedIn?: number;
  readonly exploited: boolean;
  readonly epss?: number;
  readonly cvss?: number;
  readonly priority?: number;
  readonly advice: string;
  readonly detail?: string;
  readonly evidence?: string;
  readonly references: string[];
  readonly firstSeen: string;
  readonly waived?: { readonly reason: string; readonly until: string; readonly approver: string };
}

export interface ImagePackage {
  readonly purl: string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly path?: string;
  readonly layer: number;
  readonly worst?: Severity;
}

export interface Vulnerability {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly cvss?: number;
  readonly epss?: number;
  readonly exploited: boolean;
  readonly ransomware?: boolean;
  readonly images: number;
  readonly packages: string[];
  readonly fixedVersions: string[];
  readonly firstSeen: string;
}

export interface Subject {
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  readonly fixedVersion?: string;
  readonly images: number;
}

export interface VulnerabilityDetail extends Vulnerability {
  readonly aliases: string[];
  readonly references: string[];
  readonly description: string;
  readonly subjects: Subject[];
}

export interface EstatePackage {
  readonly type: string;
  readonly name: string;
  readonly versions: number;
  readonly images: number;
  readonly worst?: Severity;
}

export interface SearchQuery {
  readonly query?: string;
  readonly component?: string;
  readonly ecosystem?: string;
  readonly range?: string;
  readonly vulnerability?: string;
}

export interface SearchResult {
  readonly summary: {
    readonly images: number;
    readonly layers: number;
    readonly bases: number;
    readonly owners: number;
    readonly repositories: number;
  };
  readonly images: Image[];
  readonly layers: {
    readonly diffId: string;
    readonly createdBy: string;
    readonly origin: Origin;
    readonly images: number;
  }[];
  readonly bases: { readonly reference: string; readonly digest: string; readonly images: number }[];
  readonly owners: {
    readonly id: number | null;
    readonly name: string;
    readonly email?: string;
    readonly images: number;
  }[];
  readonly subjects: Subject[];
}

export interface Case {
  readonly id: number;
  readonly title: string;
  readonly query: SearchQuery;
  readonly state: "open" | "closed";
  readonly createdAt: string;
  readonly createdBy: string;
  readonly closedAt?: string;
  readonly open: number;
  readonly closed: number;
  readonly note?: string;
}

export interface Risk {
  readonly id: number;
  readonly kind: FindingKind;
  readonly finding: string;
  readonly title: string;
  readonly severity: Severity;
  readonly package?: string;
  readonly repository: Named & { readonly registry: string };
  readonly state: RiskState;
  readonly assignee?: Named;
  readonly owner?: Named;
  readonly grade?: Grade;
  readonly firstSeen: string;
  readonly due?: string;
  readonly overdue: boolean;
  readonly fixedAt?: string;
  readonly reopened: number;
  readonly images: number;
  readonly fixedVersion?: string;
}

export interface RiskDetail extends Risk {
  readonly history: {
    readonly at: string;
    readonly actor: string;
    readonly from?: RiskState;
    readonly to?: RiskState;
    readonly text?: string;
  }[];
  readonly accepted?: { readonly reason: string; readonly until: string; readonly approver?: string };
}

export interface RiskMeasures {
  readonly closure: { readonly beforeRelease: number; readonly total: number; readonly rate: number };
  readonly byTeam: { readonly name: string; readonly open: number; readonly overdue: number; readonly fixed: number }[];
  readonly openByAge: { readonly fromDays: number; readonly toDays?: number; readonly count: number }[];
  readonly meanDaysToFix: number | null;
}

export interface Overview {
  readonly identify: {
    readonly registries: number;
    readonly repositories: number;
    readonly images: number;
    readonly scanned: number;
    readonly layers: number;
    readonly packages: number;
    readonly hosts: number;
    readonly unowned: number;
  };
  readonly protect: {
    readonly critical: number;
    readonly high: number;
    readonly exploited: number;
    readonly fixable: number;
    readonly secrets: number;
    readonly malware: number;
    readonly misconfigurations: number;
    readonly topImages: Image[];
    readonly bySeverity: Record<Severity, number>;
  };
  readonly detect: { readonly covered: boolean };
  readonly respond: {
    readonly open: number;
    readonly overdue: number;
    readonly cases: number;
    readonly byState: Partial<Record<RiskState, number>>;
  };
  readonly recover: { readonly fixed30Days: number; readonly reopened: number; readonly meanDaysToFix: number | null };
  readonly trend: { readonly day: string; readonly critical: number; readonly high: number; readonly images: number }[];
  readonly notCovered: { readonly area: string; readonly why: string }[];
}

export interface AdvisoryDatabase {
  readonly built: string | null;
  readonly records: number;
  readonly seedOnly: boolean;
  readonly ecosystems: { readonly name: string; readonly records: number }[];
  readonly updatedAt: string | null;
  readonly nextUpdate: string | null;
}

export interface RegistrySettings {
  readonly name: string;
  readonly kind: RegistryKind;
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
  readonly caPem?: string;
  readonly plainHttp?: boolean;
  readonly allowPrivate?: boolean;
  readonly include?: string[];
  readonly exclude?: string[];
  readonly pollMinutes?: number;
}

export interface Registry {
  readonly id: number;
  readonly name: string;
  readonly kind: RegistryKind;
  readonly address: string;
  readonly username?: string;
  readonly plainHttp: boolean;
  readonly allowPrivate: boolean;
  readonly include: string[];
  readonly exclude: string[];
  readonly pollMinutes: number | null;
  readonly state: "new" | "syncing" | "ready" | "failed";
  readonly problem: string | null;
  readonly lastSync: string | null;
  readonly repositories: number;
  readonly images: number;
}

export interface Job {
  readonly id: number;
  readonly kind: string;
  readonly subject: string;
  readonly state: JobState;
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly createdBy: string;
  readonly problem: string | null;
}

export interface DeadLetter {
  readonly id: number;
  readonly jobId: number | null;
  readonly kind: string;
  readonly subject: string;
  readonly reason: string;
  readonly attempts: number;
  readonly at: string;
}

type ChannelKind = "webhook" | "email" | "slack" | "dingtalk" | "wecom" | "feishu" | "issue";

export interface ChannelSettings {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly address: string;
  readonly secret?: string;
  readonly allowPrivate?: boolean;
}

export interface Channel {
  readonly id: number;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly address: string;
  readonly enabled: boolean;
}

export interface NotificationRuleSettings {
  readonly name: string;
  readonly channelId: number;
  readonly minSeverity: Severity;
  readonly ownerId?: number;
  readonly grade?: Grade;
  readonly digestMinutes?: number;
}

export interface NotificationRule extends NotificationRuleSettings {
  readonly id: number;
  readonly channel: string;
  readonly owner?: Named;
  readonly enabled: boolean;
}

export interface Delivery {
  readonly id: number;
  readonly at: string;
  readonly channel: string;
  readonly subject: string;
  readonly state: "waiting" | "delivered" | "failed";
  readonly attempts: number;
  readonly problem?: string;
}

export interface Account {
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly role: Role;
  readonly totp: boolean;
  readonly locked: boolean;
  readonly disabled: boolean;
  readonly lastLogin: string | null;
  readonly owners: number[];
}

export interface Token {
  readonly id: number;
  readonly name: string;
  readonly scopes: string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsed: string | null;
}

export interface Owner {
  readonly id: number;
  readonly name: string;
  readonly email: string | null;
  readonly accounts: number;
  readonly repositories: number;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly address?: string;
  readonly outcome: "done" | "refused";
}

type Json<Body> = { content: { "application/json": Body } };
type Answers<Result> = {
  responses: { 200: Json<Result>; default: { content: { "application/problem+json": Problem } } };
};
/** `{id}` in the path; `never` where the path has no such part. */
type At<Path> = [Path] extends [never] ? { path?: never } : { path: Path };
type Asking<Query> = [Query] extends [never] ? { query?: never } : { query?: Partial<Query> };
type Get<Result, Query = never, Path = never> = { get: { parameters: Asking<Query> & At<Path> } & Answers<Result> };
type Send<Method extends string, Body, Result, Path = never> = {
  [method in Method]: { parameters: At<Path>; requestBody: Json<Body> } & Answers<Result>;
};
type Act<Path = { id: number }, Result = unknown> = { post: { parameters: At<Path> } & Answers<Result> };
type Remove<Path = { id: number }> = { delete: { parameters: At<Path> } & Answers<unknown> };

interface Paging {
  cursor: string;
  limit: number;
  sort: string;
}
type Digest = { digest: string };
type Id = { id: number };

export interface ImageFilters {
  search: string;
  registry: string;
  repository: string;
  os: string;
  state: ImageState;
  severity: Severity;
  kind: FindingKind;
  owner: string;
  grade: Grade;
  exploited: boolean;
}
export interface FindingFilters {
  kind: FindingKind;
  severity: Severity;
  origin: Origin;
  layer: number;
  search: string;
}
export interface VulnerabilityFilters {
  search: string;
  severity: Severity;
  exploited: boolean;
  fixable: boolean;
}
export interface RiskFilters {
  state: RiskState;
  overdue: boolean;
  severity: Severity;
  search: string;
}

export interface paths {
  "/api/v1/session": Get<Session> &
    Send<"post", { login: string; password: string; code?: string }, Session> &
    Remove<never>;
  "/api/v1/session/providers": Get<{ items: { id: string; name: string }[] }>;
  "/api/v1/session/password": Send<"post", { old: string; new: string }, unknown>;
  "/api/v1/overview": Get<Overview>;
  "/api/v1/images": Get<Page<Image>, Paging & ImageFilters>;
  "/api/v1/images/{digest}": Get<ImageDetail, never, Digest> &
    Send<"patch", { ownerId?: number | null; grade?: Grade | null; labels?: Record<string, string> }, unknown, Digest>;
  "/api/v1/images/{digest}/findings": Get<Page<Finding>, Paging & FindingFilters, Digest>;
  "/api/v1/images/{digest}/packages": Get<
    Page<ImagePackage>,
    Paging & { search: string; type: string; layer: number },
    Digest
  >;
  "/api/v1/vulnerabilities": Get<Page<Vulnerability>, Paging & VulnerabilityFilters>;
  "/api/v1/vulnerabilities/{id}": Get<VulnerabilityDetail, never, { id: string }>;
  "/api/v1/vulnerabilities/{id}/images": Get<Page<Image>, Paging, { id: string }>;
  "/api/v1/packages": Get<Page<EstatePackage>, Paging & { search: string; type: string }>;
  "/api/v1/search": Send<"post", SearchQuery, SearchResult>;
  "/api/v1/cases": Get<Page<Case>, Paging> & Send<"post", { title: string; query: SearchQuery }, Case>;
  "/api/v1/cases/{id}": Get<Case, never, Id> & Send<"patch", { state?: "open" | "closed"; title?: string }, Case, Id>;
  "/api/v1/cases/{id}/curve": Get<{ points: { at: string; open: number; closed: number }[] }, never, Id>;
  "/api/v1/risks": Get<Page<Risk>, Paging & RiskFilters>;
  "/api/v1/risks/measures": Get<RiskMeasures>;
  "/api/v1/risks/{id}": Get<RiskDetail, never, Id>;
  "/api/v1/risks/{id}/assign": Send<"post", { accountId: number }, unknown, Id>;
  "/api/v1/risks/{id}/start": Act;
  "/api/v1/risks/{id}/accept": Send<"post", { reason: string; until: string }, unknown, Id>;
  "/api/v1/risks/{id}/approve": Act;
  "/api/v1/risks/{id}/comment": Send<"post", { text: string }, unknown, Id>;
  "/api/v1/database": Get<AdvisoryDatabase>;
  "/api/v1/registries": Get<Page<Registry>, Paging> & Send<"post", RegistrySettings, Registry>;
  "/api/v1/registries/{id}": Send<"patch", Partial<RegistrySettings>, Registry, Id> & Remove;
  "/api/v1/registries/{id}/sync": Act;
  "/api/v1/registries/{id}/test": Act<Id, { ok: boolean; problem?: string; repositories?: number }>;
  "/api/v1/scans": Send<"post", { images?: string[]; registries?: number[]; force?: boolean }, Job>;
  "/api/v1/jobs": Get<Page<Job>, Paging & { state: JobState; kind: string }>;
  "/api/v1/jobs/dead": Get<Page<DeadLetter>, Paging>;
  "/api/v1/jobs/{id}/pause": Act;
  "/api/v1/jobs/{id}/resume": Act;
  "/api/v1/jobs/{id}/cancel": Act;
  "/api/v1/jobs/{id}/retry": Act;
  "/api/v1/channels": Get<Page<Channel>> & Send<"post", ChannelSettings, Channel>;
  "/api/v1/channels/{id}": Send<"patch", Partial<ChannelSettings> & { enabled?: boolean }, Channel, Id> & Remove;
  "/api/v1/channels/{id}/test": Act;
  "/api/v1/notification-rules": Get<Page<NotificationRule>> & Send<"post", NotificationRuleSettings, NotificationRule>;
  "/api/v1/notification-rules/{id}": Send<"patch", { enabled?: boolean }, NotificationRule, Id> & Remove;
  "/api/v1/deliveries": Get<Page<Delivery>, Paging>;
  "/api/v1/accounts": Get<Page<Account>, Paging> &
    Send<"post", { login: string; name: string; role: Role; password: string; owners?: number[] }, Account>;
  "/api/v1/accounts/{id}": Send<
    "patch",
    { role?: Role; name?: string; disabled?: boolean; owners?: number[] },
    Account,
    Id
  > &
    Remove;
  "/api/v1/accounts/{id}/unlock": Act;
  "/api/v1/tokens": Get<Page<Token>, Paging> &
    Send<"post", { name: string; scopes: string[]; expiresAt?: string }, Token & { token: string }>;
  "/api/v1/tokens/{id}": Remove;
  "/api/v1/owners": Get<Page<Owner>, Paging> & Send<"post", { name: string; email?: string }, Owner>;
  "/api/v1/owners/{id}": Send<"patch", { name?: string; email?: string }, Owner, Id> & Remove;
  "/api/v1/audit": Get<
    Page<AuditEntry>,
    Paging & { actor: string; action: string; subject: string; from: string; to: string }
  >;
  "/api/v1/audit/verify": Get<{ entries: number; intact: boolean; brokenAt?: number }>;
}

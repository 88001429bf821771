import type { Grade, Named, Page, Problem, Severity } from "./contract.ts";

/**
 * Parts of the API that the server does not serve yet, by hand. When its routes are there, their types are generated with
 * all others: a noun then moves to contract.ts, and its paths leave this file.
 */

export interface AdvisoryDatabase {
  readonly built: string | null;
  readonly records: number;
  readonly seedOnly: boolean;
  readonly ecosystems: { readonly name: string; readonly records: number }[];
  readonly updatedAt: string | null;
  readonly nextUpdate: string | null;
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
type Id = { id: number };

export interface PlannedPaths {
  "/api/v1/database": Get<AdvisoryDatabase>;
  "/api/v1/channels": Get<Page<Channel>> & Send<"post", ChannelSettings, Channel>;
  "/api/v1/channels/{id}": Send<"patch", Partial<ChannelSettings> & { enabled?: boolean }, Channel, Id> & Remove;
  "/api/v1/channels/{id}/test": Act;
  "/api/v1/notification-rules": Get<Page<NotificationRule>> & Send<"post", NotificationRuleSettings, NotificationRule>;
  "/api/v1/notification-rules/{id}": Send<"patch", { enabled?: boolean }, NotificationRule, Id> & Remove;
  "/api/v1/deliveries": Get<Page<Delivery>, Paging>;
}

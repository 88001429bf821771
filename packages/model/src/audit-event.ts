/**
 * What a Kubernetes API server says that it was asked (audit.k8s.io/v1, Event), with its own names. Everything is there: what the
 * server left out is empty or null. Secrets are taken out before anything is made of it.
 */
export interface AuditEvent {
  readonly auditID: string;
  /** RequestReceived, ResponseStarted, ResponseComplete or Panic. */
  readonly stage: string;
  /** None, Metadata, Request or RequestResponse: how much the server tells. */
  readonly level: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: AuditUser;
  /** As whom the user acted. */
  readonly impersonatedUser: AuditUser | null;
  /** From the client to the last proxy. All but the last can be set by the client. */
  readonly sourceIPs: readonly string[];
  readonly userAgent: string;
  /** Null for what is no object: `/healthz`, `/openapi/v3`. */
  readonly objectRef: AuditObject | null;
  readonly responseStatus: AuditStatus | null;
  /** The object or patch that was sent; null when it is not told. */
  readonly requestObject: unknown;
  readonly responseObject: unknown;
  /** What was left out of these two, where they were larger than is kept. */
  readonly omitted: Omitted;
  /** RFC 3339 with microseconds. */
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  /** `authorization.k8s.io/decision` and its like, as the server noted them. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Nothing; what only rules look at that name a value by its pointer; or something that any rule may look at. */
export type Omitted = "" | "detail" | "judged";

export interface AuditUser {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  /** Of a service account's token: pod, node and number of the token. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface AuditObject {
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
}

export interface AuditStatus {
  readonly code: number;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

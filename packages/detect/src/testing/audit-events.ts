import type { AuditEvent } from "@bulwark/model";
import { readAuditEvent } from "../audit/read-audit-event.ts";

/** An event as an API server sends it: somebody reads a pod. */
export function rawAuditEvent(given: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Request",
    auditID: "0b7f5b8c-0000-4000-8000-000000000001",
    stage: "ResponseComplete",
    requestURI: "/api/v1/namespaces/shop/pods/web",
    verb: "get",
    user: { username: "jane", groups: ["devs", "system:authenticated"] },
    sourceIPs: ["10.0.0.9"],
    userAgent: "kubectl/v1.36.3",
    objectRef: { resource: "pods", namespace: "shop", name: "web", apiVersion: "v1" },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: "2026-11-21T20:00:00.123456Z",
    stageTimestamp: "2026-11-21T20:00:00.223456Z",
    annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
    ...given,
  };
}

/** The same, read. */
export function auditEvent(given: Readonly<Record<string, unknown>> = {}): AuditEvent {
  const event = readAuditEvent(rawAuditEvent(given));
  if (event === undefined) throw new Error("the event of the test is none");
  return event;
}

import { type AllowableEvent, AUDIT_SOURCE, allowConditionFor, auditAllowConditionFor } from "@bulwark/detect";
import type { AuditEvent } from "@bulwark/model";
import type { AlertDetail, StoredScope } from "@bulwark/store";
import { ServerError } from "../errors.ts";

/** Where an alert may be accepted: of a container what it does, of a request what somebody asked an API server. */
export const PLACES = ["container", "image", "object", "namespace", "cluster", "everywhere"] as const;
export type Place = (typeof PLACES)[number];

const OF_CONTAINERS: readonly Place[] = ["container", "image", "everywhere"];
const OF_REQUESTS: readonly Place[] = ["object", "namespace", "cluster", "everywhere"];

/**
 * What accepts just what a stored alert saw, in a place.
 *
 * @throws ServerError `INVALID_REQUEST` for a place that has nothing to do with the alert; `CONFLICT` for one that saw nothing
 */
export function allowanceFor(
  alert: AlertDetail,
  where: Place,
): { readonly condition: string; readonly scope: StoredScope } {
  const { facts } = alert;
  if (facts.audit !== undefined) return ofRequest(alert, facts.audit as AuditEvent, where);
  if (facts.event === undefined) {
    throw new ServerError("CONFLICT", "the alert tells of no single event that could be allowed", "close it instead");
  }
  checkPlace(where, OF_CONTAINERS);
  // As they were kept: see detected-alert.ts.
  const [process = null] = (facts.lineage ?? []) as readonly NonNullable<AllowableEvent["process"]>[];
  const condition = allowConditionFor({ ...(facts.event as Omit<AllowableEvent, "process">), process });
  return { condition, scope: scopeOfContainers(where, alert) };
}

/** Always for who asked: others who ask the same are others. */
function ofRequest({ cluster }: AlertDetail, event: AuditEvent, where: Place) {
  checkPlace(where, OF_REQUESTS);
  const namespace = event.objectRef?.namespace ?? "";
  const isPlaced = where === "object" || where === "namespace";
  const scope = {
    source: AUDIT_SOURCE,
    users: [literal(event.user.username)],
    ...(where === "everywhere" || cluster === null ? {} : { clusters: [literal(cluster.name)] }),
    ...(isPlaced && namespace !== "" ? { namespaces: [literal(namespace)] } : {}),
  };
  return { condition: auditAllowConditionFor(event, where === "object"), scope };
}

function checkPlace(where: Place, places: readonly Place[]): void {
  if (places.includes(where)) return;
  throw new ServerError("INVALID_REQUEST", `the alert is about no ${where}`, `choose one of ${places.join(", ")}`);
}

function scopeOfContainers(where: Place, { container, image }: AlertDetail): StoredScope {
  if (where === "everywhere" || container === "") return {};
  return where === "container" ? { host: false, containerIds: [container] } : { host: false, images: [literal(image)] };
}

/** A text as a glob that only it meets. */
function literal(text: string): string {
  return text.replace(/[*?[\]\\]/g, "\\$&");
}

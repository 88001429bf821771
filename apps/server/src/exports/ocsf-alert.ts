import type { RuntimeEvent, RuntimeProcess, Severity } from "@bulwark/model";
import type { AlertDetail, AlertState } from "@bulwark/store";
import {
  containerObject,
  deviceObject,
  endpointObject,
  fileObject,
  metadataObject,
  type OcsfObject,
  orNone,
  processObject,
  profilesOf,
} from "./ocsf-objects.ts";

const DETECTION_FINDING = 2_004;

const SEVERITY: Readonly<Record<Severity, number>> = {
  critical: 5,
  high: 4,
  medium: 3,
  low: 2,
  negligible: 1,
  unknown: 0,
};
const STATUS: Readonly<Record<AlertState, number>> = { open: 1, acknowledged: 2, allowed: 3, closed: 4 };

/** What an alert keeps of its event; older ones may lack any of it. */
interface Facts {
  readonly event?: Partial<RuntimeEvent>;
  readonly lineage?: readonly Omit<RuntimeProcess, "parent">[];
  readonly description?: string;
  readonly advice?: string;
  readonly techniques?: readonly { readonly id: string; readonly name: string }[];
  readonly tactics?: readonly string[];
}

/**
 * An alert as a Detection Finding: created, updated when it repeats or somebody judges it, closed at the end. All records of
 * one alert have one `finding_info.uid`.
 */
export function alertOcsf(alert: AlertDetail, id: string): OcsfObject {
  const facts: Facts = alert.facts;
  const isOver = alert.state === "closed" || alert.state === "allowed";
  const isFirst = alert.count === 1 && alert.history.length === 0;
  const activityId = isOver ? 3 : isFirst ? 1 : 2;
  const container = containerOf(alert);
  return {
    class_uid: DETECTION_FINDING,
    category_uid: 2,
    activity_id: activityId,
    type_uid: DETECTION_FINDING * 100 + activityId,
    time: Date.parse(alert.lastAt),
    severity_id: SEVERITY[alert.severity],
    status_id: STATUS[alert.state],
    is_alert: !isOver,
    message: alert.title,
    count: alert.count,
    metadata: metadataObject(id, "alert", profilesOf(container !== undefined, true)),
    action_id: alert.blocked ? 2 : 3,
    disposition_id: alert.blocked ? 2 : 15,
    device: deviceObject(alert, container),
    finding_info: findingOf(alert, facts),
    evidences: evidenceOf(facts, container),
    remediation: facts.advice === undefined || facts.advice === "" ? undefined : { desc: facts.advice },
    resources: resourcesOf(alert),
  };
}

function findingOf(alert: AlertDetail, { description = "", techniques = [], tactics = [] }: Facts): OcsfObject {
  const named = tactics.map((name) => ({ name }));
  return {
    uid: `alert-${alert.id}`,
    title: alert.title,
    desc: orNone(description),
    first_seen_time: Date.parse(alert.firstAt),
    last_seen_time: Date.parse(alert.lastAt),
    analytic: { type_id: 1, type: "Rule", name: alert.rule, uid: alert.rule },
    attacks: techniques.map(({ id, name }) => ({
      technique: { uid: id, name: orNone(name) },
      tactics: named.length === 0 ? undefined : named,
    })),
    types: alert.tags,
  };
}

/** The event that raised it, with its process and what it was about. */
function evidenceOf(
  { event, lineage = [] }: Facts,
  container: OcsfObject | undefined,
): readonly OcsfObject[] | undefined {
  const process = lineage.toReversed().reduce<RuntimeProcess | null>((parent, own) => ({ ...own, parent }), null);
  const { path = "", remoteAddress = "", remotePort = 0, dnsName = "" } = event ?? {};
  const told = {
    ...(process === null ? {} : { process: processObject(process, container) }),
    ...(path === "" ? {} : { file: fileObject(path, 0) }),
    ...(remoteAddress === "" ? {} : { dst_endpoint: endpointObject(remoteAddress, remotePort) }),
    ...(dnsName === "" ? {} : { query: { hostname: dnsName } }),
  };
  return Object.keys(told).length === 0 ? undefined : [told];
}

function containerOf(alert: AlertDetail): OcsfObject | undefined {
  const { container: id, containerName: name, image, imageDigest } = alert;
  return id === "" ? undefined : containerObject({ id, name, image, imageDigest, runtime: "", podUid: "" });
}

function resourcesOf({
  container,
  containerName,
  namespace,
  pod,
  nodeId,
  hostname,
  cluster,
}: AlertDetail): readonly OcsfObject[] {
  if (container === "" && nodeId !== null) return [{ uid: String(nodeId), name: orNone(hostname), type: "node" }];
  if (container === "") return [{ name: orNone(cluster?.name ?? ""), namespace: orNone(namespace), type: "cluster" }];
  const data = pod === "" ? undefined : { pod };
  return [{ uid: container, name: orNone(containerName), type: "container", namespace: orNone(namespace), data }];
}

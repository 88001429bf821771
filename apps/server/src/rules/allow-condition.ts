import { type Alert, allowConditionFor } from "@bulwark/detect";
import type { RuntimeEvent, RuntimeProcess } from "@bulwark/model";
import type { AlertDetail } from "@bulwark/store";

/** The condition that accepts just what a stored alert saw. */
export function allowCondition({ facts }: AlertDetail): string {
  const lineage = (facts.lineage ?? []) as readonly RuntimeProcess[];
  const process = lineage[0] === undefined ? null : { ...lineage[0], parent: null };
  const event = { ...(facts.event as RuntimeEvent), process, container: null };
  return allowConditionFor({ event } as Alert);
}

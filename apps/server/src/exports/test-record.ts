import type { ExportTarget } from "@bulwark/store";
import type { ExportRecord } from "./export-record.ts";
import { metadataObject } from "./ocsf-objects.ts";

const TEXT = "Bulwark can send here: this is a test";

/** What a test sends: a Base Event of OCSF, or a line that says the same. */
export function testRecord(
  { id, name, format }: Pick<ExportTarget, "id" | "name" | "format">,
  now: Date,
): ExportRecord {
  const uid = `test-${id}-${now.getTime()}`;
  const ocsf = {
    ...{ class_uid: 0, category_uid: 0, activity_id: 99, activity_name: "test", type_uid: 99, severity_id: 1 },
    ...{ time: now.getTime(), message: TEXT, metadata: metadataObject(uid, "test", []) },
  };
  const told = format === "ocsf" ? ocsf : { kind: "test", id: uid, export: name, message: TEXT };
  return {
    ...{ id: uid, kind: "event", type: "test", timeMs: now.getTime(), hostname: "", severity: "informational" },
    key: "test",
    text: JSON.stringify(told),
  };
}

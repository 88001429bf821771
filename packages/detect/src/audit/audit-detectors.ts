import type { AuditEvent } from "@bulwark/model";
import { compileOperandOf } from "../compile/compile-check.ts";
import type { Getter } from "../fields/field.ts";
import { isFault, parseOperand } from "../language/parse-condition.ts";
import type { DetectorShape, Settings } from "../stateful/stateful-detector.ts";
import { observeDistinct, thresholdShape } from "../stateful/threshold.ts";
import type { AuditAddressBook } from "./address-book.ts";
import { findAuditField } from "./audit-fields.ts";
import { auditTimeUs } from "./read-audit-event.ts";
import { tokenElsewhere } from "./token-elsewhere.ts";

/** Sees the events that meet a rule's condition; gives what it found in words when it has seen enough. */
export type AuditObserver = (event: AuditEvent, book: AuditAddressBook) => string | undefined;

/** Judges many audit events together. */
export interface AuditDetector extends DetectorShape {
  readonly create: (settings: Settings) => AuditObserver;
}

function readOperand(text: string): Getter<AuditEvent> | string {
  const found = parseOperand(text, 0, () => ({ file: "", line: 1, column: 1 }));
  if (isFault(found)) return found.message;
  if (found.end !== text.length) return `"${text}" is no field`;
  const operand = compileOperandOf(found.operand, findAuditField);
  return "fault" in operand ? operand.message : operand.get;
}

const threshold: AuditDetector = {
  ...thresholdShape("ka.auditid", "", readOperand),
  create: (settings) => observeDistinct(settings, readOperand, { timeUs: auditTimeUs, group: () => "" }),
};

/** Every detector that a rule over audit events can name. */
export const AUDIT_DETECTORS: readonly AuditDetector[] = [threshold, tokenElsewhere];

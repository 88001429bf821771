import type { ProblemList } from "../problems.ts";
import { createBudget, OVERLAP, type PayloadVisitor } from "./payloads.ts";

/**
 * A bounded reader of rpm's own database format (SUSE's default): rpm's source, lib/backend/ndb/rpmpkg.c. Slots of 16
 * bytes at the beginning point to blobs in units of 16 bytes; all numbers are little endian.
 */

/** `RpmP`, `Slot`, `BlbS`, `BlbE` as little-endian numbers. */
const DATABASE_MAGIC = 0x50_6d_70_52;
const SLOT_MAGIC = 0x74_6f_6c_53;
const BLOB_MAGIC = 0x53_62_6c_42;
const BLOB_END_MAGIC = 0x45_62_6c_42;
const HEADER_BYTES = 32;
const PAGE_BYTES = 4096;
const SLOT_BYTES = 16;
const BLOCK_BYTES = 16;
const BLOB_HEADER_BYTES = 16;
const BLOB_TAIL_BYTES = 12;

export function isNdb(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === DATABASE_MAGIC;
}

/** Calls back with the header blob of every used slot. What cannot be read is added to the problems. */
export function readNdb(bytes: Uint8Array, problems: ProblemList, visit: PayloadVisitor): void {
  if (bytes.length < HEADER_BYTES) {
    problems.add("the rpm database ends within its header");
    return;
  }
  const view = viewOf(bytes);
  const slotsEnd = view.getUint32(12, true) * PAGE_BYTES;
  if (slotsEnd > bytes.length) problems.add("the rpm database is cut short: its slots go beyond the end of the file");
  const budget = createBudget(bytes.length);
  const end = Math.min(slotsEnd, bytes.length - SLOT_BYTES + 1);
  for (let slot = HEADER_BYTES; slot < end; slot += SLOT_BYTES) {
    if (view.getUint32(slot, true) !== SLOT_MAGIC) {
      problems.add(`the slot at byte ${slot} of the rpm database is damaged, the rest was not read`);
      return;
    }
    const start = view.getUint32(slot + 8, true) * BLOCK_BYTES;
    if (start === 0) continue;
    const blob = blobAt(bytes, view, start, view.getUint32(slot + 4, true));
    if (typeof blob === "string") problems.add(blob);
    else if (budget.spend(blob.length)) visit(blob);
    else {
      problems.add(OVERLAP);
      return;
    }
  }
}

function blobAt(bytes: Uint8Array, view: DataView, start: number, index: number): Uint8Array | string {
  const name = `package ${index} of the rpm database`;
  if (start + BLOB_HEADER_BYTES > bytes.length) return `${name} lies outside the file`;
  if (view.getUint32(start, true) !== BLOB_MAGIC || view.getUint32(start + 4, true) !== index) {
    return `${name} is damaged: its blob has another beginning`;
  }
  const dataEnd = start + BLOB_HEADER_BYTES + view.getUint32(start + 12, true);
  const tailStart = Math.ceil((dataEnd + BLOB_TAIL_BYTES) / BLOCK_BYTES) * BLOCK_BYTES - 4;
  if (tailStart + 4 > bytes.length) return `${name} goes beyond the end of the file`;
  if (view.getUint32(tailStart, true) !== BLOB_END_MAGIC) return `${name} is damaged: its blob has another end`;
  return bytes.subarray(start + BLOB_HEADER_BYTES, dataEnd);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

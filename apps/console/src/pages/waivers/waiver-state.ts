import type { Waiver } from "../../api/contract.ts";

/** What a waiver is at a moment; its last day ends with the day in UTC. */
export function stateOf({ approver, until }: Pick<Waiver, "approver" | "until">, now: Date) {
  if (until.slice(0, 10) < now.toISOString().slice(0, 10)) return "over";
  return approver === null ? "waiting" : "inForce";
}

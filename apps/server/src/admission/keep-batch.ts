import { createHash } from "node:crypto";
import { clean } from "@bulwark/kubernetes";
import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import { announce, forgetDecisions, keepDecisions, type NewDecision, type TenantQueries } from "@bulwark/store";
import { auditSystem } from "../audit/audit.ts";
import type { ConnectedCluster } from "../clusters/cluster-stream.ts";
import { sameDecision } from "./same-decision.ts";
import { VERDICTS } from "./source.ts";

const MAX_DECISIONS = 2_000;
const MAX_VIOLATIONS = 200;
const MAX_NAMES = 1_000;
const MAX_TEXT = 300;
const MAX_MESSAGE = 1_000;
const MAX_COUNT = 1_000_000;
const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;
/** Batches between two looks for what is old. */
const FORGET_EVERY = 500;

/**
 * Keeps a batch of a cluster's decisions. It comes from a machine that somebody else may hold: everything in it is bounded, and
 * what is no decision is thrown away.
 *
 * @returns how many were none
 */
export async function keepBatch(
  db: TenantQueries,
  cluster: ConnectedCluster,
  batch: { readonly epoch: string; readonly sequence: number; readonly document: unknown; readonly dropped: number },
  now: Date,
): Promise<number> {
  const told = listOf(batch.document);
  const decisions = told.slice(0, MAX_DECISIONS).flatMap((each) => decisionOf(each, now) ?? []);
  const wrong = told.length - decisions.length;
  const dropped = Math.max(0, Math.trunc(Number(batch.dropped)) || 0) + wrong;
  const folds = decisions.map(foldOf);
  const { epoch, sequence } = batch;
  const isNew = await keepDecisions(db, cluster.id, { epoch, sequence, decisions, folds, dropped, now });
  if (!isNew) return 0;
  for (const { grant, user, namespace, kind, name, count } of decisions.filter(
    ({ verdict }) => verdict === "broken-glass",
  ))
    await auditSystem(db, now, cluster.tenantId, "admission.break-glass", `admission-grant/${grant}`, {
      ...{ cluster: cluster.name, user, namespace, kind, name, count },
    });
  if (sequence % FORGET_EVERY === 1) await forgetDecisions(db, new Date(now.getTime() - KEPT_DAYS * DAY_MS));
  if (decisions.length > 0) await announce(db, { topic: "decisions", id: cluster.id });
  return wrong;
}

function decisionOf(value: unknown, now: Date): NewDecision | undefined {
  const fields = fieldsOf(value);
  const verdict = VERDICTS.find((known) => known === fields.verdict);
  const kind = text(fields, "kind");
  if (verdict === undefined || kind === "") return undefined;
  return {
    ...{ verdict, kind, namespace: text(fields, "namespace"), name: text(fields, "name"), user: text(fields, "user") },
    ...{ subResource: text(fields, "subResource"), operation: text(fields, "operation"), grant: text(fields, "grant") },
    firstAt: timeOf(fields.firstAt, now),
    lastAt: timeOf(fields.lastAt, now),
    count: numberOf(fields.count, 1, MAX_COUNT),
    more: numberOf(fields.more, 0, MAX_COUNT),
    tookMs: numberOf(fields.tookMs, 0, MAX_COUNT),
    dryRun: fields.dryRun === true,
    wouldDeny: fields.wouldDeny === true,
    asked: names(fields.asked),
    unknown: names(fields.unknown),
    violations: listOf(fields.violations)
      .slice(0, MAX_VIOLATIONS)
      .map(fieldsOf)
      .map((each) => ({
        ...{
          policy: text(each, "policy"),
          rule: text(each, "rule"),
          mode: text(each, "mode"),
          image: text(each, "image"),
        },
        ...{ container: text(each, "container"), exception: text(each, "exception") },
        message: clean(textOf(each.message)).slice(0, MAX_MESSAGE),
      })),
  };
}

/** A replica's clock may be anything; a day that is not over yet would be counted for ever. */
function timeOf(value: unknown, now: Date): string {
  const time = Date.parse(textOf(value));
  const within = Number.isNaN(time) || time > now.getTime() + DAY_MS || time < now.getTime() - KEPT_DAYS * DAY_MS;
  return new Date(within ? now.getTime() : time).toISOString();
}

function numberOf(value: unknown, least: number, most: number): number {
  return typeof value === "number" && Number.isFinite(value)
    ? Math.min(most, Math.max(least, Math.trunc(value)))
    : least;
}

function names(value: unknown): readonly string[] {
  return listOf(value)
    .slice(0, MAX_NAMES)
    .map((each) => clean(textOf(each)).slice(0, MAX_TEXT));
}

function text(fields: Fields, key: string): string {
  return clean(textOf(fields[key])).slice(0, MAX_TEXT);
}

/** What makes two decisions the same. */
function foldOf(decision: NewDecision): string {
  return createHash("sha256").update(sameDecision(decision)).digest("hex").slice(0, 32);
}

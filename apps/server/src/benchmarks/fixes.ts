import { randomUUID } from "node:crypto";
import { type BenchmarkCheck, checksOf, type FixSpec } from "@bulwark/benchmark/benchmark";
import {
  addBenchmarkFix,
  addResponse,
  announce,
  type BenchmarkFix,
  type FixState,
  fixesVerifiedBy,
  fixesWithoutAnswer,
  fixOfResponse,
  getBenchmarkFix,
  listBenchmarkResults,
  moveBenchmarkFix,
  newestTarget,
  type ResponseState,
  setFixResponse,
  type TenantQueries,
  targetsOfRun,
} from "@bulwark/store";
import { auditSystem } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { benchmarkContent } from "./content.ts";
import { startRun } from "./start-run.ts";

const EXPIRES_MS = 10 * 60_000;
const MAX_RESULTS = 1_000;
/** States from which a fix is undone, where the node changed something or may have. */
const UNDOABLE: readonly FixState[] = ["applied", "verifying", "failed"];
const SHA256 = /^(?:[0-9a-f]{64})?$/;

/** The change as an order carries it. */
function changeOf(fix: FixSpec): Readonly<Record<string, unknown>> {
  switch (fix.kind) {
    case "sysctl":
      return { sysctl: { name: fix.name, value: fix.value } };
    case "mode":
      return { mode: { path: fix.path, mask: fix.mask, ownByRoot: fix.ownByRoot } };
    case "setting": {
      const { path, format, key } = fix;
      // JSON's words for truth and numbers are YAML's and sshd's too; text is written as the file's form has it.
      return { setting: { path, format, key, value: fix.value } };
    }
  }
}

/** Asks a node what a fix would change. */
export async function previewFix(
  db: TenantQueries,
  asked: {
    readonly nodeId: number;
    readonly check: BenchmarkCheck;
    readonly reason: string;
    readonly askedBy: string;
    readonly now: Date;
  },
): Promise<number> {
  const { check, nodeId, now } = asked;
  if (check.fix === undefined) {
    throw new ServerError(
      "CONFLICT",
      `${check.id} has no fix that a machine may make`,
      `do it by hand: ${check.advice}`,
    );
  }
  const change = changeOf(check.fix);
  const id = await addBenchmarkFix(db, { ...asked, check: check.id, uid: randomUUID(), change });
  const fix = await demandFix(db, id);
  const responseId = await order(db, fix, {
    action: "apply-fix",
    dryRun: true,
    askedBy: asked.askedBy,
    state: "queued",
    now,
  });
  await setFixResponse(db, id, responseId);
  await announce(db, { topic: "benchmarks", id: nodeId });
  return id;
}

/** Applies what was previewed; the node refuses where what the preview saw is another by now. Of two who ask at once one is refused. */
export async function applyFix(
  db: TenantQueries,
  id: number,
  asked: { readonly askedBy: string; readonly needsApproval: boolean; readonly now: Date },
): Promise<void> {
  const { askedBy, needsApproval, now } = asked;
  const state = needsApproval ? "waiting" : "applying";
  const isOurs = await moveBenchmarkFix(db, id, { from: ["previewed"], state, now });
  const fix = await demandFix(db, id);
  if (!isOurs) {
    throw new ServerError(
      "CONFLICT",
      `fix ${id} is ${fix.state}`,
      "only what was previewed is applied, once; ask for a new preview",
    );
  }
  const queued = needsApproval ? "waiting" : "queued";
  const responseId = await order(db, fix, { action: "apply-fix", dryRun: false, askedBy, state: queued, now });
  await setFixResponse(db, id, responseId);
  await announce(db, { topic: "benchmarks", id: fix.nodeId });
}

/** Gives a node back what it was before a fix. */
export async function undoFix(
  db: TenantQueries,
  id: number,
  asked: { readonly askedBy: string; readonly now: Date },
): Promise<void> {
  const fix = await demandFix(db, id);
  if (fix.isUndoable && (await beginUndo(db, fix, { ...asked, from: UNDOABLE, detail: "" }))) return;
  const { state } = await demandFix(db, id);
  throw new ServerError("CONFLICT", `fix ${id} is ${state}`, "only what was applied is undone");
}

/** @returns whether it was begun: in another state than these it is not */
async function beginUndo(
  db: TenantQueries,
  fix: BenchmarkFix,
  to: { readonly from: readonly FixState[]; readonly askedBy: string; readonly now: Date; readonly detail: string },
): Promise<boolean> {
  const { from, askedBy, now, detail } = to;
  if (!(await moveBenchmarkFix(db, fix.id, { from, state: "undoing", detail, now }))) return false;
  const responseId = await order(db, fix, { action: "undo-fix", dryRun: false, askedBy, state: "queued", now });
  await setFixResponse(db, fix.id, responseId);
  await announce(db, { topic: "benchmarks", id: fix.nodeId });
  return true;
}

async function order(
  db: TenantQueries,
  fix: BenchmarkFix,
  to: {
    readonly action: "apply-fix" | "undo-fix";
    readonly dryRun: boolean;
    readonly askedBy: string;
    readonly state: "queued" | "waiting";
    readonly now: Date;
  },
): Promise<number> {
  const { nodeId, uid, check, change, before } = fix;
  const parameters =
    to.action === "undo-fix"
      ? { fixId: uid }
      : { fixId: uid, ...change, dryRun: to.dryRun, ...(to.dryRun ? {} : { expectedSha256: before }) };
  const id = await addResponse(db, {
    ...{
      uid: randomUUID(),
      nodeId,
      container: "",
      action: to.action,
      parameters,
      state: to.state,
      askedBy: to.askedBy,
    },
    reason: `${to.dryRun ? "preview of " : ""}${check}${fix.reason === "" ? "" : `: ${fix.reason}`}`,
    now: to.now,
    expiresAt: new Date(to.now.getTime() + EXPIRES_MS),
  });
  if (to.state === "queued") await announce(db, { topic: "orders", id: nodeId });
  await announce(db, { topic: "responses", id });
  return id;
}

interface Ended {
  readonly id: number;
  readonly state: ResponseState;
  readonly detail: string;
  readonly facts: unknown;
}

/** What came of an order of a fix: also of one that was given up, since a node may tell it after it was started again. */
export async function onFixAnswer(db: TenantQueries, ended: Ended, tenantId: number, now: Date): Promise<void> {
  const found = await fixOfResponse(db, ended.id);
  if (found === undefined) return;
  const { fix, step } = found;
  const take = { preview: onPreviewed, apply: onApplied, undo: onUndone }[step];
  if (!(await take(db, fix, ended, now))) return;
  await auditSystem(db, now, tenantId, `benchmark-fix.${ended.state}`, `benchmark-fix/${fix.id}`, {
    check: fix.check,
    node: fix.nodeId,
    detail: ended.detail,
  });
  await announce(db, { topic: "benchmarks", id: fix.nodeId });
}

/** @returns whether anybody waited for it, as of the two others */
async function onPreviewed(db: TenantQueries, fix: BenchmarkFix, ended: Ended, now: Date): Promise<boolean> {
  const told = ended.facts as { readonly diff?: unknown; readonly before?: unknown };
  const text = (value: unknown) => (typeof value === "string" ? value.slice(0, 20_000) : undefined);
  const before = text(told.before) ?? "";
  const good = ended.state === "done" && SHA256.test(before) ? "previewed" : "failed";
  const state = ended.state === "unchanged" ? "unchanged" : good;
  const { detail } = ended;
  return moveBenchmarkFix(db, fix.id, {
    ...{ from: ["previewing", "failed"], state, detail, diff: text(told.diff), before, now },
  });
}

async function onApplied(db: TenantQueries, fix: BenchmarkFix, ended: Ended, now: Date): Promise<boolean> {
  const { detail } = ended;
  const from: readonly FixState[] = ["waiting", "applying", "failed"];
  // Older sensors say "unchanged", and no more, of a change that they made before they were started again.
  const wasMade = ended.state === "unchanged" && (ended.facts as { readonly path?: unknown }).path === undefined;
  if (ended.state === "done" || wasMade) {
    if (!(await moveBenchmarkFix(db, fix.id, { from, state: "verifying", detail, now }))) return false;
    const runId = await lookAgain(db, fix, now);
    return moveBenchmarkFix(db, fix.id, { from: ["verifying"], state: "verifying", runId, now });
  }
  return moveBenchmarkFix(db, fix.id, {
    from,
    state: ended.state === "unchanged" ? "unchanged" : "failed",
    detail,
    now,
  });
}

async function onUndone(db: TenantQueries, fix: BenchmarkFix, ended: Ended, now: Date): Promise<boolean> {
  const detail = fix.detail === "" ? ended.detail : `${fix.detail}; ${ended.detail}`;
  const state = ended.state === "done" || ended.state === "unchanged" ? "undone" : "failed";
  if (!(await moveBenchmarkFix(db, fix.id, { from: ["undoing", "failed"], state, detail, now }))) return false;
  await lookAgain(db, fix, now);
  return true;
}

/** A run of the node by the profile that it was judged by last, so that its scores stay comparable. */
async function lookAgain(db: TenantQueries, { nodeId, check, askedBy }: BenchmarkFix, now: Date): Promise<number> {
  const last = await newestTarget(db, { nodeId });
  const { checks, profiles } = benchmarkContent();
  const known = profiles.find(({ id }) => id === last?.profile);
  const isJudged = known !== undefined && checksOf(known, checks).some(({ id }) => id === check);
  return startRun(
    db,
    { profile: isJudged ? known.id : "strict", cause: "fix", createdBy: askedBy, nodes: [nodeId] },
    now,
  );
}

/** Fixes that a run verifies: what does not pass is undone by itself, and so is what could not be looked at. */
export async function settleFixes(db: TenantQueries, runId: number, tenantId: number, now: Date): Promise<void> {
  for (const fix of await fixesVerifiedBy(db, runId)) {
    const target = (await targetsOfRun(db, runId)).find(({ nodeId }) => nodeId === fix.nodeId);
    if (target === undefined || target.state === "queued" || target.state === "sent") continue;
    const results =
      target.state === "done"
        ? await listBenchmarkResults(db, { targetId: target.id, check: fix.check, limit: MAX_RESULTS })
        : [];
    const outcome = results[0]?.outcome ?? "undetermined";
    if (outcome === "pass") {
      await moveBenchmarkFix(db, fix.id, { from: ["verifying"], state: "applied", now });
    } else {
      const why =
        target.state === "done"
          ? `the check is ${outcome} after the change: ${results[0]?.evidence ?? ""}`
          : target.detail;
      await beginUndo(db, fix, {
        from: ["verifying"],
        askedBy: "verification",
        now,
        detail: `taken back, since it could not be verified: ${why}`,
      });
    }
    await auditSystem(db, now, tenantId, `benchmark-fix.verify`, `benchmark-fix/${fix.id}`, {
      check: fix.check,
      outcome,
    });
    await announce(db, { topic: "benchmarks", id: fix.nodeId });
  }
}

/**
 * Orders of fixes that a person took back, or that nobody answered. What a node was sent it may have done: that can be undone. What was
 * to be undone can be so again.
 */
export async function endSilentFixes(db: TenantQueries, now: Date): Promise<void> {
  for (const fix of await fixesWithoutAnswer(db)) {
    await moveBenchmarkFix(db, fix.id, {
      ...{ from: [fix.state], state: "failed", detail: `${fix.ended}: ${fix.why}${whatIsOpen(fix)}`, now },
    });
    await announce(db, { topic: "benchmarks", id: fix.nodeId });
  }
}

function whatIsOpen({ state, wasSent }: { readonly state: FixState; readonly wasSent: boolean }): string {
  if (state === "undoing") return "; the change may still be there: undo it again";
  const isOpen = wasSent && (state === "applying" || state === "waiting");
  return isOpen ? "; the change may have been made: undo it, or wait for the node's word" : "";
}

/** @throws ServerError `NOT_FOUND` */
export async function demandFix(db: TenantQueries, id: number): Promise<BenchmarkFix> {
  const fix = await getBenchmarkFix(db, id);
  if (fix === undefined) throw notFound("fix", id);
  return fix;
}

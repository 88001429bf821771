import { randomUUID } from "node:crypto";
import {
  addAlertEvent,
  addResponse,
  announce,
  getResponse,
  type NewResponse,
  type Response,
  responseSecret,
  sealResponse,
  type TenantQueries,
} from "@bulwark/store";
import { ServerError } from "../errors.ts";
import { type Action, responsePurpose } from "../gateway/orders.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { ACTION_RULES, newQuarantineKey, parametersOf } from "./actions.ts";

/** A node that is not connected for so long is not surprised by an old order. */
const EXPIRES_MS = 10 * 60_000;

export interface Asked {
  readonly tenantId: number;
  readonly nodeId: number;
  /** Runtime id; empty for the host. */
  readonly container: string;
  readonly action: Action;
  readonly parameters: unknown;
  readonly alertId?: number | undefined;
  readonly automaticId?: number | undefined;
  readonly askedBy: string;
  readonly reason: string;
  /** `queued` goes to the node at once, `waiting` waits for somebody's approval. */
  readonly state: "queued" | "waiting" | "dry-run";
  /** Whether evidence is captured before something is ended. */
  readonly evidence: boolean;
  readonly undoesId?: number | undefined;
}

interface Deps {
  readonly secrets: SecretBox;
  readonly now: Date;
}

/**
 * Asks a node to do something; evidence first, where the action ends what could still be looked at.
 *
 * @returns id of the response
 * @throws ServerError `INVALID_REQUEST`
 */
export async function askResponse(db: TenantQueries, asked: Asked, { secrets, now }: Deps): Promise<number> {
  const { action, container, nodeId, alertId, askedBy } = asked;
  const parameters = parametersOf(action, asked.parameters);
  if (container === "" && needsContainer(action)) {
    throw new ServerError("INVALID_REQUEST", `${action} is for containers`, "name a container");
  }
  const expiresAt = new Date(now.getTime() + EXPIRES_MS);
  const base = {
    nodeId,
    container,
    alertId,
    automaticId: asked.automaticId,
    state: asked.state,
    askedBy,
    now,
    expiresAt,
  };
  if (ACTION_RULES[action].destroys && asked.evidence && container !== "") {
    await add(db, {
      ...base,
      action: "collect-evidence",
      parameters: parametersOf("collect-evidence", {}),
      reason: `before ${action}`,
    });
  }
  const id = await add(db, { ...base, action, parameters, reason: asked.reason, undoesId: asked.undoesId });
  const key = await keyFor(db, asked, secrets);
  if (key !== undefined) await sealResponse(db, id, secrets.seal(asked.tenantId, responsePurpose(id), key));
  if (alertId !== undefined) {
    await addAlertEvent(db, alertId, { actor: askedBy, action: `response.${action}`, detail: asked.state, now });
    await announce(db, { topic: "alerts", id: alertId });
  }
  if (asked.state === "queued") await announce(db, { topic: "orders", id: nodeId });
  await announce(db, { topic: "responses", id });
  return id;
}

/**
 * What undoes a response.
 *
 * @throws ServerError `CONFLICT` for one that cannot be undone, or was not done
 */
export function undoing(response: Response): { readonly action: Action; readonly parameters: unknown } {
  const action = ACTION_RULES[response.action as Action].undoneBy;
  if (action === undefined) throw new ServerError("CONFLICT", `${response.action} cannot be undone`, "see its result");
  if (response.state !== "done" && response.state !== "unchanged") {
    throw new ServerError("CONFLICT", `response ${response.id} was not done`, "wait for its result");
  }
  if (response.undoneBy !== null)
    throw new ServerError("CONFLICT", `response ${response.id} is undone already`, "see its result");
  const { quarantineId } = response.parameters;
  return { action, parameters: action === "restore-file" ? { quarantineId } : {} };
}

async function add(db: TenantQueries, response: Omit<NewResponse, "uid">): Promise<number> {
  return addResponse(db, { ...response, uid: randomUUID() });
}

/** A new key for what goes into quarantine, and the same one for what comes back. */
async function keyFor(db: TenantQueries, asked: Asked, secrets: SecretBox): Promise<string | undefined> {
  if (asked.action === "quarantine") return newQuarantineKey();
  if (asked.action !== "restore-file" || asked.undoesId === undefined) return undefined;
  const sealed = await responseSecret(db, asked.undoesId);
  return sealed === null ? undefined : secrets.open(asked.tenantId, responsePurpose(asked.undoesId), sealed);
}

function needsContainer(action: Action): boolean {
  return !["kill-process", "upgrade", "restore-file", "apply-fix", "undo-fix"].includes(action);
}

/** A response that is there. */
export async function foundResponse(db: TenantQueries, id: number): Promise<Response> {
  const response = await getResponse(db, id);
  if (response === undefined) throw new ServerError("NOT_FOUND", `there is no response ${id}`, "check the id");
  return response;
}

import {
  addNotificationRule,
  changeNotificationRule,
  getChannel,
  getNotificationRule,
  listNotificationRules,
  type NewNotificationRule,
  type NotificationRule,
  removeNotificationRule,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { IdParams } from "../id.ts";
import { demandOwner } from "../owners/demand-owner.ts";
import { PageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { RuleBody, RuleChangeBody, RuleShape } from "./shapes.ts";

/** Rules: which events go to which channels. */
export const notificationRuleRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["notifications"];
  const read = { scope: "notifications:read" } as const;
  const write = { scope: "notifications:write" } as const;

  app.get(
    "/api/v1/notification-rules",
    {
      config: read,
      schema: {
        tags,
        operationId: "listNotificationRules",
        summary: "All rules, by name",
        response: { 200: PageOf(RuleShape) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listNotificationRules) }),
  );

  app.post(
    "/api/v1/notification-rules",
    {
      config: write,
      schema: {
        tags,
        operationId: "addNotificationRule",
        summary: "Add a rule",
        body: RuleBody,
        response: { 201: RuleShape },
      },
    },
    async (request, reply) => {
      const rule: NewNotificationRule = { ...ANYTHING, ...request.body };
      const made = await store.tenant(principalOf(request).tenantId, async (db) => {
        await demandParts(db, rule);
        const id = await addNotificationRule(db, rule);
        if (id === undefined) throw taken(rule.name);
        await audit(db, request, "notification-rule.add", `notification-rule/${id}`, { name: rule.name });
        return found(db, id);
      });
      return reply.status(201).send(made);
    },
  );

  app.patch(
    "/api/v1/notification-rules/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "changeNotificationRule",
        summary: "Change a rule",
        params: IdParams,
        body: RuleChangeBody,
        response: { 200: RuleShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      return store.tenant(principalOf(request).tenantId, async (db) => {
        const { id: _id, ...before } = await found(db, id);
        const rule: NewNotificationRule = { ...before, ...request.body };
        await demandParts(db, rule);
        const isTaken = (await listNotificationRules(db)).some((other) => other.name === rule.name && other.id !== id);
        if (isTaken) throw taken(rule.name);
        await changeNotificationRule(db, id, rule);
        await audit(db, request, "notification-rule.change", `notification-rule/${id}`, {
          fields: Object.keys(request.body).join(" "),
        });
        return found(db, id);
      });
    },
  );

  app.delete(
    "/api/v1/notification-rules/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "deleteNotificationRule",
        summary: "Delete a rule",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const { name } = await found(db, id);
        await removeNotificationRule(db, id);
        await audit(db, request, "notification-rule.delete", `notification-rule/${id}`, { name });
      });
      return reply.status(204).send(null);
    },
  );
};

const ANYTHING = { enabled: true, ownerIds: [], grades: [], minSeverity: null, kinds: [], toOwner: false };

async function found(db: TenantQueries, id: number): Promise<NotificationRule> {
  const rule = await getNotificationRule(db, id);
  if (rule === undefined) throw notFound("notification rule", id);
  return rule;
}

/** Channels and owners that a rule names are the tenant's own. */
async function demandParts(db: TenantQueries, { channelIds, ownerIds }: NewNotificationRule): Promise<void> {
  for (const id of ownerIds) await demandOwner(db, id);
  for (const id of channelIds) if ((await getChannel(db, id)) === undefined) throw notFound("channel", id);
}

function taken(name: string): ServerError {
  return new ServerError("CONFLICT", `there is a rule "${name}" already`, "choose another name");
}

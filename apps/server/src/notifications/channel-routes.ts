import {
  addChannel,
  addDelivery,
  changeChannel,
  getChannel,
  listChannels,
  removeChannel,
  type StoredChannel,
  type TenantQueries,
  takeDelivery,
} from "@bulwark/store";
import { Type } from "typebox";
import { type Principal, principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { IdParams } from "../id.ts";
import { PageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { createOutbound } from "../security/outbound.ts";
import type { ChannelSettings } from "./channel.ts";
import { channelOf } from "./channels/index.ts";
import { attempt } from "./deliver.ts";
import { isTimeZone } from "./due-time.ts";
import type { Content } from "./message.ts";
import { channelPurpose, openChannel } from "./send.ts";
import { ChannelBody, ChannelChangeBody, ChannelShape, TestResult } from "./shapes.ts";
import { subjectOf } from "./write-message.ts";

const LEASE_MS = 60_000;

/** Channels: places that messages are sent to. */
export const channelRoutes: Routes = async (app, { deps }) => {
  const { store, secrets } = deps;
  const tags = ["notifications"];
  const read = { scope: "notifications:read" } as const;
  const write = { scope: "notifications:write" } as const;

  app.get(
    "/api/v1/channels",
    {
      config: read,
      schema: {
        tags,
        operationId: "listChannels",
        summary: "All channels, by name",
        response: { 200: PageOf(ChannelShape) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listChannels) }),
  );

  app.post(
    "/api/v1/channels",
    {
      config: write,
      schema: {
        tags,
        operationId: "addChannel",
        summary: "Add a channel",
        body: ChannelBody,
        response: { 201: ChannelShape },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId } = principal;
      const { name, kind, address, secret = "", enabled = true, ...settings } = request.body;
      await check(principal, { kind, address, secret, settings }, settings.allowPrivate === true);
      const made = await store.tenant(tenantId, async (db) => {
        const id = await addChannel(db, { name, kind, address: shown(address), settings });
        if (id === undefined) throw taken(name);
        const sealed = secrets.seal(tenantId, channelPurpose(id), JSON.stringify({ address, secret }));
        await changeChannel(db, id, { secret: sealed, enabled });
        await audit(db, request, "channel.add", `channel/${id}`, { name, kind, address: shown(address) });
        return found(db, id);
      });
      return reply.status(201).send(made);
    },
  );

  app.patch(
    "/api/v1/channels/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "changeChannel",
        summary: "Change a channel; another address needs the secret again",
        params: IdParams,
        body: ChannelChangeBody,
        response: { 200: ChannelShape },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { tenantId } = principal;
      const { id } = request.params;
      const { name, address, secret, enabled, ...settings } = request.body;
      const { before, opened } = await store.tenant(tenantId, async (db) => ({
        before: await found(db, id),
        opened: await openChannel(db, secrets, tenantId, id),
      }));
      const merged: ChannelSettings = { ...before.settings, ...settings };
      // Secrets belong to the address that they were given for: they do not follow to another one.
      const isMoved = address !== undefined && address !== opened.address;
      const next = { address: address ?? opened.address, secret: secret ?? (isMoved ? "" : opened.secret) };
      const widens = merged.allowPrivate === true && (isMoved || settings.allowPrivate === true);
      await check(principal, { kind: before.kind, ...next, settings: merged }, widens);
      return store.tenant(tenantId, async (db) => {
        const other = (await listChannels(db)).find((channel) => channel.name === name);
        if (name !== undefined && other !== undefined && other.id !== id) throw taken(name);
        await changeChannel(db, id, {
          settings: merged,
          address: shown(next.address),
          secret: secrets.seal(tenantId, channelPurpose(id), JSON.stringify(next)),
          ...(name === undefined ? {} : { name }),
          ...(enabled === undefined ? {} : { enabled }),
        });
        await audit(db, request, "channel.change", `channel/${id}`, { fields: Object.keys(request.body).join(" ") });
        return found(db, id);
      });
    },
  );

  app.delete(
    "/api/v1/channels/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "deleteChannel",
        summary: "Delete a channel and what waits for it",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const { name } = await found(db, id);
        await removeChannel(db, id);
        await audit(db, request, "channel.delete", `channel/${id}`, { name });
      });
      return reply.status(204).send(null);
    },
  );

  app.post(
    "/api/v1/channels/:id/test",
    {
      config: write,
      schema: {
        tags,
        operationId: "testChannel",
        summary: "Send a test message now, whatever the digest and the quiet hours",
        params: IdParams,
        response: { 200: TestResult },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const now = deps.clock();
      const due = await store.tenant(tenantId, async (db) => {
        const channel = await found(db, request.params.id);
        const content = testContent(channel);
        const { language = "en" }: ChannelSettings = channel.settings;
        const subject = subjectOf(content, language);
        const leased = new Date(now.getTime() + LEASE_MS);
        const id = await addDelivery(db, {
          channelId: channel.id,
          recipient: "",
          subject,
          content,
          now,
          dueAt: leased,
        });
        const taken = await takeDelivery(db, id, leased);
        await audit(db, request, "channel.test", `channel/${channel.id}`, { name: channel.name });
        return taken;
      });
      if (due === undefined) throw notFound("channel", request.params.id);
      const receipt = await attempt({ ...deps, log: request.log, triesOnce: true }, tenantId, due);
      return { ok: receipt.ok, problem: receipt.ok ? "" : receipt.problem, delivery: due.id };
    },
  );
};

function testContent({ name }: StoredChannel): Content {
  return { sections: [{ event: "test", total: 1, severities: {}, items: [{ channel: name }] }] };
}

async function found(db: TenantQueries, id: number): Promise<StoredChannel> {
  const channel = await getChannel(db, id);
  if (channel === undefined) throw notFound("channel", id);
  return channel;
}

/** The address for everybody to see: chat services put what is secret into the path and the query. */
function shown(address: string): string {
  const url = new URL(address);
  const isMail = url.protocol.startsWith("smtp");
  const isBare = url.pathname.length <= 1 && url.search === "";
  return `${url.protocol}//${url.host}${isMail || isBare ? "" : "/…"}`;
}

/** @param widens whether the change lets the channel into private networks */
async function check(
  { scopes }: Principal,
  channel: {
    readonly kind: string;
    readonly address: string;
    readonly secret: string;
    readonly settings: ChannelSettings;
  },
  widens: boolean,
): Promise<void> {
  const { kind, address, secret, settings } = channel;
  const url = URL.parse(address);
  const next = "see the documentation of notifications";
  const hasParts = url?.username === "" && url.password === "" && url.host !== "";
  if (url === null || !hasParts) throw new ServerError("INVALID_REQUEST", "the address is no URL without a user", next);
  const problem = channelOf(kind).check(url, settings, secret) ?? clockProblem(settings);
  if (problem !== undefined) throw new ServerError("INVALID_REQUEST", problem, next);
  if (widens && !scopes.has("admin:write")) {
    throw new ServerError("FORBIDDEN", "private networks are opened by administrators alone", "ask an administrator");
  }
  const outbound = createOutbound({ allowPrivate: settings.allowPrivate === true });
  try {
    await outbound.check(url.protocol.startsWith("http") ? url : `https://${url.host}`);
  } finally {
    outbound.close();
  }
}

function clockProblem({ timeZone, quietFrom, quietTo }: ChannelSettings): string | undefined {
  if (timeZone !== undefined && !isTimeZone(timeZone)) return `there is no time zone ${timeZone}`;
  return (quietFrom === undefined) === (quietTo === undefined) ? undefined : "quiet hours have a beginning and an end";
}

function taken(name: string): ServerError {
  return new ServerError("CONFLICT", `there is a channel "${name}" already`, "choose another name");
}

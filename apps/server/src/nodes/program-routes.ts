import { createHash } from "node:crypto";
import { addSensorProgram, listSensorPrograms, removeSensorProgram } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound } from "../errors.ts";
import { openAuthority } from "../gateway/authority.ts";
import { IdParams } from "../id.ts";
import { List } from "../list.ts";
import type { Routes } from "../routes.ts";
import { platformOfProgram } from "./read-program.ts";

/** A program of 64 MiB in Base64, and the braces around it. */
const MAX_BODY_BYTES = 90 * 1024 * 1024;
const MAX_CONTENT_CHARACTERS = MAX_BODY_BYTES - 1_024;

/** The least that has a platform. */
const SAMPLE = Buffer.concat([Buffer.from("7f454c46020101", "hex"), Buffer.alloc(57)])
  .fill(0x3e, 18, 19)
  .toString("base64");

export const VERSION = "^[0-9A-Za-z.+-]{1,64}$";
const Text = Type.String();

const ProgramShape = Type.Object({
  id: Type.Integer(),
  version: Text,
  platform: Text,
  sha256: Text,
  sizeBytes: Type.Integer(),
  addedBy: Text,
  addedAt: Text,
});

/** Programs of the sensor that nodes can be upgraded to. */
export const sensorProgramRoutes: Routes = async (app, { deps }) => {
  const { store, secrets, clock } = deps;
  const tags = ["nodes"];

  app.get(
    "/api/v1/sensor-programs",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "listSensorPrograms",
        summary: "Programs that sensors can be upgraded to, the newest first",
        response: { 200: Type.Object({ items: List(ProgramShape) }) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listSensorPrograms) }),
  );

  app.post(
    "/api/v1/sensor-programs",
    {
      config: { scope: "admin:write" },
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        tags,
        operationId: "addSensorProgram",
        summary: "Give a program of the sensor; it is signed for this installation's nodes",
        body: Type.Object(
          {
            version: Type.String({ pattern: VERSION }),
            content: Type.String({
              maxLength: MAX_CONTENT_CHARACTERS,
              description: "the file, in Base64",
              examples: [SAMPLE],
            }),
          },
          { additionalProperties: false },
        ),
        response: { 201: ProgramShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name: addedBy } = principalOf(request);
      const { version } = request.body;
      const content = Buffer.from(request.body.content, "base64");
      const platform = platformOfProgram(content);
      const digest = createHash("sha256").update(content).digest();
      const signature = (await openAuthority(store, secrets, clock())).signProgram(digest);
      const sha256 = digest.toString("hex");
      const made = await store.tenant(tenantId, async (db) => {
        const given = { version, platform, sha256, signature, content, addedBy, now: clock() };
        const program = await addSensorProgram(db, given);
        await audit(db, request, "sensor-program.add", `sensor-program/${program.id}`, { version, platform, sha256 });
        return program;
      });
      return reply.status(201).send(made);
    },
  );

  app.delete(
    "/api/v1/sensor-programs/:id",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "removeSensorProgram",
        summary: "Offer a program no more; nodes that run it go on",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const removed = await removeSensorProgram(db, id);
        if (removed === undefined) throw notFound("sensor program", id);
        await audit(db, request, "sensor-program.remove", `sensor-program/${id}`, removed);
      });
      return reply.status(204).send(null);
    },
  );
};

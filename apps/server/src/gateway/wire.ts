import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import type {
  Downstream,
  EnrollRequest,
  EnrollResponse,
  EventBatch,
  EventTypeValues,
  Order,
  Policy,
  RenewRequest,
  Upstream,
} from "./gen/wire-types.ts";

/** The contract between sensor and gateway. */
export const PROTO_FILE = fileURLToPath(new URL("../../../../proto/bulwark/sensor/v1/sensor.proto", import.meta.url));

/**
 * All numbers of the contract fit 53 bits: without its helper for longer ones the library reads them as plain numbers,
 * which is what makes three million events per second and core possible.
 */
protobuf.util.Long = undefined as unknown as typeof protobuf.util.Long;
protobuf.configure();

const root = protobuf.loadSync(PROTO_FILE);
root.resolveAll();

/** One kind of message: bytes in, object out, and back. Fields that were not sent read as zero, empty or null. */
export interface Codec<Message> {
  /** @throws when the bytes are not of this message */
  decode(bytes: Uint8Array): Message;
  encode(message: DeepPartial<Message>): Buffer;
}

/** What is left out is not sent. */
export type DeepPartial<Value> = Value extends Uint8Array
  ? Value
  : Value extends readonly (infer Item)[]
    ? readonly DeepPartial<Item>[]
    : Value extends object
      ? { readonly [Key in keyof Value]?: DeepPartial<Value[Key]> }
      : Value;

function codec<Message>(name: string): Codec<Message> {
  const type = root.lookupType(`bulwark.sensor.v1.${name}`);
  return {
    decode: (bytes) => type.decode(bytes) as unknown as Message,
    encode: (message) => Buffer.from(type.encode(message as Record<string, unknown>).finish()),
  };
}

export const upstream = codec<Upstream>("Upstream");
export const downstream = codec<Downstream>("Downstream");
export const enrollRequest = codec<EnrollRequest>("EnrollRequest");
export const enrollResponse = codec<EnrollResponse>("EnrollResponse");
export const renewRequest = codec<RenewRequest>("RenewRequest");
export const eventBatch = codec<EventBatch>("EventBatch");
export const order = codec<Order>("Order");
export const policy = codec<Policy>("Policy");

/** Number of each event type, by its name in upper case. */
export const EVENT_TYPES = root.lookupEnum("bulwark.sensor.v1.EventType").values as unknown as EventTypeValues;

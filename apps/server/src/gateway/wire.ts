import { fileURLToPath } from "node:url";
import { loadContract } from "./contract.ts";
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

const { root, codec } = loadContract(PROTO_FILE, "bulwark.sensor.v1");

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

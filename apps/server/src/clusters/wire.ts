import { fileURLToPath } from "node:url";
import { loadContract, method } from "../gateway/contract.ts";
import type { EnrollRequest, EnrollResponse, FromCluster, RenewRequest, ToCluster } from "./gen/wire-types.ts";

/** The contract between a cluster's agents and the gateway. */
export const CLUSTER_PROTO_FILE = fileURLToPath(
  new URL("../../../../proto/bulwark/cluster/v1/cluster.proto", import.meta.url),
);

const PACKAGE = "bulwark.cluster.v1";
const { codec } = loadContract(CLUSTER_PROTO_FILE, PACKAGE);

const enrollRequest = codec<EnrollRequest>("EnrollRequest");
const enrollResponse = codec<EnrollResponse>("EnrollResponse");
const renewRequest = codec<RenewRequest>("RenewRequest");
const fromCluster = codec<FromCluster>("FromCluster");
const toCluster = codec<ToCluster>("ToCluster");

/** The services of the contract, for servers and clients. */
export const CLUSTER_SERVICE = {
  enrollment: { enroll: method(`${PACKAGE}.ClusterEnrollment/Enroll`, enrollRequest, enrollResponse, false) },
  gateway: {
    renew: method(`${PACKAGE}.ClusterGateway/Renew`, renewRequest, enrollResponse, false),
    connect: method(`${PACKAGE}.ClusterGateway/Connect`, fromCluster, toCluster, true),
  },
} as const;

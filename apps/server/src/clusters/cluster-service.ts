import { createHash } from "node:crypto";
import {
  announce,
  certifyCluster,
  enrolCluster,
  findCertifiedCluster,
  findClusterByToken,
  listenToEvents,
  settleCertificate,
} from "@bulwark/store";
import type { Server, ServerDuplexStream, ServerUnaryCall } from "@grpc/grpc-js";
import { auditSystem } from "../audit/audit.ts";
import type { Authority } from "../gateway/authority.ts";
import type { DeepPartial } from "../gateway/contract.ts";
import { GatewayError } from "../gateway/errors.ts";
import { serviceError, unary } from "../gateway/status.ts";
import { type ClusterDeps, type ClusterStream, type ConnectedCluster, serveCluster } from "./cluster-stream.ts";
import { gatherImages } from "./gather-images.ts";
import type { EnrollRequest, EnrollResponse, FromCluster, RenewRequest, ToCluster } from "./gen/wire-types.ts";
import { CLUSTER_SERVICE } from "./wire.ts";

const MAX_UID = 100;

export type ClusterServiceDeps = ClusterDeps & { readonly authority: Authority };

/** The clusters that are connected to this gateway. */
export interface ClusterService {
  /** Streams that are open. */
  readonly connected: number;
  close(): Promise<void>;
}

/** Serves clusters' agents beside sensors. */
export async function addClusterService(server: Server, deps: ClusterServiceDeps): Promise<ClusterService> {
  const streams = new Set<ClusterStream>();
  server.addService(CLUSTER_SERVICE.enrollment, {
    enroll: unary((call: ServerUnaryCall<EnrollRequest, DeepPartial<EnrollResponse>>) => enroll(deps, call.request)),
  });
  server.addService(CLUSTER_SERVICE.gateway, {
    renew: unary(async (call: ServerUnaryCall<RenewRequest, DeepPartial<EnrollResponse>>) =>
      renew(deps, await authenticate(deps, call), call.request),
    ),
    connect: (stream: ServerDuplexStream<FromCluster, DeepPartial<ToCluster>>) => {
      void authenticate(deps, stream).then(
        (cluster) => {
          const open = serveCluster(stream, cluster, deps, () => streams.delete(open));
          streams.add(open);
        },
        (error) => stream.emit("error", serviceError(error)),
      );
    },
  });
  const each = (of: (stream: ClusterStream) => boolean, work: (stream: ClusterStream) => Promise<void> | void) => {
    for (const stream of streams) {
      if (!of(stream)) continue;
      void Promise.resolve(work(stream)).catch((error) =>
        deps.log.warn({ err: error, cluster: stream.cluster.uid }, "an agent could not be told"),
      );
    }
  };
  const changes = gatherImages(deps, (tenantId, digests) =>
    each(
      ({ cluster }) => cluster.tenantId === tenantId,
      (stream) => stream.sendImagesChanged(digests),
    ),
  );
  const listener = await listenToEvents(
    deps.store,
    ({ tenantId, topic, id }) => {
      const ofTenant = ({ cluster }: ClusterStream) => cluster.tenantId === tenantId;
      // A cluster that was removed is told so when it comes back: its certificate counts no more.
      if (topic === "cluster-revocations")
        each(
          (stream) => ofTenant(stream) && stream.cluster.id === Number(id),
          (stream) => stream.end(),
        );
      if (topic === "admission") each(ofTenant, (stream) => stream.sendBundle());
      if (topic === "images") changes.add(tenantId, id);
      // What stands on a golden image is told by its layers: any image may.
      if (topic === "golden") changes.add(tenantId, "golden");
    },
    () => {
      each(
        () => true,
        (stream) => {
          stream.sendImagesChanged();
          return stream.sendBundle();
        },
      );
    },
  );
  return {
    get connected() {
      return streams.size;
    },
    async close() {
      await listener.close();
      changes.close();
      for (const stream of streams) stream.end();
    },
  };
}

async function enroll(deps: ClusterServiceDeps, request: EnrollRequest): Promise<DeepPartial<EnrollResponse>> {
  const now = deps.clock();
  const { kubernetesUid = "", version = "" } = request.cluster ?? {};
  if (kubernetesUid === "" || kubernetesUid.length > MAX_UID)
    throw new GatewayError("BAD_REQUEST", "a cluster is told apart by the uid of its namespace kube-system");
  const hash = createHash("sha256").update(request.token).digest("hex");
  const joining = request.token === "" ? "unknown" : await findClusterByToken(deps.store, { hash, kubernetesUid, now });
  if (joining === "unknown") {
    throw new GatewayError(
      "TOKEN_REFUSED",
      "the cluster's token is unknown, used up or expired",
      "make a new one in the console, or with bulwark cluster token",
    );
  }
  if (joining === "other cluster") {
    throw new GatewayError(
      "CLUSTER_MISMATCH",
      "the token is of another cluster, which joined before",
      "add this one as a cluster of its own",
    );
  }
  const { tenantId, id, uid, name } = joining;
  const { pem, serial } = await deps.authority.certifyNode(request.certificateRequest, { uid, tenantId }, now);
  await deps.store.tenant(tenantId, async (db) => {
    await enrolCluster(db, id, { kubernetesUid, version, serial, now });
    await auditSystem(db, now, tenantId, "cluster.join", `cluster/${id}`, { name, kubernetesUid });
    await announce(db, { topic: "clusters", id });
  });
  return { certificate: pem, authority: deps.authority.certificate, clusterId: uid };
}

async function renew(
  deps: ClusterServiceDeps,
  cluster: ConnectedCluster,
  request: RenewRequest,
): Promise<DeepPartial<EnrollResponse>> {
  const { pem, serial } = await deps.authority.certifyNode(request.certificateRequest, cluster, deps.clock());
  await deps.store.tenant(cluster.tenantId, (db) => certifyCluster(db, cluster.id, serial));
  return { certificate: pem, authority: deps.authority.certificate, clusterId: cluster.uid };
}

/** @throws GatewayError `CLUSTER_UNKNOWN` without a certificate that still counts */
async function authenticate(
  { authority, store, clock }: ClusterServiceDeps,
  call: Pick<ServerUnaryCall<unknown, unknown>, "getAuthContext">,
): Promise<ConnectedCluster> {
  const raw = call.getAuthContext().sslPeerCertificate?.raw;
  const named = raw === undefined ? undefined : authority.readNode(raw, clock());
  const cluster =
    named &&
    (await store.tenant(named.tenantId, async (db) => {
      const found = await findCertifiedCluster(db, named.uid, named.serial);
      if (found !== undefined) await settleCertificate(db, found.id, named.serial);
      return found;
    }));
  if (named !== undefined && cluster !== undefined) return { ...cluster, tenantId: named.tenantId };
  throw new GatewayError(
    "CLUSTER_UNKNOWN",
    "the cluster's certificate does not count (any more)",
    "let the cluster join again with a new token",
  );
}

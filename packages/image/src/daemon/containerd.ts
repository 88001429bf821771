import { type ContentSource, collect } from "../content-source.ts";
import { isDigest } from "../digest.ts";
import { imageError, isImageError, reasonOf, throwIfCancelled } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Descriptor } from "../manifest.ts";
import type { OpenOptions } from "../open-options.ts";
import type { OpenedImage } from "../opened-image.ts";
import { formatReference, parseReference } from "../reference.ts";
import { type ResolveOptions, resolveImage } from "../resolve.ts";
import { connectGrpc, GRPC_NOT_FOUND, type GrpcConnection, GrpcError } from "./grpc.ts";
import type { LocalImage } from "./local-images.ts";
import { bytesAt, decodeMessage, encodeMessage, numberAt, repeatedAt, textAt } from "./protobuf.ts";
import { daemonUnreachable, findSocket } from "./socket.ts";

const DEFAULT_SOCKETS = ["/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"];
/** ctr's own namespace, then that of the kubelet. */
const DEFAULT_NAMESPACES = ["default", "k8s.io"];
const NAMESPACE_NAME = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;

// Field numbers of containerd's api/services/images/v1/images.proto, api/types/descriptor.proto and
// api/services/content/v1/content.proto.
const GET_IMAGE = "containerd.services.images.v1.Images/Get";
const READ_CONTENT = "containerd.services.content.v1.Content/Read";
const LIST_IMAGES = "containerd.services.images.v1.Images/List";
const DELETE_IMAGE = "containerd.services.images.v1.Images/Delete";
/** api/services/containers/v1/containers.proto: 1 is the id, 3 the image's name. */
const LIST_CONTAINERS = "containerd.services.containers.v1.Containers/List";
const LIST_NAMESPACES = "containerd.services.namespaces.v1.Namespaces/List";

/**
 * Opens an image of containerd through its image and content stores. Nothing is unpacked: layers come as they were
 * pulled.
 *
 * @throws DAEMON_UNREACHABLE, IMAGE_NOT_FOUND, and what a layout throws
 */
export async function openContainerd(
  name: string,
  options: OpenOptions,
  resolve: ResolveOptions,
): Promise<OpenedImage> {
  const socket = findSocket("containerd", options.containerdSocket, DEFAULT_SOCKETS);
  const namespaces = options.containerdNamespace === undefined ? DEFAULT_NAMESPACES : [options.containerdNamespace];
  for (const namespace of namespaces) {
    if (!NAMESPACE_NAME.test(namespace))
      throw imageError("REFERENCE_INVALID", `no containerd namespace: ${JSON.stringify(namespace)}`);
  }
  const store: Store = { socket, connection: connectGrpc(socket, resolve.limits.idleTimeoutMs) };
  try {
    const { target, namespace } = await findImage(store, name, namespaces, resolve.signal);
    return await resolveImage(contentStore(store, namespace), target, resolve);
  } catch (error) {
    store.connection.close();
    throw error;
  }
}

/**
 * Lists the images that containerd keeps, in one namespace or in all.
 *
 * @throws DAEMON_UNREACHABLE, DAEMON_REFUSED, CANCELLED
 */
export async function listContainerd(options: OpenOptions, limits: Limits): Promise<readonly LocalImage[]> {
  const socket = findSocket("containerd", options.containerdSocket, DEFAULT_SOCKETS);
  const store: Store = { socket, connection: connectGrpc(socket, limits.idleTimeoutMs) };
  const { signal, containerdNamespace } = options;
  try {
    const namespaces = containerdNamespace === undefined ? await listNamespaces(store, signal) : [containerdNamespace];
    const found: LocalImage[] = [];
    for (const namespace of namespaces) {
      for (const image of await listed(store, LIST_IMAGES, { "containerd-namespace": namespace }, signal)) {
        const fields = decodeMessage(image);
        const digest = textAt(decodeMessage(bytesAt(fields, 3)), 2);
        if (isDigest(digest)) found.push({ source: "containerd", namespace, name: textAt(fields, 1), digest });
      }
    }
    return found;
  } finally {
    store.connection.close();
  }
}

/**
 * Removes a name of an image from containerd. It would remove the name of one that runs: who uses it is asked before.
 *
 * @throws DAEMON_UNREACHABLE, DAEMON_REFUSED, IMAGE_NOT_FOUND, CANCELLED
 */
export async function removeContainerd(
  { name, namespace }: Pick<LocalImage, "name" | "namespace">,
  options: OpenOptions,
  limits: Limits,
): Promise<void> {
  const socket = findSocket("containerd", options.containerdSocket, DEFAULT_SOCKETS);
  const store: Store = { socket, connection: connectGrpc(socket, limits.idleTimeoutMs) };
  const metadata = { "containerd-namespace": namespace };
  try {
    for (const container of await listed(store, LIST_CONTAINERS, metadata, options.signal)) {
      const fields = decodeMessage(container);
      if (textAt(fields, 3) !== name) continue;
      const why = `${name} is used by container ${textAt(fields, 1)}`;
      throw imageError("DAEMON_REFUSED", why, "remove the container first");
    }
    await drained(
      store,
      DELETE_IMAGE,
      encodeMessage([
        [1, name],
        [2, 1],
      ]),
      metadata,
      options.signal,
    );
  } finally {
    store.connection.close();
  }
}

async function drained(
  store: Store,
  method: string,
  request: Buffer,
  metadata: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    for await (const answer of store.connection.call(method, request, metadata, signal)) void answer;
  } catch (error) {
    if (error instanceof GrpcError && error.status === GRPC_NOT_FOUND) {
      throw imageError("IMAGE_NOT_FOUND", "containerd does not have the image any more", "", error);
    }
    throw explained(store, error, signal);
  }
}

async function listNamespaces(store: Store, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const found = await listed(store, LIST_NAMESPACES, {}, signal);
  return found.map((each) => textAt(decodeMessage(each), 1)).filter((name) => NAMESPACE_NAME.test(name));
}

/** The first repeated field of an answer: both lists are made like that. */
async function listed(
  store: Store,
  method: string,
  metadata: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<readonly Buffer[]> {
  try {
    for await (const answer of store.connection.call(method, encodeMessage([]), metadata, signal)) {
      return repeatedAt(answer, 1);
    }
    return [];
  } catch (error) {
    throw explained(store, error, signal);
  }
}

interface Store {
  readonly socket: string;
  readonly connection: GrpcConnection;
}

/** containerd keeps full names; short ones are completed as Docker does it. */
function namesOf(name: string): readonly string[] {
  try {
    return [...new Set([name, formatReference(parseReference(name))])];
  } catch (error) {
    if (isImageError(error)) return [name];
    throw error;
  }
}

async function findImage(
  store: Store,
  name: string,
  namespaces: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ target: Descriptor; namespace: string }> {
  for (const namespace of namespaces) {
    for (const candidate of namesOf(name)) {
      const target = await getImage(store, candidate, namespace, signal);
      if (target !== undefined) return { target, namespace };
    }
  }
  throw imageError(
    "IMAGE_NOT_FOUND",
    `containerd has no image ${name} in namespace ${namespaces.join(" or ")}`,
    "list the images with ctr --namespace NAME images ls",
  );
}

async function getImage(
  store: Store,
  name: string,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  try {
    for await (const answer of store.connection.call(
      GET_IMAGE,
      encodeMessage([[1, name]]),
      { "containerd-namespace": namespace },
      signal,
    )) {
      return readDescriptor(name, bytesAt(decodeMessage(bytesAt(decodeMessage(answer), 1)), 3));
    }
  } catch (error) {
    if (error instanceof GrpcError && error.status === GRPC_NOT_FOUND) return undefined;
    throw explained(store, error, signal);
  }
  return undefined;
}

function readDescriptor(name: string, bytes: Buffer): Descriptor {
  const fields = decodeMessage(bytes);
  const digest = textAt(fields, 2);
  if (!isDigest(digest)) throw imageError("MANIFEST_INVALID", `containerd gives no valid digest for ${name}`);
  return {
    mediaType: textAt(fields, 1),
    digest,
    size: numberAt(fields, 3),
    annotations: {},
    platform: undefined,
    hasUrls: false,
  };
}

function contentStore(store: Store, namespace: string): ContentSource {
  const blob = async function* (descriptor: Descriptor, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for await (const answer of store.connection.call(
        READ_CONTENT,
        encodeMessage([[1, descriptor.digest]]),
        { "containerd-namespace": namespace },
        signal,
      )) {
        yield bytesAt(decodeMessage(answer), 2);
      }
    } catch (error) {
      if (error instanceof GrpcError && error.status === GRPC_NOT_FOUND) throw missing(descriptor);
      throw explained(store, error, signal);
    }
  };
  return {
    manifest: (descriptor, limitBytes, signal) => collect(descriptor.digest, blob(descriptor, signal), limitBytes),
    blob,
    close: async () => store.connection.close(),
  };
}

function missing(descriptor: Descriptor): Error {
  return imageError(
    "SOURCE_INVALID",
    `containerd no longer holds ${descriptor.digest} (${descriptor.mediaType})`,
    "pull the image again; with discard_unpacked_layers set, containerd throws layers away once they are unpacked: scan it from its registry",
  );
}

function explained(store: Store, error: unknown, signal: AbortSignal | undefined): unknown {
  throwIfCancelled(signal);
  if (isImageError(error)) return error;
  if (error instanceof GrpcError && error.status > 0) {
    return imageError("DAEMON_REFUSED", `containerd answers with status ${error.status}: ${error.message}`, "", error);
  }
  return daemonUnreachable("containerd", store.socket, reasonOf(error), error);
}

import type { Exposure } from "@bulwark/store";
import type { Container, Inventory } from "./gen/wire-types.ts";
import { isExposed } from "./listeners.ts";

/** Of one container; further ones add nothing to what it is. */
const MAX_PORTS = 200;
const MAX_PORT = 65_535;
/** Docker's program that takes connections for a container, one for each published port. */
const DOCKER_PROXY = "docker-proxy";
/** JSON lists of ports, as nerdctl and the kubelet write them, and how their members are called. */
interface PortLabel {
  readonly label: string;
  readonly how: Exposure["how"];
  readonly host: string;
  readonly own: string;
  readonly at: string;
  readonly by: string;
}

const PORT_LABELS: readonly PortLabel[] = [
  { label: "nerdctl/ports", how: "published", host: "HostPort", own: "ContainerPort", at: "HostIP", by: "Protocol" },
  {
    ...{ label: "io.kubernetes.container.ports", how: "host-port" },
    ...{ host: "hostPort", own: "containerPort", at: "hostIP", by: "protocol" },
  },
];

/** By which ports others than the node reach its containers, by their runtime ids, as far as an inventory tells. */
export function exposuresOf({ containers, processes, ports }: Inventory): ReadonlyMap<string, readonly Exposure[]> {
  const found = new Map<string, Exposure[]>();
  const add = (id: string, exposure: Exposure) => {
    const known = found.get(id) ?? [];
    const isKnown = known.some(({ port, protocol, address }) => {
      return port === exposure.port && protocol === exposure.protocol && address === exposure.address;
    });
    if (!isKnown && known.length < MAX_PORTS) found.set(id, [...known, exposure]);
  };
  for (const { protocol, address, port, container } of ports) {
    const owner = containers[container - 1];
    if (owner?.hostNetwork !== true || !isExposed(address)) continue;
    add(owner.id, { how: "host-network", address, port, containerPort: port, protocol });
  }
  const byAddress = new Map(containers.flatMap(({ id, addresses }) => addresses.map((each) => [each, id] as const)));
  for (const { name, arguments: words } of processes) {
    if (name !== DOCKER_PROXY) continue;
    const published = dockerProxyPort(words);
    const id = published && byAddress.get(published.to);
    if (published !== undefined && id !== undefined) add(id, published.exposure);
  }
  for (const container of containers) for (const exposure of labelledPorts(container)) add(container.id, exposure);
  return found;
}

/** What a proxy's words say: `-proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2 -container-port 80`. */
function dockerProxyPort(words: readonly string[]): { readonly to: string; readonly exposure: Exposure } | undefined {
  const after = (option: string) => words[words.indexOf(option) + 1] ?? "";
  const [port, containerPort] = [Number(after("-host-port")), Number(after("-container-port"))];
  const [address, protocol] = [after("-host-ip"), after("-proto")];
  if (!isPort(port) || !isPort(containerPort) || !isExposed(address)) return undefined;
  return { to: after("-container-ip"), exposure: { how: "published", address, port, containerPort, protocol } };
}

function labelledPorts({ labels }: Container): readonly Exposure[] {
  return PORT_LABELS.flatMap(({ label, how, host, own, at, by }) =>
    listOf(labels[label]).flatMap((entry) => {
      const address = String(entry[at] ?? "") || "0.0.0.0";
      const [port, containerPort] = [Number(entry[host]), Number(entry[own])];
      if (!isPort(port) || !isPort(containerPort) || !isExposed(address)) return [];
      return [{ how, address, port, containerPort, protocol: String(entry[by] ?? "tcp").toLowerCase() }];
    }),
  );
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= MAX_PORT;
}

/** Labels hold what whoever started the container wrote. */
function listOf(text: string | undefined): readonly Readonly<Record<string, unknown>>[] {
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null) : [];
  } catch {
    return [];
  }
}

import { expect, test } from "vitest";
import type { DeepPartial } from "./contract.ts";
import { exposuresOf } from "./exposures.ts";
import type { Inventory } from "./gen/wire-types.ts";
import { upstream } from "./wire.ts";

/** As it comes from a sensor. */
function told(inventory: DeepPartial<Inventory>): Inventory {
  return upstream.decode(upstream.encode({ inventory })).inventory!;
}

const port = (address: string, number: number, container: number) => {
  return { protocol: "tcp", address, port: number, container };
};

test("a container in the node's network is exposed by what listens for others, and by nothing else", () => {
  const containers = [{ id: "host", hostNetwork: true }, { id: "own" }];
  const ports = [port("0.0.0.0", 80, 1), port("127.0.0.1", 81, 1), port("0.0.0.0", 82, 2), port("::", 83, 0)];
  expect([...exposuresOf(told({ containers, ports }))]).toEqual([
    ["host", [{ how: "host-network", address: "0.0.0.0", port: 80, containerPort: 80, protocol: "tcp" }]],
  ]);
});

test("a published port is known by Docker's proxy, whoever it is for by its address", () => {
  const proxy = (at: string, to: string) => {
    const words = `docker-proxy -proto tcp -host-ip ${at} -host-port 8080 -container-ip ${to} -container-port 80`;
    return { name: "docker-proxy", arguments: words.split(" ") };
  };
  const containers = [{ id: "web", addresses: ["172.17.0.2"] }];
  const published = { how: "published", address: "0.0.0.0", port: 8_080, containerPort: 80, protocol: "tcp" };
  const processes = [proxy("0.0.0.0", "172.17.0.2"), proxy("0.0.0.0", "172.17.0.9"), proxy("127.0.0.1", "172.17.0.2")];
  expect([...exposuresOf(told({ containers, processes }))]).toEqual([["web", [published]]]);
  const broken = { name: "docker-proxy", arguments: ["docker-proxy", "-host-port"] };
  expect(exposuresOf(told({ containers, processes: [broken] })).size).toBe(0);
});

test("ports that nerdctl and the kubelet wrote into labels count; a container port alone does not", () => {
  const containers = [
    {
      id: "n",
      labels: { "nerdctl/ports": '[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":"0.0.0.0"}]' },
    },
    { id: "p", labels: { "io.kubernetes.container.ports": '[{"hostPort":53,"containerPort":53,"protocol":"UDP"}]' } },
    { id: "q", labels: { "io.kubernetes.container.ports": '[{"containerPort":53,"protocol":"UDP"}]' } },
  ];
  const found = exposuresOf(told({ containers }));
  expect([...found.keys()]).toEqual(["n", "p"]);
  expect(found.get("p")).toEqual([
    { how: "host-port", address: "0.0.0.0", port: 53, containerPort: 53, protocol: "udp" },
  ]);
});

test.each([
  "",
  "{",
  "7",
  '{"HostPort":1}',
  '[null,7,"x",[]]',
  '[{"HostPort":-1}]',
  '[{"HostPort":70000,"ContainerPort":1}]',
])("a label that holds %j exposes nothing", (text) => {
  expect(exposuresOf(told({ containers: [{ id: "n", labels: { "nerdctl/ports": text } }] })).size).toBe(0);
});

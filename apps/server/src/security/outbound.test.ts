import { createServer, get, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { classOfAddress } from "./address-class.ts";
import { createOutbound } from "./outbound.ts";

let server: Server;
let port: number;
let requests = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    requests++;
    if (request.url === "/redirect") return response.writeHead(302, { location: "http://169.254.169.254/" }).end();
    if (request.url === "/huge") return response.end(Buffer.alloc(2 * 1024 * 1024));
    if (request.url === "/none") return response.writeHead(204).end();
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => response.end(`${request.method} ${body}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

test.each([
  [
    "public",
    ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808"],
  ],
  ["public", ["::ffff:8.8.8.8", "2001:200::1"]],
  [
    "private",
    ["10.0.0.1", "127.0.0.1", "127.255.255.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"],
  ],
  [
    "private",
    ["::1", "fc00::1", "fdff::1", "::ffff:10.1.2.3", "::ffff:7f00:1", "0:0:0:0:0:ffff:c0a8:1", "64:ff9b::a00:1"],
  ],
  [
    "forbidden",
    ["0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
  ],
  [
    "forbidden",
    ["::", "fe80::1", "fe80::1%eth0", "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"],
  ],
  [
    "forbidden",
    [
      "2002:7f00:1::",
      "2001:0:1::1",
      "64:ff9b:1::1",
      "::7f00:1",
      "::127.0.0.1",
      "fec0::1",
      "::ffff:0.0.0.0",
      "nonsense",
      "",
    ],
  ],
])("%s addresses are known as such", (expected, addresses) => {
  expect(addresses.map((address) => [address, classOfAddress(address)])).toEqual(
    addresses.map((address) => [address, expected]),
  );
});

const HOSTILE_HOSTS = [
  "127.0.0.1",
  "localhost",
  "LOCALHOST",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "0x7f.1",
  "2130706433",
  "0177.0.0.1",
  "127.1",
  "０.0.0.0",
  "①②⑦.0.0.1",
];

test.each(HOSTILE_HOSTS)("%s is neither stored nor connected to", async (host) => {
  const before = requests;
  const outbound = createOutbound();
  const url = `http://${host}:${port}/`;
  await expect(outbound.check(url)).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
  await expect(outbound.fetch(url)).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
  await expect(
    new Promise((resolve, reject) => get(url, { agent: outbound.agents.http }, resolve).on("error", reject)),
  ).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
  expect(requests).toBe(before);
});

test("TLS connections are checked in the same way", async () => {
  const outbound = createOutbound();
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    await expect(outbound.fetch(`https://${host}:${port}/`)).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
  }
});

test("a target that is allowed private networks is reached there, and metadata services are not", async () => {
  const outbound = createOutbound({ allowPrivate: true });
  const answer = await outbound.fetch(`http://localhost:${port}/`, { method: "POST", body: "hello" });
  expect([answer.status, await answer.text()]).toEqual([200, "POST hello"]);
  for (const host of ["169.254.169.254", "[fd00:ec2::254]", "0.0.0.0", "[::ffff:169.254.169.254]"]) {
    await expect(outbound.check(`http://${host}/`)).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
    await expect(outbound.fetch(`http://${host}/`)).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
  }
  outbound.close();
});

test("a redirect is handed back and not followed", async () => {
  const answer = await createOutbound({ allowPrivate: true }).fetch(`http://127.0.0.1:${port}/redirect`);
  expect([answer.status, answer.headers.get("location")]).toEqual([302, "http://169.254.169.254/"]);
});

test("an answer without content, one without end and a closed port are each told", async () => {
  const outbound = createOutbound({ allowPrivate: true });
  expect((await outbound.fetch(`http://127.0.0.1:${port}/none`)).status).toBe(204);
  await expect(outbound.fetch(`http://127.0.0.1:${port}/huge`)).rejects.toMatchObject({ code: "UPSTREAM_FAILED" });
  await expect(outbound.fetch("http://127.0.0.1:1/")).rejects.toMatchObject({ code: "UPSTREAM_FAILED" });
});

test.each(["file:///etc/passwd", "gopher://1.1.1.1/", "no url", "http://user:secret@1.1.1.1/", "javascript:1"])(
  "%s is no address to call",
  async (url) => {
    const error = await createOutbound()
      .check(url)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "INVALID_REQUEST" });
    expect(String(error)).not.toContain("secret");
  },
);

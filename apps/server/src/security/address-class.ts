import { BlockList, isIP } from "node:net";

/**
 * What an address leads to: `public` for the internet, `private` for this machine and its networks, `forbidden` for what no
 * service that we call lives at: link-local addresses, the metadata services of clouds, multicast, reserved ranges.
 */
export type AddressClass = "public" | "private" | "forbidden";

/** IANA IPv4 and IPv6 Special-Purpose Address Registries. */
const PRIVATE = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "::1/128",
  "fc00::/7",
];
const FORBIDDEN = [
  "0.0.0.0/8",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // Teredo, ORCHID, documentation, and 6to4, which carries an IPv4 address past the checks of that family.
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
  // Metadata services that sit among other addresses: Alibaba Cloud, Azure, and AWS over IPv6.
  "100.100.100.200/32",
  "168.63.129.16/32",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
];
/** The only range that is handed out for global use (RFC 4291, section 2.4). */
const GLOBAL_UNICAST = ["2000::/3"];
/** Whose last 32 bits are an IPv4 address: RFC 4291, section 2.5.5.2, and RFC 6052, section 2.1. */
const EMBEDS_IPV4 = ["::ffff:0:0/96", "64:ff9b::/96"];

const privates = blocks(PRIVATE);
const forbidden = blocks(FORBIDDEN);
const globals = blocks(GLOBAL_UNICAST);
const embedding = blocks(EMBEDS_IPV4);

/**
 * @param address an IPv4 or IPv6 address, a zone allowed; anything else is `forbidden`
 * @example classOfAddress("::ffff:10.0.0.1") === "private"
 */
export function classOfAddress(address: string): AddressClass {
  const [bare = ""] = address.split("%");
  const family = isIP(bare);
  if (family === 4) return classOfIpv4(bare);
  if (family !== 6) return "forbidden";
  if (embedding.check(bare, "ipv6")) return classOfIpv4(lastIpv4(bare));
  if (forbidden.check(bare, "ipv6")) return "forbidden";
  if (privates.check(bare, "ipv6")) return "private";
  return globals.check(bare, "ipv6") ? "public" : "forbidden";
}

function classOfIpv4(address: string): AddressClass {
  if (forbidden.check(address, "ipv4")) return "forbidden";
  return privates.check(address, "ipv4") ? "private" : "public";
}

/** The IPv4 address in the last 32 bits. A URL writes an address in its one canonical form (WHATWG URL, "IPv6 serializer"). */
function lastIpv4(address: string): string {
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(":");
  const [high = 0, low = 0] = groups.slice(-2).map((group) => Number.parseInt(group === "" ? "0" : group, 16));
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

function blocks(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", bits] = range.split("/");
    list.addSubnet(network, Number(bits), isIP(network) === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

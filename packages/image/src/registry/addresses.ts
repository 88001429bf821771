import { lookup as resolveName } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { imageError } from "../errors.ts";

/**
 * Addresses that a registry elsewhere has no business sending us to: this machine, and the metadata services of
 * clouds, which hand out credentials to whoever asks from inside. Private networks are not among them, since a
 * company's registry may well keep its blobs there.
 */
const internal = new BlockList();
internal.addSubnet("0.0.0.0", 8, "ipv4");
internal.addSubnet("127.0.0.0", 8, "ipv4");
internal.addSubnet("169.254.0.0", 16, "ipv4");
internal.addAddress("100.100.100.200", "ipv4");
internal.addAddress("::", "ipv6");
internal.addAddress("::1", "ipv6");
internal.addSubnet("fe80::", 10, "ipv6");
internal.addAddress("fd00:ec2::254", "ipv6");

/** True for an address of this machine or of a cloud's metadata service. */
function isInternalAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && internal.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** The host of a URL without the brackets of IPv6. */
function bare(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/** True for host names of URLs that mean this machine or a metadata service without asking DNS. */
export function isInternalHost(hostname: string): boolean {
  const host = bare(hostname).toLowerCase();
  return host === "localhost" || host.endsWith(".localhost") || isInternalAddress(host);
}

/** The error for an address that a registry sent us to and that is not visited. */
export function internalAddress(host: string): Error {
  return imageError(
    "REGISTRY_REFUSED",
    `the registry leads to ${host}, an address of this machine or of its cloud's metadata service`,
  );
}

/** Resolves a name like dns.lookup, and refuses it when it leads to an internal address. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    if (addresses.some(({ address }) => isInternalAddress(address))) return callback(internalAddress(hostname), []);
    if (options.all === true) return callback(null, addresses);
    callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};

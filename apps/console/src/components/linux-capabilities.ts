import { LINUX_CAPABILITIES } from "@bulwark/model";

/** How many there are. */
export const CAPABILITY_COUNT = LINUX_CAPABILITIES.length;

/** With one of these a process can leave its container, or nearly so. */
const STRONG: ReadonlySet<string> = new Set([
  "CAP_SYS_ADMIN",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_PTRACE",
  "CAP_DAC_READ_SEARCH",
  "CAP_MAC_ADMIN",
  "CAP_BPF",
  "CAP_NET_ADMIN",
  "CAP_SYS_BOOT",
]);

/**
 * Names of a set of capabilities, the strong ones first.
 *
 * @param set a number of up to 53 bits: shifts of JavaScript would cut it to 32
 * @example capabilityNames(2 ** 21 + 1) // [{ name: "CAP_SYS_ADMIN", strong: true }, { name: "CAP_CHOWN", strong: false }]
 */
export function capabilityNames(set: number): readonly { readonly name: string; readonly strong: boolean }[] {
  const found = LINUX_CAPABILITIES.filter((_, bit) => Math.floor(set / 2 ** bit) % 2 === 1).map((name) => ({
    name,
    strong: STRONG.has(name),
  }));
  return found.toSorted((a, b) => Number(b.strong) - Number(a.strong));
}

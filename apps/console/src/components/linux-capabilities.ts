/** Bits of a capability set in their order (capabilities(7), include/uapi/linux/capability.h). */
const NAMES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
] as const;

/** How many there are. */
export const CAPABILITY_COUNT = NAMES.length;

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
  const found = NAMES.filter((_, bit) => Math.floor(set / 2 ** bit) % 2 === 1).map((name) => ({
    name,
    strong: STRONG.has(name),
  }));
  return found.toSorted((a, b) => Number(b.strong) - Number(a.strong));
}

/** Directories of a node of which every part runs, or is believed, on the node: its programs, settings, credentials, devices and runtimes. */
export const NODE_PLACES: readonly string[] = [
  ...["/etc", "/root", "/boot", "/dev", "/proc", "/sys", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt/cni"],
  ...["/var/lib/kubelet", "/var/lib/docker", "/var/lib/containerd", "/var/lib/etcd", "/run/containerd"],
  ...["/var/run/containerd", "/var/spool/cron"],
];

/** Directories of a node that hold such ones: dangerous as a whole, and not each thing in them. */
export const NODE_PLACES_AS_WHOLE: readonly string[] = [
  ...["/", "/home", "/opt", "/run", "/var", "/var/run", "/var/lib", "/run/docker", "/run/crio"],
];

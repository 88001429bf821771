/** Fields of Falco that no event of ours fills, by name or by prefix ending in a dot, and why. */
const UNSUPPORTED: readonly (readonly [names: string, why: string])[] = [
  ["proc.env proc.aenv", "environment variables hold secrets and are not captured"],
  ["evt.buffer evt.buflen evt.is_syslog", "the content of reads and writes is not captured"],
  [
    "evt.latency evt.latency.s evt.latency.ns evt.latency.human evt.deltatime evt.deltatime.s evt.deltatime.ns evt.wait_latency evt.is_wait evt.io_dir evt.around evt.cpu evt.reltime evt.reltime.s evt.reltime.ns",
    "events are told once, when the call is done",
  ],
  [
    "evt.count.error.file evt.count.error.net evt.count.error.memory evt.count.error.other",
    "it belongs to Falco's chisels",
  ],
  ["evt.count.exit evt.type.is evt.asynctype evt.pluginname evt.plugininfo", "it belongs to Falco's own engine"],
  ["evt.type.is.", "it belongs to Falco's own engine; evt.type says the same"],
  ["evt.hostname", "the node's name is part of the alert"],
  [
    "proc.duration proc.ppid.duration proc.pid.ts proc.ppid.ts proc.pidns_init_start_ts",
    "the start of a process is told in time since boot, which cannot be compared with the event's time",
  ],
  ["proc.exe_ino.", "times of the executable's inode are not captured"],
  ["proc.loginshellid", "it belongs to Falco's chisels; proc.sid says the same"],
  [
    "proc.is_container_healthcheck proc.is_container_liveness_probe proc.is_container_readiness_probe container.healthcheck container.liveness_probe container.readiness_probe",
    "probes of containers are not told by the runtime",
  ],
  [
    "proc.fdopencount proc.fdlimit proc.fdusage proc.vmsize proc.vmrss proc.vmswap proc.nthreads proc.nchilds thread.pfmajor thread.pfminor thread.exectime thread.totexectime thread.cpu thread.cpu.user thread.cpu.system thread.vmsize thread.vmrss thread.nametid",
    "use of resources is not captured",
  ],
  ["thread.cap_permitted thread.cap_inheritable", "only effective capabilities are captured: thread.cap_effective"],
  ["thread.cgroups thread.cgroup", "the container is told instead of the cgroup"],
  ["thread.cgroup.", "the container is told instead of the cgroup"],
  ["user.homedir user.shell user.loginname group.name", "only a user's id and name are captured"],
  ["container.cni.json container.mount.propagation k8s.pod.cni.json", "the runtime's record is not kept whole"],
  ["k8s.pod.sandbox_id k8s.pod.full_sandbox_id", "the pod's uid is told instead of its sandbox"],
  [
    "k8s.rc. k8s.rs. k8s.svc. k8s.deployment. k8s.pod.restarts k8s.ns.id k8s.ns.label k8s.ns.labels",
    "owners of pods are joined to the alert by the server",
  ],
  ["fd.lip.name", "nobody asks for the container's own address; fd.rip.name has a name"],
  ["fd.proto fd.cproto fd.sproto fd.lproto fd.rproto", "services are compared by their ports"],
  ["fdlist. syslog. span. evtin. tracer. mesos.", "it belongs to events that are not captured"],
  ["ka. jevt.", "it belongs to the API server's events: rules with `source: k8s_audit`"],
  ["json. aws. ct. github. okta. gcp.", "it belongs to a plugin's events"],
];

const NAMES = new Map<string, string>();
const PREFIXES: (readonly [string, string])[] = [];
for (const [names, why] of UNSUPPORTED) {
  for (const name of names.split(" ")) {
    if (name.endsWith(".")) PREFIXES.push([name, why]);
    else NAMES.set(name, why);
  }
}

/** Why no event fills a field of Falco; undefined when Falco has no such field either, or when ours do. */
export function whyUnsupported(name: string): string | undefined {
  return NAMES.get(name) ?? PREFIXES.find(([prefix]) => name.startsWith(prefix))?.[1];
}

/** The whole list, for the documentation. */
export const UNSUPPORTED_FIELDS: readonly (readonly [name: string, why: string])[] = [
  ...NAMES,
  ...PREFIXES.map(([prefix, why]) => [`${prefix}*`, why] as const),
];

//! A container as its OCI runtime configuration (config.json of the bundle) describes it.
use serde_json::Value;
use std::collections::HashMap;
use std::fs;

use super::locate::read_json;
use crate::wire::{Container, Mount};

/// capabilities(7), in the order of their numbers.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];
/// With all of these a container is as good as the host.
const PRIVILEGED: [&str; 6] = ["SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "SYS_PTRACE", "DAC_READ_SEARCH", "NET_ADMIN"];

fn bit(name: &str) -> u64 {
    let name = name.strip_prefix("CAP_").unwrap_or(name);
    CAPABILITIES.iter().position(|known| *known == name).map_or(0, |number| 1 << number)
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from).collect()
}

/// What the bundle's configuration says; empty fields where it is gone already.
pub fn read_bundle(bundle: &str) -> Container {
    read_json(&format!("{bundle}/config.json")).map_or_else(Container::default, |value| describe(&value))
}

/// Reads config.json (OCI runtime specification, Configuration).
pub fn describe(config: &Value) -> Container {
    let process = &config["process"];
    let linux = &config["linux"];
    let effective = strings(&process["capabilities"]["effective"]);
    let bounding = strings(&process["capabilities"]["bounding"]);
    let capabilities = effective.iter().chain(&bounding).fold(0, |bits, name| bits | bit(name));
    let seccomp = linux["seccomp"].is_object();
    let masked = linux["maskedPaths"].as_array().is_some_and(|paths| !paths.is_empty());
    let everything = PRIVILEGED.iter().fold(0, |bits, name| bits | bit(name));
    let annotations: HashMap<String, String> = config["annotations"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_string())))
        .collect();
    let note = |keys: &[&str]| keys.iter().find_map(|key| annotations.get(*key).cloned()).unwrap_or_default();
    let user = &process["user"];
    let mut container = Container {
        name: note(&["io.kubernetes.cri-o.Name", "org.opencontainers.container.name"]),
        image: note(&["io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName", "org.opencontainers.image.ref.name"]),
        pod: note(&["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"]),
        pod_uid: note(&["io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"]),
        namespace: note(&["io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"]),
        kubernetes_container: note(&["io.kubernetes.cri.container-name", "io.kubernetes.container.name"]),
        privileged: capabilities & everything == everything && !seccomp && !masked,
        capabilities,
        seccomp,
        mounts: config["mounts"].as_array().into_iter().flatten().map(mount).collect(),
        host_network: shares(linux, "network", "net"),
        host_pid: shares(linux, "pid", "pid"),
        host_ipc: shares(linux, "ipc", "ipc"),
        read_only_root: config["root"]["readonly"].as_bool().unwrap_or(false),
        user: format!("{}:{}", user["uid"].as_u64().unwrap_or(0), user["gid"].as_u64().unwrap_or(0)),
        arguments: strings(&process["args"]),
        ..Container::default()
    };
    container.labels = annotations;
    container
}

fn mount(value: &Value) -> Mount {
    let options = strings(&value["options"]);
    let kind = value["type"].as_str().unwrap_or_default();
    let bound = options.iter().any(|option| option == "bind" || option == "rbind");
    Mount {
        source: value["source"].as_str().unwrap_or_default().into(),
        destination: value["destination"].as_str().unwrap_or_default().into(),
        r#type: if bound { "bind".into() } else { kind.into() },
        writable: !options.iter().any(|option| option == "ro" || option == "rro"),
    }
}

/// Whether the container is in the host's namespace: it names none of its own, or the host's.
fn shares(linux: &Value, kind: &str, file: &str) -> bool {
    let spaces = linux["namespaces"].as_array();
    let Some(space) = spaces.into_iter().flatten().find(|space| space["type"] == kind) else { return true };
    let Some(path) = space["path"].as_str().filter(|path| !path.is_empty()) else { return false };
    match (fs::metadata(path), fs::metadata(format!("/proc/1/ns/{file}"))) {
        (Ok(theirs), Ok(hosts)) => {
            use std::os::unix::fs::MetadataExt;
            theirs.ino() == hosts.ino() && theirs.dev() == hosts.dev()
        }
        _ => false,
    }
}

/// The name of the runtime that a bundle belongs to.
pub fn runtime_of(bundle: &str, facts: &Container) -> &'static str {
    if bundle.contains("/io.containerd.runtime.v2.task/moby/") {
        return "docker";
    }
    if bundle.contains("/io.containerd.runtime.v2.task/") {
        return "containerd";
    }
    if facts.labels.keys().any(|key| key.starts_with("io.kubernetes.cri-o.")) {
        return "cri-o";
    }
    if facts.labels.get("io.container.manager").is_some_and(|manager| manager == "libpod") || bundle.contains("/overlay-containers/") {
        return "podman";
    }
    "runc"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_configuration_tells_privileges_and_mounts() {
        let container = describe(&json!({
            "process": {"args": ["sh"], "user": {"uid": 5, "gid": 6},
                "capabilities": {"effective": ["CAP_CHOWN"], "bounding": ["CAP_SYS_ADMIN"]}},
            "linux": {"seccomp": {}, "namespaces": [{"type": "pid"}, {"type": "network", "path": "/proc/1/ns/net"}]},
            "mounts": [{"destination": "/h", "source": "/", "type": "none", "options": ["rbind", "ro"]}],
            "annotations": {"io.kubernetes.cri.sandbox-name": "pod-1"}
        }));
        assert_eq!(container.capabilities, 1 | 1 << 21);
        assert!(!container.privileged && container.seccomp && !container.host_pid && container.host_ipc);
        assert_eq!((container.mounts[0].r#type.as_str(), container.mounts[0].writable), ("bind", false));
        assert_eq!((container.pod.as_str(), container.user.as_str()), ("pod-1", "5:6"));
    }

    #[test]
    fn a_configuration_of_nonsense_is_an_empty_container() {
        assert_eq!(describe(&json!({"process": 5, "mounts": "x"})).mounts.len(), 0);
    }
}

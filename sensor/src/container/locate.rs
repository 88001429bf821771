//! From a cgroup's path to a container's id and bundle: by who made the cgroup, else by where runtimes keep their state.
use serde_json::Value;
use std::fs;
use std::path::Path;

use crate::process::Process;

const CONTAINERD_TASKS: &str = "/run/containerd/io.containerd.runtime.v2.task";
const RUNC_STATE: &str = "/run/runc";
const CONTAINERS_STORAGE: [&str; 2] = ["/run/containers/storage/overlay-containers", "/var/lib/containers/storage/overlay-containers"];
const RUNTIMES: [&str; 4] = ["runc", "crun", "youki", "docker-runc"];
/// Flags of these runtimes that take a value in the next argument.
const VALUE_FLAGS: [&str; 10] = [
    "--root",
    "--log",
    "--log-format",
    "--criu",
    "--rootless",
    "--console-socket",
    "--pid-file",
    "--preserve-fds",
    "--cgroup-manager",
    "--config",
];
/// Bound on a state or configuration file of a runtime.
const STATE_LIMIT: u64 = 8 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub id: String,
    pub bundle: String,
    /// containerd's; empty elsewhere.
    pub namespace: String,
    /// Path of the container's own cgroup, of which the judged one may be a part.
    pub cgroup_path: String,
}

/// Reads a bounded JSON file; `None` when it is absent, too big or torn.
pub fn read_json(path: &str) -> Option<Value> {
    let meta = fs::metadata(path).ok()?;
    if meta.len() > STATE_LIMIT {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// `None` is the host.
pub fn locate(path: &str, maker: Option<&Process>) -> Option<Found> {
    if path == "/" || path.is_empty() {
        return None;
    }
    if let Some((id, bundle)) = maker.and_then(by_maker)
        && last(path).contains(id.as_str())
    {
        return Some(found(id, bundle, path));
    }
    // A container may make cgroups of its own: its own one is further up.
    let mut at = path;
    loop {
        if let Some((id, bundle)) = by_state(at) {
            return Some(found(id, bundle, at));
        }
        at = &at[..at.rfind('/')?];
        if at.is_empty() {
            return None;
        }
    }
}

fn found(id: String, bundle: String, cgroup_path: &str) -> Found {
    let namespace = bundle.strip_prefix(CONTAINERD_TASKS).and_then(|rest| rest.split('/').nth(1)).unwrap_or_default();
    Found { id, namespace: namespace.into(), bundle, cgroup_path: cgroup_path.into() }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn by_maker(process: &Process) -> Option<(String, String)> {
    let image = process.image();
    let program = last(image.arguments.first()?);
    if !RUNTIMES.contains(&program) && !RUNTIMES.contains(&last(&image.exe)) {
        return None;
    }
    let (id, bundle) = parse_runtime_call(&image.arguments[1..])?;
    let bundle = bundle.unwrap_or_else(|| image.cwd.clone());
    let bundle = if bundle.starts_with('/') { bundle } else { format!("{}/{bundle}", image.cwd) };
    Some((id, bundle.trim_end_matches("/.").to_string()))
}

/// Id and bundle of `runc [flags] create|run|restore [flags] ID`.
pub fn parse_runtime_call(arguments: &[String]) -> Option<(String, Option<String>)> {
    let mut bundle = None;
    let mut words = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--bundle" || argument == "-b" {
            bundle = rest.next().cloned();
        } else if let Some(value) = argument.strip_prefix("--bundle=") {
            bundle = Some(value.to_string());
        } else if VALUE_FLAGS.contains(&argument.as_str()) {
            rest.next();
        } else if !argument.starts_with('-') {
            words.push(argument.clone());
        }
    }
    match words.first()?.as_str() {
        "create" | "run" | "restore" => Some((words.get(1)?.clone(), bundle)),
        _ => None,
    }
}

/// The id in a cgroup's last part: `docker-<id>.scope`, `cri-containerd-<id>.scope`, `crio-<id>`, `libpod-<id>`, `<id>`.
pub fn id_of_segment(segment: &str) -> &str {
    let bare = segment.strip_suffix(".scope").unwrap_or(segment);
    match bare.rsplit_once('-') {
        Some((_, id)) if id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => id,
        _ => bare.rsplit_once(':').map_or(bare, |(_, id)| id),
    }
}

fn by_state(path: &str) -> Option<(String, String)> {
    let id = id_of_segment(last(path));
    if id.is_empty() || id == "." || id == ".." {
        return None;
    }
    for namespace in fs::read_dir(CONTAINERD_TASKS).into_iter().flatten().flatten() {
        let bundle = namespace.path().join(id);
        if bundle.join("config.json").exists() {
            return Some((id.into(), bundle.to_string_lossy().into_owned()));
        }
    }
    for storage in CONTAINERS_STORAGE {
        let bundle = format!("{storage}/{id}/userdata");
        if Path::new(&bundle).join("config.json").exists() {
            return Some((id.into(), bundle));
        }
    }
    let state = read_json(&format!("{RUNC_STATE}/{id}/state.json"))?;
    let labels = state["config"]["labels"].as_array()?;
    let bundle = labels.iter().filter_map(Value::as_str).find_map(|label| label.strip_prefix("bundle="))?;
    Some((id.into(), bundle.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(String::from).collect()
    }

    #[test]
    fn a_runtime_call_tells_id_and_bundle() {
        let call = words("--root /run/containerd/runc/default --log /x create --bundle /b/c --pid-file /p web");
        assert_eq!(parse_runtime_call(&call), Some(("web".into(), Some("/b/c".into()))));
        assert_eq!(parse_runtime_call(&words("run -b /b --no-pivot a")), Some(("a".into(), Some("/b".into()))));
        assert_eq!(parse_runtime_call(&words("init")), None);
        assert_eq!(parse_runtime_call(&words("run")), None);
    }

    #[test]
    fn ids_are_found_in_the_scopes_of_all_runtimes() {
        let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for segment in [format!("docker-{id}.scope"), format!("cri-containerd-{id}.scope"), id.to_string(), format!("crio-{id}")] {
            assert_eq!(id_of_segment(&segment), id);
        }
        assert_eq!(id_of_segment("my-web"), "my-web");
    }
}

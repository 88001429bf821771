//! From a cgroup's path to a container's id and bundle: by who made the cgroup, else by where runtimes keep their state.
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::process::{Image, Process};
use crate::resolve;

const CONTAINERD_TASKS: &str = "/run/containerd/io.containerd.runtime.v2.task";
const RUNC_STATE: &str = "/run/runc";
const CONTAINERS_STORAGE: [&str; 2] = ["/run/containers/storage/overlay-containers", "/var/lib/containers/storage/overlay-containers"];
const RUNTIMES: [&str; 4] = ["runc", "crun", "youki", "docker-runc"];
/// What runtimes that copy themselves before they work call the copy.
const COPIES: [&str; 2] = ["memfd:runc_cloned:", "memfd:crun_cloned:"];
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

/// Reads a bounded JSON file; `None` when it is absent, too big or torn, or no regular file on a disk of the node. Who started the
/// runtime has named the path: what lies there may be anything.
pub fn read_json(path: &str) -> Option<Value> {
    let place = fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(path).ok()?;
    let file = resolve::readable(&place.into()).ok()?;
    let mut bytes = Vec::new();
    file.take(STATE_LIMIT + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > STATE_LIMIT {
        return None;
    }
    serde_json::from_slice(&bytes).ok()
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

/// By the file that runs and by whose right, which are the kernel's word: a name in the arguments is whatever its caller likes. A runtime
/// that runs itself from a mount that it let go of (crun) has no path: there, what root calls it counts.
fn is_runtime(image: &Image) -> bool {
    let file = if image.exe.is_empty() { image.arguments.first().map_or("", String::as_str) } else { &image.exe };
    let is_one = RUNTIMES.contains(&last(file)) || COPIES.iter().any(|copy| image.exe.trim_start_matches('/').starts_with(copy));
    is_one && image.effective_uid == 0
}

fn by_maker(process: &Process) -> Option<(String, String)> {
    let image = process.image();
    if !is_runtime(&image) {
        return None;
    }
    let (id, bundle) = parse_runtime_call(image.arguments.get(1..)?)?;
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

    fn maker(exe: &str, effective_uid: u32) -> std::rc::Rc<Process> {
        let mut table = crate::process::ProcessTable::default();
        let process = table.forked(None, None, &crate::kernel::record::ForkBody::default());
        let arguments = words("runc create --bundle /b web");
        process.set_image(crate::process::Image { exe: exe.into(), effective_uid, arguments, ..Default::default() });
        process
    }

    #[test]
    fn only_a_runtime_that_root_runs_says_whose_a_cgroup_is() {
        let found = Some(("web".to_string(), "/b".to_string()));
        for exe in ["/usr/bin/runc", "/usr/bin/crun", "/memfd:runc_cloned:/proc/self/exe"] {
            assert_eq!(by_maker(&maker(exe, 0)), found, "{exe}");
            assert_eq!(by_maker(&maker(exe, 1000)), None, "{exe}");
        }
        // What runs from a mount that is gone has no path.
        assert_eq!(by_maker(&maker("", 0)), found);
        assert_eq!(by_maker(&maker("", 1000)), None);
        // Anybody may call a program so.
        assert_eq!(by_maker(&maker("/usr/bin/mkdir", 0)), None);
        assert_eq!(by_maker(&maker("/home/u/x", 1000)), None);
    }

    #[test]
    fn a_configuration_that_is_no_file_or_never_ends_is_not_read() {
        let folder = std::env::temp_dir().join(format!("locate-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        let place = |name: &str| folder.join(name).to_string_lossy().into_owned();
        fs::write(place("good"), "{\"a\":1}").expect("file");
        assert_eq!(read_json(&place("good")).expect("read")["a"], 1);
        // Longer than it said, as a file that grows while it is read.
        let long = fs::File::create(place("long")).expect("file");
        long.set_len(STATE_LIMIT + 1).expect("long");
        assert!(read_json(&place("long")).is_none());
        std::os::unix::fs::symlink("/dev/zero", place("zero")).expect("link");
        let pipe = std::ffi::CString::new(place("pipe")).expect("no zero in it");
        // SAFETY: a zero-terminated path.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        for name in ["pipe", "zero"] {
            let (path, (done, answer)) = (place(name), std::sync::mpsc::channel());
            std::thread::spawn(move || done.send(read_json(&path).is_none()));
            assert!(answer.recv_timeout(std::time::Duration::from_secs(5)).expect("it answers"), "{name}");
        }
        fs::remove_dir_all(folder).expect("clean");
    }

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

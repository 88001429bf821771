//! Processes of named programs.
//!
//! A process is known by its executable, which it cannot forge, and not by its name or arguments, which it can; whether it is the host's
//! is told by its cgroup, its root and its process namespace. However many processes a container starts under the name of a
//! component, they take no place of the host's own, nor of the cluster's. Arguments are what a process says: they count for these alone.
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;

use super::pace::Pace;
use super::{builds, redact};
use crate::container::locate;
use crate::kernel::record;
use crate::patient;
use crate::wire::{BuildFact, Container, ProcessFact};

/// Of one program in one kind of place; more are not of interest.
const PROCESSES_MAX: usize = 32;
/// Between two looks at the clock.
const STEP: usize = 64;
/// Bound on a command line that is told.
const WORDS_LIMIT: usize = 12_288;
/// Larger ones are not read whole.
const WORDS_READ: u64 = 256 * 1024;
/// Where the cluster's own components run.
const SYSTEM_NAMESPACE: &str = "kube-system";
/// Accounts below this are the system's own (login.defs(5), SYS_UID_MAX).
const SYSTEM_UIDS: u32 = 1_000;
/// Programs that take settings from variables, by how these begin.
const VARIABLES: [(&str, &str); 1] = [("etcd", "ETCD_")];
/// Programs that are started and end again: known by where they lie.
const LYING: [(&str, &str); 4] =
    [("runc", "/usr/bin/runc"), ("runc", "/usr/sbin/runc"), ("runc", "/usr/local/sbin/runc"), ("runc", "/usr/local/bin/runc")];

#[derive(Default)]
pub struct Found {
    pub processes: Vec<ProcessFact>,
    pub builds: Vec<BuildFact>,
    pub is_complete: bool,
}

/// Whose a process is, those that count most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    HostRoot,
    HostSystem,
    HostOther,
    Cluster,
    /// In a container that is not known to be the cluster's, nor to be anybody else's.
    Unknown,
}

impl Place {
    fn is_host(self) -> bool {
        self < Self::Cluster
    }
}

struct Candidate {
    place: Place,
    pid: u32,
    uid: u32,
    program: String,
    exe: String,
    container: Container,
}

/// Looks at every process; `containers` are those that the sensor knows.
pub fn find(wanted: &[String], containers: &HashMap<String, Container>, pace: &Pace) -> Result<Found, String> {
    let mut found = Found { is_complete: true, ..Found::default() };
    let entries = fs::read_dir("/proc").map_err(|error| error.to_string())?;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut candidates: Vec<Candidate> = Vec::new();
    for (count, pid) in pids.enumerate() {
        if count % STEP == STEP - 1 && !pace.breathe() {
            found.is_complete = false;
            break;
        }
        let Some((exe, program)) = program_of(pid) else { continue };
        if !wanted.contains(&program) {
            continue;
        }
        let Ok(meta) = fs::metadata(format!("/proc/{pid}")) else { continue };
        let container = container_of(pid, containers);
        let Some(place) = place_of(&container, meta.uid()) else { continue };
        add(&mut candidates, Candidate { place, pid, uid: meta.uid(), program, exe, container });
    }
    candidates.sort_by_key(|one| (one.place, one.pid));
    for one in candidates {
        let (pid, is_host) = (one.pid, one.place.is_host());
        let (arguments, cut) = words(pid, "cmdline", WORDS_LIMIT, is_host).unwrap_or((Vec::new(), u32::MAX));
        let variables = VARIABLES.iter().find(|(program, _)| *program == one.program).map(|(_, prefix)| variables(pid, prefix, is_host));
        let build = if is_host && !found.builds.iter().any(|build| build.program == one.program) {
            builds::build_of(&one.program, &format!("/proc/{pid}/exe"), &one.exe)
        } else {
            None
        };
        // Gone meanwhile: another process may have its number by now.
        if program_of(pid).as_ref().map(|(_, again)| again) != Some(&one.program) {
            continue;
        }
        found.builds.extend(build);
        let environment = variables.flatten();
        found.processes.push(ProcessFact {
            program: one.program,
            exe: one.exe,
            pid,
            uid: one.uid,
            arguments: redact::arguments(&arguments),
            arguments_cut: cut,
            container_id: one.container.id,
            container_name: one.container.kubernetes_container,
            pod: one.container.pod,
            namespace: one.container.namespace,
            environment_read: environment.is_some(),
            environment: environment.unwrap_or_default(),
        });
    }
    for (program, path) in LYING {
        if wanted.iter().any(|name| name == program) && !found.builds.iter().any(|build| build.program == program) {
            found.builds.extend(builds::build_of(program, &format!("/proc/1/root{path}"), path));
        }
    }
    Ok(found)
}

fn add(candidates: &mut Vec<Candidate>, one: Candidate) {
    let same = |other: &&Candidate| other.place == one.place && other.program == one.program;
    if candidates.iter().filter(same).count() < PROCESSES_MAX {
        candidates.push(one);
    }
}

/// `None` is a container of somebody's workload: whatever it runs is no component.
fn place_of(container: &Container, uid: u32) -> Option<Place> {
    match (container.id.as_str(), container.namespace.as_str()) {
        ("", _) if uid == 0 => Some(Place::HostRoot),
        ("", _) if uid < SYSTEM_UIDS => Some(Place::HostSystem),
        ("", _) => Some(Place::HostOther),
        (_, SYSTEM_NAMESPACE) => Some(Place::Cluster),
        (_, "") => Some(Place::Unknown),
        _ => None,
    }
}

/// Zero-separated words of a file of a process's, and how many bytes beyond the limit were left out; `None` where they cannot be read. What
/// a container's process keeps in its memory may never answer; the host's own is waited for.
fn words(pid: u32, file: &str, limit: usize, is_host: bool) -> Option<(Vec<String>, u32)> {
    let path = format!("/proc/{pid}/{file}");
    let mut bytes = if is_host {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(WORDS_READ).read_to_end(&mut bytes).ok()?;
        bytes
    } else {
        patient::read(&path, WORDS_READ).ok()?
    };
    let cut = bytes.len().saturating_sub(limit);
    bytes.truncate(limit);
    Some((record::arguments(&bytes), cut as u32))
}

/// `NAME=value` of all variables whose names begin so; `None` where not all of them could be read.
fn variables(pid: u32, prefix: &str, is_host: bool) -> Option<Vec<String>> {
    // Kubernetes gives a container some for each service.
    let (all, cut) = words(pid, "environ", WORDS_READ as usize - 1, is_host)?;
    (cut == 0).then(|| redact::arguments(&all.into_iter().filter(|one| one.starts_with(prefix)).collect::<Vec<_>>()))
}

fn program_of(pid: u32) -> Option<(String, String)> {
    let exe = fs::read_link(format!("/proc/{pid}/exe")).ok()?.to_string_lossy().into_owned();
    let bare = exe.strip_suffix(" (deleted)").unwrap_or(&exe).to_string();
    let program = bare.rsplit('/').next()?.to_string();
    Some((bare, program))
}

/// What is known of the container that a process is in; without an id it is the host's.
fn container_of(pid: u32, containers: &HashMap<String, Container>) -> Container {
    let paths = [false, true].into_iter().filter_map(|old| crate::proc_files::cgroup_path(pid, old));
    let by_path = paths
        .flat_map(|path| path.split('/').map(|part| locate::id_of_segment(part).to_string()).collect::<Vec<_>>())
        .find(|id| containers.contains_key(id) || (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
    match by_path {
        Some(id) => containers.get(&id).cloned().unwrap_or(Container { id, ..Container::default() }),
        // In a root or a namespace of its own without a container that anybody knows: nobody's word on the host.
        None if is_elsewhere(pid) => Container { id: "unknown".into(), ..Container::default() },
        None => Container::default(),
    }
}

/// Whether a process has another root than the first one, or another namespace of processes. What cannot be told of a process although it
/// can of the first is taken for that. Mounts tell nothing: services of the host have namespaces of these (systemd.exec(5), PrivateTmp). A first
/// process that does not let itself be looked at is one of a machine on which the sensor runs by itself.
fn is_elsewhere(pid: u32) -> bool {
    let root = |pid: u32| fs::metadata(format!("/proc/{pid}/root/")).map(|meta| (meta.dev(), meta.ino())).ok();
    let namespace = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let own = std::process::id();
    let (first_root, first_namespace) = (root(1).or_else(|| root(own)), namespace(1).or_else(|| namespace(own)));
    (first_root.is_some() && root(pid) != first_root) || (first_namespace.is_some() && namespace(pid) != first_namespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    /// Processes of a copy of `sleep` under another name.
    struct Sleepers {
        folder: std::path::PathBuf,
        children: Vec<Child>,
    }

    impl Sleepers {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("programs-{name}-{}", std::process::id()));
            drop(fs::remove_dir_all(&folder));
            fs::create_dir_all(&folder).expect("folder");
            Self { folder, children: Vec::new() }
        }

        fn start(&mut self, program: &str, change: impl FnOnce(&mut Command)) -> u32 {
            let path = self.folder.join(program);
            if !path.exists() {
                fs::copy("/bin/sleep", &path).expect("copied");
            }
            let mut command = Command::new(path);
            command.arg("60");
            change(&mut command);
            let child = command.spawn().expect("started");
            let pid = child.id();
            self.children.push(child);
            pid
        }
    }

    impl Drop for Sleepers {
        fn drop(&mut self) {
            for child in &mut self.children {
                drop(child.kill().and_then(|()| child.wait()));
            }
            drop(fs::remove_dir_all(&self.folder));
        }
    }

    fn found(program: &str) -> Vec<ProcessFact> {
        find(&[program.into()], &HashMap::new(), &Pace::begin()).expect("found").processes
    }

    #[test]
    fn processes_are_found_by_their_executable_with_arguments_free_of_secrets() {
        let mut sleepers = Sleepers::new("named");
        let pid = sleepers.start("kubelot", |command| {
            command.arg0("kubelet");
        });
        let own = found("kubelot").into_iter().find(|process| process.pid == pid).expect("by its executable, not by its name");
        assert!(own.exe.ends_with("/kubelot") && own.arguments.first().is_some_and(|name| name == "kubelet"));
        assert!(!own.environment_read && found("kubelet").iter().all(|process| process.pid != pid));
    }

    /// Pids of a program, without a look at anything else.
    fn pids(program: &str) -> Vec<u32> {
        let all = fs::read_dir("/proc").expect("proc").flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        all.filter(|pid| program_of(*pid).is_some_and(|(_, name)| name == program)).collect()
    }

    #[test]
    fn many_processes_elsewhere_take_no_place_of_the_hosts_own() {
        let mut sleepers = Sleepers::new("many");
        fs::copy("/bin/sleep", sleepers.folder.join("kubelit")).expect("copied");
        for _ in 0..PROCESSES_MAX + 4 {
            // In a namespace of processes of its own, as in a container that the sensor does not know.
            let started =
                Command::new("unshare").args(["--pid", "--fork", "--kill-child"]).arg(sleepers.folder.join("kubelit")).arg("60").spawn();
            sleepers.children.push(started.expect("started"));
        }
        while pids("kubelit").len() < PROCESSES_MAX + 4 {
            if sleepers.children[0].try_wait().expect("asked").is_some() {
                eprintln!("skipped: no namespace of processes can be made here");
                return;
            }
            std::thread::yield_now();
        }
        let own = sleepers.start("kubelit", |_| {});
        let all = found("kubelit");
        assert_eq!((all[0].pid, all[0].container_id.as_str()), (own, ""));
        assert_eq!(all.len(), PROCESSES_MAX + 1);
        assert!(all[1..].iter().all(|one| one.container_id == "unknown"));
    }

    #[test]
    fn processes_of_workloads_are_nobodys_word_and_the_clusters_go_before_the_unknown() {
        let of = |id: &str, namespace: &str| Container { id: id.into(), namespace: namespace.into(), ..Container::default() };
        assert_eq!(place_of(&of("c", "shop"), 0), None);
        let places = [place_of(&of("", ""), 0), place_of(&of("", ""), 100), place_of(&of("", ""), 1_000)];
        assert_eq!(places, [Some(Place::HostRoot), Some(Place::HostSystem), Some(Place::HostOther)]);
        assert!(place_of(&of("c", "kube-system"), 0) < place_of(&of("c", ""), 0));
    }

    #[test]
    fn variables_are_told_of_programs_that_take_settings_from_them() {
        let mut sleepers = Sleepers::new("variables");
        let pid = sleepers.start("etcd", |command| {
            command.env("ETCD_AUTO_TLS", "true").env("OTHER", "x").env("ETCD_ROOT_PASSWORD", "hunter2");
        });
        let own = found("etcd").into_iter().find(|process| process.pid == pid).expect("found");
        let mut told = own.environment.clone();
        told.sort();
        assert_eq!((own.environment_read, told), (true, vec!["ETCD_AUTO_TLS=true".to_string(), "ETCD_ROOT_PASSWORD=***".into()]));
    }
}

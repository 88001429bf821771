//! Files: whether they are there, whose they are, and of named configuration files what is in them.
//!
//! A name is resolved in the host's root, from which no link leads out, and opened without reading (O_PATH), so that neither a FIFO nor
//! a device is touched. Content is read of regular files alone, through the descriptor that was looked at, up to a bound.
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};

use super::redact;
use crate::resolve;
use crate::wire::{FileFact, FileRequest, file_fact::Reading as State};

/// Of one file, whatever a server asks for.
const CONTENT_LIMIT: u64 = 256 * 1024;
const PATH_MAX: usize = 4096;
/// Files that one pattern may match.
const MATCHES_MAX: usize = 200;
/// Entries of a folder that are looked at for a pattern.
const ENTRIES_MAX: usize = 20_000;

/// Where configuration lies that may leave the node; everything else is only described.
const READABLE: [&str; 33] = [
    "/etc/ssh/sshd_config",
    "/etc/docker/",
    "/etc/containerd/",
    "/etc/crictl.yaml",
    "/etc/kubernetes/manifests/",
    "/etc/kubernetes/kubelet",
    "/etc/systemd/system/kubelet",
    "/var/lib/kubelet/config.yaml",
    "/etc/cni/net.d/",
    "/etc/sysctl.conf",
    "/etc/sysctl.d/",
    "/etc/modprobe.d/",
    "/etc/modules-load.d/",
    "/etc/audit/",
    "/etc/pam.d/",
    "/etc/security/",
    "/etc/login.defs",
    "/etc/default/",
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/sudoers",
    "/etc/fstab",
    "/etc/issue",
    "/etc/motd",
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/apt/apt.conf.d/",
    "/etc/systemd/journald.conf",
    "/etc/systemd/coredump.conf",
    "/etc/rsyslog",
    "/etc/os-release",
    "/sys/",
];

/// Whether the content of such a file may leave the node; links are judged by where they lead.
fn may_be_read(path: &str) -> bool {
    READABLE.iter().any(|allowed| {
        path == *allowed || (path.starts_with(allowed) && (allowed.ends_with('/') || !path[allowed.len()..].starts_with('/')))
    }) || ["/usr/lib/sysctl.d/", "/usr/lib/os-release", "/usr/lib/modprobe.d/", "/etc/audit/rules.d/"]
        .iter()
        .any(|allowed| path.starts_with(allowed))
}

fn absent(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR))
}

fn refused(path: &str, state: State, why: String) -> FileFact {
    FileFact { path: path.into(), state: state as i32, why, ..FileFact::default() }
}

/// Of which files content may leave the node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Those of the list above.
    Listed,
    /// Those too that a program's own settings name, where they are configuration.
    Named,
}

/// Everything that a request names by its path.
pub fn describe(root: &OwnedFd, request: &FileRequest) -> Vec<FileFact> {
    described(root, request, Rule::Listed)
}

/// The same of configuration that another file of configuration includes.
pub fn describe_configuration(root: &OwnedFd, request: &FileRequest) -> Vec<FileFact> {
    described(root, request, Rule::Named)
}

fn described(root: &OwnedFd, request: &FileRequest, rule: Rule) -> Vec<FileFact> {
    match refusal(&request.path) {
        Some(fact) => vec![fact],
        None if request.path.contains('*') => matching(root, &request.path, request.content_bytes, rule),
        None => vec![one(root, &request.path, request.content_bytes, rule)],
    }
}

/// The file that a program's flag names, or the files of the folder that it names.
pub fn describe_named(root: &OwnedFd, request: &FileRequest, path: &str) -> Vec<FileFact> {
    let mut facts = match refusal(path) {
        Some(fact) => vec![fact],
        None if request.path.is_empty() => vec![one(root, path, request.content_bytes, Rule::Named)],
        None => in_folder(root, path, request),
    };
    for fact in &mut facts {
        fact.program.clone_from(&request.program);
        fact.flag.clone_from(&request.flag);
    }
    facts
}

fn refusal(path: &str) -> Option<FileFact> {
    let is_good = path.starts_with('/') && path.len() <= PATH_MAX && !path.contains('\0');
    (!is_good).then(|| refused(path, State::Unread, "no absolute path".into()))
}

fn entries_of(root: &OwnedFd, folder: &str) -> std::io::Result<fs::ReadDir> {
    let opened = resolve::open_in_root(root, if folder.is_empty() { "/" } else { folder }, libc::O_PATH | libc::O_DIRECTORY)?;
    fs::read_dir(format!("/proc/self/fd/{}", opened.as_raw_fd()))
}

/// All files of a folder whose names end as the pattern does, hidden ones too, in the order of their names: so configuration is put together.
/// Folders below it would count as well and are not looked into.
fn in_folder(root: &OwnedFd, folder: &str, request: &FileRequest) -> Vec<FileFact> {
    let with_pattern = |fact: FileFact| FileFact { pattern: request.path.clone(), ..fact };
    let unread = |why: String| with_pattern(refused(folder, State::Unread, why));
    let ending = request.path.trim_start_matches('*');
    let entries = match entries_of(root, folder) {
        Ok(entries) => entries,
        Err(error) => return vec![unread(error.to_string())],
    };
    let mut names: Vec<String> = Vec::new();
    for (count, entry) in entries.enumerate() {
        let Ok(entry) = entry else { return vec![unread("the folder cannot be read whole".into())] };
        if count >= ENTRIES_MAX || names.len() >= MATCHES_MAX {
            return vec![unread(format!("more than {MATCHES_MAX} files, or {ENTRIES_MAX} in the folder"))];
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            return vec![unread("there are folders in it, which this sensor does not look into".into())];
        }
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name.ends_with(ending));
    names.sort();
    let path = |name: &String| format!("{}/{name}", folder.trim_end_matches('/'));
    let facts: Vec<FileFact> = names.iter().map(|name| with_pattern(one(root, &path(name), request.content_bytes, Rule::Named))).collect();
    if facts.is_empty() { vec![with_pattern(refused("", State::Absent, String::new()))] } else { facts }
}

/// Files by a pattern with `*` in any of its parts.
fn matching(root: &OwnedFd, pattern: &str, content: u32, rule: Rule) -> Vec<FileFact> {
    let with_pattern = |fact: FileFact| FileFact { pattern: pattern.into(), ..fact };
    let mut facts: Vec<FileFact> = Vec::new();
    let mut paths = vec![String::new()];
    let mut looked = 0;
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if !part.contains('*') {
            paths.iter_mut().for_each(|path| *path = format!("{path}/{part}"));
            continue;
        }
        let mut next = Vec::new();
        for folder in &paths {
            match names_in(root, folder, part, &mut looked) {
                Ok(names) => next.extend(names.into_iter().map(|name| format!("{folder}/{name}"))),
                Err(error) if absent(&error) => {}
                Err(error) => facts.push(with_pattern(refused(folder, State::Unread, error.to_string()))),
            }
        }
        paths = next;
        if looked > ENTRIES_MAX || paths.len() > MATCHES_MAX {
            paths.truncate(MATCHES_MAX);
            facts.push(with_pattern(refused("", State::Unread, format!("more than {MATCHES_MAX} files, or {ENTRIES_MAX} in the folder"))));
        }
    }
    // A folder that holds no file of the name is no match.
    let by_name = pattern.rsplit('/').next().is_some_and(|last| last.contains('*'));
    let found = paths.iter().map(|path| one(root, path, content, rule)).filter(|fact| by_name || fact.state != State::Absent as i32);
    let mut all: Vec<FileFact> = found.map(with_pattern).collect();
    all.extend(facts);
    if all.is_empty() { vec![with_pattern(refused("", State::Absent, String::new()))] } else { all }
}

fn names_in(root: &OwnedFd, folder: &str, pattern: &str, looked: &mut usize) -> std::io::Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for entry in entries_of(root, folder)? {
        *looked += 1;
        if *looked > ENTRIES_MAX || names.len() > MATCHES_MAX {
            break;
        }
        let file = entry?.file_name().to_string_lossy().into_owned();
        if is_match(pattern, &file) {
            names.push(file);
        }
    }
    names.sort();
    Ok(names)
}

/// A `*` stands for any text; hidden files are meant only where the pattern says so (glob(7)).
fn is_match(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (place, part) in parts.iter().enumerate() {
        if place + 1 == parts.len() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

fn one(root: &OwnedFd, path: &str, content: u32, rule: Rule) -> FileFact {
    let opened = match resolve::open_in_root(root, path, libc::O_PATH) {
        Ok(opened) => File::from(opened),
        Err(error) if absent(&error) => return refused(path, State::Absent, String::new()),
        Err(error) => return refused(path, State::Unread, error.to_string()),
    };
    let meta = match opened.metadata() {
        Ok(meta) => meta,
        Err(error) => return refused(path, State::Unread, error.to_string()),
    };
    let actual = actual_path(root, &opened);
    let mut fact = FileFact {
        path: path.into(),
        state: State::Present as i32,
        kind: kind_of(&meta).into(),
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        size: meta.size(),
        actual: if actual == path { String::new() } else { actual.clone() },
        ..FileFact::default()
    };
    if content > 0 && meta.is_file() {
        let allowed = may_be_read(&actual) || (rule == Rule::Named && is_configuration(&actual));
        if allowed {
            add_content(&mut fact, &opened, &actual, u64::from(content).min(CONTENT_LIMIT));
        } else {
            fact.content_why = "this sensor sends nothing of such a file".into();
        }
    } else if content > 0 {
        fact.content_why = format!("it is a {}", fact.kind);
    }
    fact
}

/// A path that a program's own settings name.
fn is_configuration(path: &str) -> bool {
    [".yaml", ".yml", ".json", ".conf", ".toml"].iter().any(|ending| path.ends_with(ending))
        && !path.starts_with("/proc/")
        && !path.contains("kubeconfig")
}

fn actual_path(root: &OwnedFd, file: &File) -> String {
    let link = |fd: i32| fs::read_link(format!("/proc/self/fd/{fd}")).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let (whole, base) = (link(file.as_raw_fd()), link(root.as_raw_fd()));
    match whole.strip_prefix(base.trim_end_matches('/')) {
        Some(inner) if inner.starts_with('/') => inner.into(),
        _ => whole,
    }
}

fn kind_of(meta: &fs::Metadata) -> &'static str {
    let kind = meta.file_type();
    match () {
        () if kind.is_file() => "file",
        () if kind.is_dir() => "directory",
        () if kind.is_socket() => "socket",
        () if kind.is_fifo() => "fifo",
        () => "device",
    }
}

fn add_content(fact: &mut FileFact, opened: &File, actual: &str, limit: u64) {
    // The same file by its descriptor: a name that was exchanged meanwhile leads nowhere else.
    let again = fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(format!("/proc/self/fd/{}", opened.as_raw_fd()));
    let mut bytes = Vec::new();
    if let Err(error) = again.and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)) {
        fact.content_why = error.to_string();
        return;
    }
    if bytes.len() as u64 > limit {
        bytes.truncate(limit as usize);
        fact.cut_bytes = fact.size.saturating_sub(limit).max(1);
    }
    match redact::text(actual, &String::from_utf8_lossy(&bytes)) {
        Some(text) => fact.content = text.into_bytes(),
        None => fact.content_why = "it holds a private key".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    fn root(name: &str) -> (PathBuf, OwnedFd) {
        let folder = std::env::temp_dir().join(format!("facts-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(folder.join("etc/sysctl.d")).expect("folder");
        fs::create_dir_all(folder.join("etc/ssh")).expect("folder");
        let root = fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(&folder).expect("root");
        (folder, root.into())
    }

    fn ask(path: &str) -> FileRequest {
        FileRequest { path: path.into(), content_bytes: 100, ..FileRequest::default() }
    }

    #[test]
    fn a_file_is_described_as_it_is_and_what_is_not_there_is_absent() {
        let (folder, root) = root("plain");
        fs::write(folder.join("etc/login.defs"), "UMASK 027\n").expect("written");
        fs::set_permissions(folder.join("etc/login.defs"), fs::Permissions::from_mode(0o4640)).expect("mode");
        let facts = describe(&root, &ask("/etc/login.defs"));
        assert_eq!(
            (facts[0].state, facts[0].mode, facts[0].kind.as_str(), facts[0].content.as_slice()),
            (State::Present as i32, 0o4640, "file", b"UMASK 027\n".as_slice())
        );
        assert_eq!(describe(&root, &ask("/etc/none"))[0].state, State::Absent as i32);
        assert_eq!(describe(&root, &ask("etc"))[0].state, State::Unread as i32);
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn links_stay_in_the_root_and_what_they_lead_to_must_be_configuration_too() {
        let (folder, root) = root("links");
        fs::create_dir_all(folder.join("root")).expect("folder");
        fs::write(folder.join("root/id"), "top").expect("written");
        symlink("/root/id", folder.join("etc/sysctl.d/a.conf")).expect("link");
        symlink("../../../../../../etc/passwd", folder.join("etc/sysctl.d/b.conf")).expect("link");
        symlink("c.conf", folder.join("etc/sysctl.d/c.conf")).expect("link");
        let facts = describe(&root, &ask("/etc/sysctl.d/*.conf"));
        assert_eq!((facts[0].actual.as_str(), facts[0].content.is_empty(), facts[0].content_why.is_empty()), ("/root/id", true, false));
        // There is no /etc/passwd in this root, and a loop leads nowhere.
        assert_eq!((facts[1].state, facts[2].state), (State::Absent as i32, State::Unread as i32));
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn what_is_no_regular_file_is_not_opened_and_what_is_huge_is_cut() {
        let (folder, root) = root("odd");
        let fifo = CString::new(folder.join("etc/sysctl.d/f.conf").to_string_lossy().as_bytes()).expect("path");
        // SAFETY: a zero-terminated path.
        assert_eq!(unsafe { libc::mkfifo(fifo.as_ptr(), 0o600) }, 0);
        let huge = File::create(folder.join("etc/sysctl.d/h.conf")).expect("made");
        huge.set_len(1 << 40).expect("sparse");
        let facts = describe(&root, &ask("/etc/sysctl.d/*.conf"));
        assert_eq!((facts[0].kind.as_str(), facts[0].content.len(), facts[0].content_why.as_str()), ("fifo", 0, "it is a fifo"));
        assert!(facts[1].cut_bytes > 1 << 39 && facts[1].content.len() <= 101);
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn a_pattern_with_too_many_matches_says_so() {
        let (folder, root) = root("many");
        for number in 0..=MATCHES_MAX {
            File::create(folder.join(format!("etc/sysctl.d/{number}.conf"))).expect("made");
        }
        let facts = describe(&root, &ask("/etc/sysctl.d/*.conf"));
        assert_eq!(facts.last().expect("facts").state, State::Unread as i32);
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn a_pattern_may_stand_for_folders_too() {
        let (folder, root) = root("folders");
        for registry in ["a", "b", "c"] {
            fs::create_dir_all(folder.join("etc/containerd/certs.d").join(registry)).expect("folder");
        }
        for registry in ["a", "c"] {
            fs::write(folder.join(format!("etc/containerd/certs.d/{registry}/hosts.toml")), "skip_verify = true\n").expect("written");
        }
        let facts = describe(&root, &ask("/etc/containerd/certs.d/*/hosts.toml"));
        let paths: Vec<_> = facts.iter().map(|fact| (fact.path.as_str(), fact.content.len())).collect();
        assert_eq!(paths, [("/etc/containerd/certs.d/a/hosts.toml", 19), ("/etc/containerd/certs.d/c/hosts.toml", 19)]);
        assert!(facts.iter().all(|fact| fact.pattern == "/etc/containerd/certs.d/*/hosts.toml"));
        assert_eq!(describe(&root, &ask("/etc/none/*/x.conf"))[0].state, State::Absent as i32);
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn a_folder_by_flag_is_told_whole_in_the_order_of_names_or_not_at_all() {
        let (folder, root) = root("by-flag");
        fs::create_dir_all(folder.join("opt/kubelet.d")).expect("folder");
        fs::create_dir_all(folder.join("root")).expect("folder");
        for (name, text) in [("20-b.conf", "b: 1\n"), (".10-a.conf", "a: 1\n"), ("x.yaml", "x: 1\n")] {
            fs::write(folder.join("opt/kubelet.d").join(name), text).expect("written");
        }
        fs::write(folder.join("root/id"), "top").expect("written");
        symlink("/root/id", folder.join("opt/kubelet.d/30-c.conf")).expect("link");
        let asked = FileRequest { program: "kubelet".into(), flag: "--config-dir".into(), ..ask("*.conf") };
        let facts = describe_named(&root, &asked, "/opt/kubelet.d");
        let told: Vec<_> = facts.iter().map(|fact| (fact.path.as_str(), fact.content.as_slice())).collect();
        assert_eq!(
            told,
            [
                ("/opt/kubelet.d/.10-a.conf", b"a: 1\n".as_slice()),
                ("/opt/kubelet.d/20-b.conf", b"b: 1\n".as_slice()),
                ("/opt/kubelet.d/30-c.conf", b"".as_slice())
            ]
        );
        assert!(!facts[2].content_why.is_empty() && facts.iter().all(|fact| fact.flag == "--config-dir" && fact.pattern == "*.conf"));
        fs::create_dir_all(folder.join("opt/kubelet.d/more")).expect("folder");
        assert_eq!(describe_named(&root, &asked, "/opt/kubelet.d")[0].state, State::Unread as i32);
        assert_eq!(describe_named(&root, &asked, "relative")[0].state, State::Unread as i32);
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn only_configuration_leaves_the_node() {
        for path in
            ["/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d", "/etc/docker/daemon.json", "/sys/kernel/security/lockdown", "/etc/pam.d/su"]
        {
            assert!(may_be_read(path), "{path}");
        }
        for path in [
            "/root/.ssh/id_rsa",
            "/etc/ssh/ssh_host_rsa_key",
            "/etc/kubernetes/admin.conf",
            "/etc/passwd/../x",
            "/var/lib/kubelet/pki/k.pem",
        ] {
            assert!(!may_be_read(path), "{path}");
        }
        assert!(is_match("*.conf", "a.conf") && is_match("a*b*c", "a1b2c") && !is_match("*.conf", ".x.conf") && !is_match("a*b", "ac"));
    }
}

//! Blocks on files, by fanotify permission events: the kernel asks before an open, a thread of its own answers.
//!
//! A mount of the container's is watched as a whole, so only containers that a block on files holds for pay for it. The thread
//! answers from what it was told and opens nothing itself; when the sensor ends, the kernel lets every open pass.
use std::collections::HashMap;
use std::ffi::CString;
use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

use crate::kernel::load::Joining;
use crate::kernel::record::text;
use crate::kernel::select::fits;
use crate::resolve;
use crate::wire::{Container, FileBlock, PathPattern};

/// fanotify(7), struct fanotify_event_metadata.
#[repr(C)]
#[derive(Clone, Copy)]
struct Metadata {
    length: u32,
    version: u8,
    reserved: u8,
    metadata_length: u16,
    mask: u64,
    fd: i32,
    pid: i32,
}

#[repr(C)]
struct Answer {
    fd: i32,
    response: u32,
}

const METADATA: usize = size_of::<Metadata>();
const STACK_BYTES: usize = 128 * 1024;

/// One block: its id, what it forbids, and in the containers of which mount namespaces.
#[derive(Debug, Clone)]
pub struct FileRule {
    pub block_id: String,
    pub block: FileBlock,
    /// Cgroup paths of containers that it holds for; an empty text is the host.
    pub cgroups: Vec<String>,
}

/// An open that was refused.
#[derive(Debug, Clone)]
pub struct Refused {
    pub block_id: String,
    pub pid: u32,
    pub path: String,
    /// Since boot; the process waits for the answer at this moment.
    pub time_ns: u64,
}

type Rules = Arc<Mutex<Vec<FileRule>>>;

pub struct FileGuard {
    group: Arc<OwnedFd>,
    rules: Rules,
    /// Mounts that are watched, by container.
    watched: HashMap<String, ()>,
}

/// Whether an open with these flags may change the file.
fn opens_for_writing(flags: i64) -> bool {
    flags & i64::from(libc::O_ACCMODE) != 0 || flags & i64::from(libc::O_TRUNC | libc::O_CREAT) != 0
}

/// What a thread that waits in open(2) wants, from the registers of its call: nobody can change those meanwhile.
fn wants_to_write(thread: i32) -> bool {
    let call = fs::read_to_string(format!("/proc/{thread}/syscall")).unwrap_or_default();
    let mut words = call.split(' ');
    let number: i64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(-1);
    let arguments: Vec<i64> = words.filter_map(|word| i64::from_str_radix(word.trim().trim_start_matches("0x"), 16).ok()).collect();
    let flags = |place: usize| arguments.get(place).is_none_or(|flags| opens_for_writing(*flags));
    match number {
        libc::SYS_openat => flags(2),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => flags(1),
        libc::SYS_execve | libc::SYS_execveat => false,
        // openat2 keeps its flags in memory, and whatever else opens files is not known: counted as writing.
        _ => true,
    }
}

fn forbids(rule: &FileRule, path: &str, writes: bool) -> bool {
    (if writes { rule.block.writes } else { rule.block.reads }) && rule.block.paths.iter().any(|pattern: &PathPattern| fits(pattern, path))
}

impl FileGuard {
    /// Begins to answer. Errors say what the kernel lacks.
    pub fn start(refused: mpsc::UnboundedSender<Refused>, cgroup_v1: bool, joining: Joining) -> Result<Self, String> {
        // SAFETY: no pointers.
        let fd = unsafe {
            libc::fanotify_init(libc::FAN_CLASS_CONTENT | libc::FAN_CLOEXEC | libc::FAN_REPORT_TID, (libc::O_PATH | libc::O_CLOEXEC) as u32)
        };
        // Kernels before 5.x take no O_PATH for the events' descriptors.
        let fd = if fd >= 0 {
            fd
        } else {
            // SAFETY: no pointers.
            unsafe {
                libc::fanotify_init(
                    libc::FAN_CLASS_CONTENT | libc::FAN_CLOEXEC | libc::FAN_REPORT_TID,
                    (libc::O_RDONLY | libc::O_CLOEXEC | libc::O_LARGEFILE) as u32,
                )
            }
        };
        if fd < 0 {
            return Err(format!("fanotify: {}", std::io::Error::last_os_error()));
        }
        // SAFETY: a new descriptor of our own.
        let group = Arc::new(unsafe { OwnedFd::from_raw_fd(fd) });
        let rules = Rules::default();
        let (theirs, known) = (group.clone(), rules.clone());
        std::thread::Builder::new()
            .name("file-guard".into())
            .stack_size(STACK_BYTES)
            .spawn(move || answer(&theirs, &known, &refused, &Asker { cgroup_v1, joining }))
            .map_err(|error| format!("no thread for blocks on files: {error}"))?;
        Ok(Self { group, rules, watched: HashMap::new() })
    }

    pub fn set_rules(&mut self, rules: Vec<FileRule>) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// Watches the mounts of a container; once.
    pub fn watch(&mut self, container: &Container) -> Result<(), String> {
        if container.pid == 0 || self.watched.contains_key(&container.id) {
            return Ok(());
        }
        let root = resolve::root_of(container.pid).map_err(|error| format!("container {}: {error}", container.id))?;
        let bound = container.mounts.iter().filter(|mount| mount.r#type == "bind").map(|mount| mount.destination.as_str());
        for place in std::iter::once("/").chain(bound) {
            if let Ok(folder) = resolve::open_in_root(&root, place, libc::O_PATH) {
                self.mark(&folder).map_err(|error| format!("container {}, {place}: {error}", container.id))?;
            }
        }
        self.watched.insert(container.id.clone(), ());
        Ok(())
    }

    /// Forgets containers that are gone; their mounts went with them.
    pub fn keep_only(&mut self, ids: &[String]) {
        self.watched.retain(|id, ()| ids.contains(id));
    }

    fn mark(&self, place: &OwnedFd) -> std::io::Result<()> {
        let own = CString::new(format!("/proc/self/fd/{}", place.as_raw_fd()))?;
        let mask = libc::FAN_OPEN_PERM | libc::FAN_OPEN_EXEC_PERM;
        // SAFETY: a valid descriptor and a zero-terminated path.
        let done = unsafe {
            libc::fanotify_mark(self.group.as_raw_fd(), libc::FAN_MARK_ADD | libc::FAN_MARK_MOUNT, mask, libc::AT_FDCWD, own.as_ptr())
        };
        if done < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// What is asked about who wants to open a file.
struct Asker {
    cgroup_v1: bool,
    joining: Joining,
}

/// The thread: reads what the kernel asks and answers each at once.
fn answer(group: &OwnedFd, rules: &Rules, refused: &mpsc::UnboundedSender<Refused>, asker: &Asker) {
    let mut buffer = [0u8; METADATA * 64];
    loop {
        // SAFETY: the buffer is as long as stated.
        let length = unsafe { libc::read(group.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        if length < 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) {
            continue;
        }
        if length <= 0 {
            eprintln!("blocks on files have ended: {}", std::io::Error::last_os_error());
            return;
        }
        let mut at = 0;
        while at + METADATA <= length as usize {
            // SAFETY: that many bytes were read; the struct may lie anywhere.
            let event: Metadata = unsafe { std::ptr::read_unaligned(buffer.as_ptr().add(at).cast()) };
            at += (event.length as usize).max(METADATA);
            if event.fd < 0 {
                continue;
            }
            // SAFETY: a new descriptor that the kernel gave with the event.
            let file = unsafe { OwnedFd::from_raw_fd(event.fd) };
            let verdict = judge(&file, event.pid, rules, asker);
            let answer = Answer { fd: event.fd, response: if verdict.is_some() { libc::FAN_DENY } else { libc::FAN_ALLOW } };
            // SAFETY: a struct of the stated size.
            unsafe { libc::write(group.as_raw_fd(), (&raw const answer).cast(), size_of::<Answer>()) };
            if let Some(verdict) = verdict {
                // The receiver is gone only when the sensor ends.
                drop(refused.send(verdict));
            }
        }
    }
}

fn judge(file: &OwnedFd, thread: i32, rules: &Rules, asker: &Asker) -> Option<Refused> {
    if thread == std::process::id() as i32 {
        return None;
    }
    let link = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let path = text(link.as_os_str().as_bytes());
    let rules = rules.lock().unwrap_or_else(PoisonError::into_inner);
    // Most opens are of files that no block names: nothing more is looked at for them.
    if !rules.iter().any(|rule| forbids(rule, &path, true) || forbids(rule, &path, false)) {
        return None;
    }
    let writes = wants_to_write(thread);
    let cgroup = crate::proc_files::cgroup_path(thread as u32, asker.cgroup_v1)?;
    let within = |rule: &&FileRule| {
        rule.cgroups
            .iter()
            .any(|own| !own.is_empty() && (cgroup == *own || cgroup.strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('/'))))
    };
    let rule = rules.iter().filter(within).find(|rule| forbids(rule, &path, writes))?;
    let pid = process_of(thread);
    // The runtime sets the container up: it reads and writes there what the container itself may not.
    if asker.joining.get(&pid, 0).is_ok() {
        return None;
    }
    Some(Refused { block_id: rule.block_id.clone(), pid, path, time_ns: crate::clock::boot_ns() })
}

/// The process that a thread belongs to.
fn process_of(thread: i32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("Tgid:")).and_then(|number| number.trim().parse().ok()).unwrap_or(thread as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::path_pattern::Kind;

    #[test]
    fn writing_is_told_from_reading_by_the_flags() {
        assert!(!opens_for_writing(i64::from(libc::O_RDONLY | libc::O_CLOEXEC)));
        for flags in [libc::O_WRONLY, libc::O_RDWR, libc::O_RDONLY | libc::O_TRUNC, libc::O_CREAT] {
            assert!(opens_for_writing(i64::from(flags)));
        }
    }

    #[test]
    fn a_block_on_writes_leaves_reads_alone() {
        let paths = vec![PathPattern { kind: Kind::Prefix as i32, value: "/etc/".into() }];
        let rule = FileRule { block_id: "b".into(), block: FileBlock { paths, reads: false, writes: true }, cgroups: vec![] };
        assert!(forbids(&rule, "/etc/passwd", true) && !forbids(&rule, "/etc/passwd", false) && !forbids(&rule, "/tmp/x", true));
    }
}

//! How this node is configured, for the server's benchmarks: read in a thread of its own at the lowest priority, within a share of a
//! processor and a time (pace.rs). A file system that does not answer holds up that thread alone: what was read until then is sent, and
//! the rest is said to be unread.
mod builds;
mod busy;
mod files;
mod flags;
mod kernel;
pub mod network;
mod pace;
mod packages;
mod probe;
mod programs;
pub mod redact;
mod sshd;

use prost::Message;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::resolve;
use crate::response::Report;
use crate::server::inventory;
use crate::wire::{Container, FileFact, FileRequest, GatherFacts, NodeFacts, ProcessFact, file_fact, order_result::Outcome};
use busy::Busy;
pub use kernel::{sysctl_path, sysctl_value};
use pace::Pace;

/// After this the thread is left alone.
const PATIENCE: Duration = Duration::from_millis(4_800);
/// Between two looks whether the run before has ended.
const TURN: Duration = Duration::from_millis(50);
/// What one order may ask for.
const FILES_MAX: usize = 400;
const NAMES_MAX: usize = 400;
const PROBES_MAX: usize = 32;
/// Content of all files together; the gateway takes messages of 8 MiB.
const CONTENT_MAX: usize = 4 << 20;
const REQUEST_LIMIT: u64 = 1 << 20;
const STACK_BYTES: usize = 512 * 1024;
/// All probes together: what never answers must not use up the time of everything else.
const PROBES_TIME: Duration = Duration::from_millis(1_500);
const NO_TIME: &str = "the time of the run was used up";

/// What is known so far.
type Shared = Arc<Mutex<NodeFacts>>;

fn change(shared: &Shared, work: impl FnOnce(&mut NodeFacts)) {
    work(&mut shared.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Gathers what was asked for; never longer than PATIENCE and a moment.
pub async fn gather(order_id: String, request: GatherFacts, containers: HashMap<String, Container>) -> (Report, Option<NodeFacts>) {
    let root = match resolve::root_of(1).or_else(|_| resolve::root_of(std::process::id())) {
        Ok(root) => root,
        Err(error) => return (Report::new(Outcome::Failed, format!("the node's root cannot be opened: {error}")), None),
    };
    match run(order_id, request, containers, root).await {
        Ok(facts) => (Report::new(Outcome::Done, describe(&facts)), Some(facts)),
        Err(why) => (Report::new(Outcome::Failed, why), None),
    }
}

fn describe(facts: &NodeFacts) -> String {
    let milliseconds = |time: u64| time / 1_000;
    let unread = facts.files.iter().filter(|file| file.state == file_fact::Reading::Unread as i32).count();
    let kinds = if facts.unread.is_empty() { String::new() } else { format!(", {} kinds of facts unread", facts.unread.len()) };
    format!(
        "{} files and {} settings read in {} ms with {} ms of a processor; {unread} files unread{kinds}",
        facts.files.len(),
        facts.sysctls.len(),
        milliseconds(facts.wall_us),
        milliseconds(facts.cpu_us)
    )
}

async fn run(order_id: String, request: GatherFacts, containers: HashMap<String, Container>, root: OwnedFd) -> Result<NodeFacts, String> {
    if request.files.len() > FILES_MAX || request.sysctls.len() > NAMES_MAX || request.probes.len() > PROBES_MAX {
        return Err(format!("an order asks for {FILES_MAX} files, {NAMES_MAX} settings and {PROBES_MAX} ports at most"));
    }
    let busy = turn().await.ok_or("a file system has not answered since facts were gathered last; ask again later")?;
    let shared: Shared = Arc::default();
    change(&shared, |facts| expect_everything(facts, order_id));
    let (done, finished) = tokio::sync::oneshot::channel();
    let (own, began) = (shared.clone(), std::time::Instant::now());
    std::thread::Builder::new()
        .name("facts".into())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let pace = Pace::begin();
            work(&own, &request, &containers, &root, &pace);
            change(&own, |facts| facts.cpu_us = pace.cpu().as_micros() as u64);
            drop(busy);
            // Whoever waited may have given up.
            done.send(()).ok();
        })
        .map_err(|error| format!("no thread for it: {error}"))?;
    // Both ends say the same: what is shared by now is what there is.
    drop(tokio::time::timeout(PATIENCE, finished).await);
    let mut facts = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
    facts.wall_us = began.elapsed().as_micros() as u64;
    Ok(facts)
}

/// Waits until the run before has ended, which takes no longer than that one's patience where it ends at all.
async fn turn() -> Option<Busy> {
    let began = std::time::Instant::now();
    loop {
        match Busy::take() {
            Some(busy) => return Some(busy),
            None if began.elapsed() > PATIENCE => return None,
            None => tokio::time::sleep(TURN).await,
        }
    }
}

/// Until a kind was read it is unread.
fn expect_everything(facts: &mut NodeFacts, order_id: String) {
    facts.order_id = order_id;
    for kind in
        ["files", "sysctls", "mounts", "modules", "kernel-arguments", "vulnerabilities", "sockets", "processes", "packages", "probes"]
    {
        facts.unread.insert(kind.into(), NO_TIME.into());
    }
}

fn settle<Value>(shared: &Shared, kind: &str, result: Result<Value, String>, put: impl FnOnce(&mut NodeFacts, Value)) {
    change(shared, |facts| match result {
        Ok(value) => {
            facts.unread.remove(kind);
            put(facts, value);
        }
        Err(why) => {
            facts.unread.insert(kind.into(), why);
        }
    });
}

fn work(shared: &Shared, request: &GatherFacts, containers: &HashMap<String, Container>, root: &OwnedFd, pace: &Pace) {
    let network = network::enter();
    let settings = network.clone().map(|()| request.sysctls.iter().map(|name| kernel::sysctl(name)).collect());
    settle(shared, "sysctls", settings, |facts, all| facts.sysctls = all);
    settle(shared, "mounts", kernel::mounts(), |facts, all| facts.mounts = all);
    settle(shared, "modules", kernel::modules(), |facts, all| facts.modules = all);
    settle(shared, "kernel-arguments", kernel::arguments(), |facts, text| facts.kernel_arguments = text);
    settle(shared, "vulnerabilities", kernel::vulnerabilities(), |facts, all| facts.vulnerabilities = all);
    if !pace.breathe() {
        return;
    }
    let sockets = network.and_then(|()| inventory::listening());
    settle(shared, "sockets", sockets.clone(), |facts, all| facts.sockets = all);
    if let Ok(sockets) = sockets {
        let mut answers = Vec::new();
        let began = std::time::Instant::now();
        let in_time = request.probes.iter().all(|probe| {
            let answer = if began.elapsed() < PROBES_TIME { probe::ask(probe, &sockets) } else { probe::unasked(probe) };
            answers.push(answer);
            pace.breathe()
        });
        settle(
            shared,
            "probes",
            if in_time || answers.len() == request.probes.len() { Ok(answers) } else { Err(NO_TIME.into()) },
            |facts, all| {
                facts.probes = all;
            },
        );
    }
    let mut processes = Vec::new();
    match programs::find(&request.programs, containers, pace) {
        Ok(found) => {
            processes.clone_from(&found.processes);
            change(shared, |facts| {
                facts.processes = found.processes;
                facts.builds = found.builds;
                if found.is_complete {
                    facts.unread.remove("processes");
                }
            });
        }
        Err(why) => settle(shared, "processes", Err(why), |_, ()| {}),
    }
    if !gather_files(shared, request, &processes, root, pace) {
        return;
    }
    settle(shared, "packages", packages::find(root, &request.packages, || pace.breathe()), |facts, all| facts.packages = all);
}

/// Whether there was time for all of them.
fn gather_files(shared: &Shared, request: &GatherFacts, processes: &[ProcessFact], root: &OwnedFd, pace: &Pace) -> bool {
    let mut content = 0;
    let mut put = |found: Vec<FileFact>| {
        content += found.iter().map(|file| file.content.len()).sum::<usize>();
        change(shared, |facts| facts.files.extend(found));
        (content < CONTENT_MAX, pace.breathe())
    };
    let mut has_room = true;
    let mut of_sshd = Vec::new();
    for asked in &request.files {
        let asked = if has_room { asked } else { &FileRequest { content_bytes: 0, ..asked.clone() } };
        let found = match asked.program.as_str() {
            "" => files::describe(root, asked),
            _ => match flags::value_of(processes, &asked.program, &asked.flag) {
                Some(path) => files::describe_named(root, asked, &path),
                None => continue,
            },
        };
        if asked.program.is_empty() && asked.path.starts_with(sshd::CONFIGURATION) && asked.content_bytes > 0 {
            of_sshd.extend(found.iter().cloned());
        }
        let (room, in_time) = put(found);
        has_room = room;
        if !in_time {
            return false;
        }
    }
    let more = if has_room { sshd::included(root, of_sshd, || pace.breathe()) } else { Some(Vec::new()) };
    let Some(more) = more else { return false };
    put(more);
    change(shared, |facts| {
        facts.unread.remove("files");
    });
    true
}

/// `bulwark-sensor facts [--root DIR]`: a request from stdin, what the server would be sent to stdout, both as protobuf.
pub fn command(words: &[String]) -> Result<ExitCode, String> {
    let arguments = crate::arguments::parse(words, &["root"], &[])?;
    let mut bytes = Vec::new();
    std::io::stdin().take(REQUEST_LIMIT).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let request = GatherFacts::decode(bytes.as_slice()).map_err(|error| format!("stdin holds no request: {error}"))?;
    let folder = arguments.value("root").unwrap_or("/");
    let root = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(folder);
    let root: OwnedFd = root.map_err(|error| format!("{folder}: {error}"))?.into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let facts = runtime.block_on(run(String::new(), request, HashMap::new(), root))?;
    std::io::stdout().write_all(&facts.encode_to_vec()).map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> OwnedFd {
        resolve::root_of(std::process::id()).expect("root")
    }

    #[test]
    fn a_run_reads_what_was_asked_for_and_says_what_it_cost() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        let request = GatherFacts {
            files: vec![FileRequest { path: "/etc/passwd".into(), content_bytes: 1_000, ..FileRequest::default() }],
            sysctls: vec!["kernel.ostype".into()],
            ..GatherFacts::default()
        };
        let facts = runtime.block_on(run("o".into(), request, HashMap::new(), root())).expect("facts");
        assert_eq!((facts.order_id.as_str(), facts.sysctls[0].value.as_str(), facts.files.len()), ("o", "Linux", 1));
        assert!(facts.wall_us > 0 && facts.cpu_us > 0 && !facts.unread.contains_key("files") && !facts.unread.contains_key("mounts"));
        // A second run waits for the first.
        let other = GatherFacts { sysctls: vec!["kernel.ostype".into()], ..GatherFacts::default() };
        let (first, second) = runtime.block_on(async {
            tokio::join!(run("a".into(), other.clone(), HashMap::new(), root()), run("b".into(), other, HashMap::new(), root()))
        });
        assert!(first.is_ok() && second.is_ok_and(|facts| facts.order_id == "b"));
        let many = GatherFacts { sysctls: vec!["a".into(); NAMES_MAX + 1], ..GatherFacts::default() };
        assert!(runtime.block_on(run("o".into(), many, HashMap::new(), root())).is_err());
    }
}

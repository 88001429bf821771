//! Ending processes, each known by its number and its start.
use serde_json::json;
use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::Report;
use crate::engine::Engine;
use crate::wire::{KillProcess, order_result::Outcome};

/// A killed process that is not gone by then is stuck in the kernel.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process that cannot be mistaken for another one that got its number.
#[derive(Debug)]
pub struct Target {
    pub pid: u32,
    handle: OwnedFd,
}

impl Target {
    /// `None` when no such process runs. `start_us` of 0 takes any.
    pub fn open(pid: u32, start_us: u64) -> Option<Self> {
        // SAFETY: pidfd_open takes two numbers and gives a new descriptor.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as i32, 0) };
        if fd < 0 {
            return None;
        }
        // SAFETY: the descriptor was just made and is nobody else's.
        let handle = unsafe { OwnedFd::from_raw_fd(fd as i32) };
        // Compared after the handle was taken: the number now stands for what the handle holds, or for nothing.
        (start_us == 0 || same_start(pid, start_us)).then_some(Self { pid, handle })
    }

    pub fn signal(&self, signal: i32) -> bool {
        // SAFETY: a valid descriptor; no siginfo.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.handle.as_raw_fd(), signal, 0, 0) == 0 }
    }

    pub fn is_gone(&self) -> bool {
        let mut poll = libc::pollfd { fd: self.handle.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid struct; no waiting.
        unsafe { libc::poll(&mut poll, 1, 0) == 1 }
    }
}

/// proc(5), /proc/pid/stat field 22 in clock ticks, of which there are a hundred in a second.
fn same_start(pid: u32, start_us: u64) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let ticks = text.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19)).and_then(|field| field.parse::<u64>().ok());
    ticks.is_some_and(|ticks| ticks.abs_diff(start_us / 10_000) <= 1)
}

/// The processes that an order means, the first before those below it.
pub fn targets(engine: &Engine, order: &KillProcess) -> Result<Vec<Target>, Report> {
    let Some(first) = engine.processes.by_pid(order.pid).filter(|process| process.start_us() == order.start_us) else {
        return Err(Report::new(Outcome::Unchanged, format!("process {} of that start has ended already", order.pid)));
    };
    let inside = first.container.borrow().as_ref().map(|container| container.facts().id.clone()).unwrap_or_default();
    if !order.container_id.is_empty() && inside != order.container_id {
        return Err(Report::new(Outcome::Refused, format!("process {} is not in container {}", order.pid, order.container_id)));
    }
    if first.pid == 1 || first.pid == engine.sensor_pid {
        return Err(Report::new(Outcome::Refused, "neither the node's first process nor the sensor is killed"));
    }
    let mut wanted = vec![first.clone()];
    if order.tree {
        let below = |process: &std::rc::Rc<crate::process::Process>| {
            let mut at = process.parent.borrow().clone();
            while let Some(parent) = at {
                if std::rc::Rc::ptr_eq(&parent, first) {
                    return true;
                }
                at = parent.parent.borrow().clone();
            }
            false
        };
        wanted.extend(engine.processes.all().filter(|process| below(process)).cloned());
    }
    if wanted.iter().any(|process| process.pid == engine.sensor_pid) {
        return Err(Report::new(Outcome::Refused, "the sensor itself is below that process, and is not killed"));
    }
    Ok(wanted.iter().filter_map(|process| Target::open(process.pid, process.start_us())).collect())
}

/// Kills and waits until they are gone.
pub async fn kill(targets: Vec<Target>) -> Report {
    if targets.is_empty() {
        return Report::new(Outcome::Unchanged, "it has ended already");
    }
    for target in &targets {
        target.signal(libc::SIGKILL);
    }
    let left = wait(&targets, PATIENCE).await;
    let facts = json!({"killed": targets.len() - left.len(), "left": left});
    if left.is_empty() {
        return Report::new(Outcome::Done, format!("{} processes ended", targets.len())).with(facts);
    }
    Report::new(Outcome::Failed, format!("{} processes did not end; they wait in the kernel", left.len())).with(facts)
}

/// Waits for all to end; the numbers of those that did not.
pub async fn wait(targets: &[Target], patience: Duration) -> Vec<u32> {
    let until = tokio::time::Instant::now() + patience;
    loop {
        let left: Vec<u32> = targets.iter().filter(|target| !target.is_gone()).map(|target| target.pid).collect();
        if left.is_empty() || tokio::time::Instant::now() >= until {
            return left;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_another_start_is_not_taken() {
        assert!(Target::open(std::process::id(), 0).is_some());
        assert!(Target::open(std::process::id(), 1).is_none());
    }

    /// When a process was started, as the kernel half would say it; ticks are a hundredth of a second.
    fn start_ns(pid: u32) -> u64 {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
        let (_, rest) = text.rsplit_once(')').expect("a name");
        rest.split_whitespace().nth(19).and_then(|field| field.parse::<u64>().ok()).expect("ticks") * 10_000_000
    }

    fn note(engine: &mut Engine, pid: u32, parent: Option<&std::rc::Rc<crate::process::Process>>) -> std::rc::Rc<crate::process::Process> {
        let body = crate::kernel::record::ForkBody { child_pid: pid, child_start_ns: start_ns(pid), ..Default::default() };
        engine.processes.forked(None, parent.cloned(), &body)
    }

    fn wait_for_child(pid: u32) -> u32 {
        let path = format!("/proc/{pid}/task/{pid}/children");
        loop {
            let text = fs::read_to_string(&path).expect("it runs");
            if let Some(child) = text.split_whitespace().next().and_then(|word| word.parse().ok()) {
                return child;
            }
            std::thread::yield_now();
        }
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("event loop").block_on(work)
    }

    #[test]
    fn an_order_ends_the_very_process_and_with_its_tree_those_below_it() {
        let mut shell = std::process::Command::new("sh").args(["-c", "sleep 100 & sleep 101"]).spawn().expect("sh");
        let child = wait_for_child(shell.id());
        let mut engine = Engine::default();
        let first = note(&mut engine, shell.id(), None);
        note(&mut engine, child, Some(&first));
        let own = note(&mut engine, std::process::id(), None);
        engine.sensor_pid = own.pid;
        let order = |pid: u32, start_us: u64, tree| KillProcess { pid, start_us, tree, container_id: String::new() };
        // The number is in use, by another process: that one is left alone.
        let another = targets(&engine, &order(first.pid, first.start_us() + 1_000_000, true)).expect_err("another start");
        assert_eq!(another.outcome, Outcome::Unchanged);
        let sensor = targets(&engine, &order(own.pid, own.start_us(), false)).expect_err("the sensor");
        assert_eq!(sensor.outcome, Outcome::Refused);
        let elsewhere = KillProcess { container_id: "c".into(), ..order(first.pid, first.start_us(), true) };
        assert_eq!(targets(&engine, &elsewhere).expect_err("not in there").outcome, Outcome::Refused);
        *own.parent.borrow_mut() = Some(first.clone());
        let above = targets(&engine, &order(first.pid, first.start_us(), true)).expect_err("the sensor is below it");
        assert_eq!(above.outcome, Outcome::Refused);
        *own.parent.borrow_mut() = None;
        let found = targets(&engine, &order(first.pid, first.start_us(), true)).expect("both");
        assert_eq!(found.iter().map(|target| target.pid).collect::<Vec<_>>().len(), 2);
        let child_handle = Target::open(child, 0).expect("it runs");
        // The shell is ours to wait for: as long as nobody does, it is not gone.
        let waiting = std::thread::spawn(move || shell.wait().expect("ended"));
        assert_eq!(run(kill(found)).outcome, Outcome::Done);
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&waiting.join().expect("thread")), Some(libc::SIGKILL));
        assert!(child_handle.is_gone());
        assert_eq!(run(kill(Vec::new())).outcome, Outcome::Unchanged);
    }
}

//! The sensor at work: one thread that drains the ring buffer on a timer and hands events on.
use aya::maps::{MapData, PerCpuArray, RingBuf};
use aya::programs::{CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, CgroupSockAddr};
use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, Ready};

use crate::arguments;
use crate::clock;
use crate::container::containerd;
use crate::doctor::{self, Cgroups};
use crate::engine::{Engine, Seen};
use crate::fold;
use crate::kernel::load::{self, Kernel, Settings, chain};
use crate::kernel::select::{self, Selector, Tries};
use crate::output::Output;
use crate::policy;
use crate::wire::{Capability, Policy};

/// Between two looks into the ring buffer: this long when there was something, that long when there was not.
const BUSY: Duration = Duration::from_millis(10);
const IDLE: Duration = Duration::from_millis(40);
/// Events are handed on at least this often.
const FLUSH_NS: u64 = 100_000_000;
const FLUSH_EVENTS: usize = 1000;
/// An event waits no longer than this for its container to be described.
const HOLD_NS: u64 = 1_000_000_000;
/// Events that may wait; what comes beyond goes out undescribed.
const HOLD_LIMIT: usize = 20_000;
/// Items that are taken before others get their turn.
const ITEMS_AT_ONCE: usize = 4096;

pub struct Sensor {
    pub kernel: Kernel,
    pub engine: Engine,
    pub cgroups: Cgroups,
    pub policy: Policy,
    pub settings: Settings,
    pub capabilities: Vec<Capability>,
    pub counters: PerCpuArray<MapData, u64>,
    held: VecDeque<Seen>,
    ready: Vec<Seen>,
    flushed_ns: u64,
    containerd: Option<tonic::transport::Channel>,
    network: Result<(), String>,
}

/// `run --output FILE|- [--policy FILE]`
pub fn command(words: &[String]) -> Result<ExitCode, String> {
    let arguments = arguments::parse(words, &["output", "policy", "state"], &[])?;
    let policy = match arguments.value("policy") {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
            policy::json::parse(&text).map_err(|error| format!("{path}: {error}"))?
        }
        None => policy::default::policy(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| format!("no event loop: {error}"))?;
    let output = match arguments.value("output") {
        Some(path) => Output::file(path)?,
        None => return Err("--output FILE (or - for standard output) is needed".into()),
    };
    let (sensor, ring) = prepare(policy)?;
    tokio::task::LocalSet::new().block_on(&runtime, work(sensor, ring, output))?;
    Ok(ExitCode::SUCCESS)
}

/// Loads and attaches everything that this kernel allows.
pub fn prepare(policy: Policy) -> Result<(Sensor, RingBuf<MapData>), String> {
    let cgroups = doctor::host_cgroups();
    let mut kernel = load::open(cgroups.version_1_only)?;
    kernel.fill_calls()?;
    let settings = Settings { sensor_pid: std::process::id(), ..Settings::default() };
    kernel.set(settings)?;
    let mut engine = Engine { cgroup_v1: cgroups.version_1_only, sensor_pid: std::process::id(), ..Engine::default() };
    engine.clock.refresh();
    engine.processes.users.refresh();
    let ring = kernel.ring()?;
    let counters = kernel.counters()?;
    kernel.attach();
    if kernel.attached.is_empty() {
        let why = kernel.refusals.first().map_or("", |refusal| refusal.why.as_str());
        return Err(format!("this kernel takes none of the programs ({why}); run as root, and see `bulwark-sensor doctor`"));
    }
    let network = doctor::probe_network(&mut kernel).and_then(|()| attach_network(&mut kernel, &cgroups));
    let capabilities = doctor::capabilities(&kernel, &cgroups, &network);
    let list = kernel.list_processes().unwrap_or_default();
    engine.take_list(&list);
    let mut sensor = Sensor {
        kernel,
        engine,
        cgroups,
        policy: Policy::default(),
        settings,
        capabilities,
        counters,
        held: VecDeque::new(),
        ready: Vec::new(),
        flushed_ns: clock::boot_ns(),
        containerd: None,
        network,
    };
    sensor.apply(policy)?;
    Ok((sensor, ring))
}

/// Links allow other programs beside them whatever the mode says.
fn attach_network(kernel: &mut Kernel, cgroups: &Cgroups) -> Result<(), String> {
    let place = cgroups.unified.as_ref().ok_or("no cgroup version 2 is mounted")?;
    let root = File::open(place).map_err(|error| format!("{place}: {error}"))?;
    for name in ["connect4", "connect6", "sendmsg4", "sendmsg6"] {
        let program = kernel.object.program_mut(name).ok_or("a program is missing")?;
        let program: &mut CgroupSockAddr = program.try_into().map_err(|error: aya::programs::ProgramError| chain(&error))?;
        program.attach(&root, CgroupAttachMode::Single).map_err(|error| chain(&error))?;
    }
    for (name, way) in [("packet_out", CgroupSkbAttachType::Egress), ("packet_in", CgroupSkbAttachType::Ingress)] {
        let program = kernel.object.program_mut(name).ok_or("a program is missing")?;
        let program: &mut CgroupSkb = program.try_into().map_err(|error: aya::programs::ProgramError| chain(&error))?;
        program.attach(&root, way, CgroupAttachMode::Single).map_err(|error| chain(&error))?;
    }
    Ok(())
}

impl Sensor {
    /// Puts a policy in force.
    pub fn apply(&mut self, policy: Policy) -> Result<(), String> {
        select::apply(&mut self.kernel, &policy, Tries::default())?;
        self.engine.selector = Selector::new(&policy);
        self.settings.events_per_second = policy.limits.as_ref().map_or(0, |limits| limits.events_per_second_per_container);
        self.kernel.set(self.settings)?;
        self.policy = policy;
        Ok(())
    }

    /// Takes what the ring buffer holds, up to a bound; true when there may be more.
    fn drain(&mut self, ring: &mut RingBuf<MapData>) -> (usize, bool) {
        for taken in 0..ITEMS_AT_ONCE {
            let Some(item) = ring.next() else { return (taken, false) };
            self.engine.take(&item);
        }
        (ITEMS_AT_ONCE, true)
    }

    /// Makes new containers known to the kernel half and asks their runtimes.
    fn settle_containers(&mut self) {
        self.engine.containers.judged.clear();
        for handle in std::mem::take(&mut self.engine.containers.found) {
            if handle.described.get() {
                continue;
            }
            if self.containerd.is_none() {
                self.containerd = containerd::channel().ok();
            }
            let Some(channel) = self.containerd.clone() else {
                handle.described.set(true);
                continue;
            };
            tokio::task::spawn_local(async move {
                let facts = handle.facts();
                let answer = containerd::describe(channel, &facts.runtime_namespace, &facts.id).await;
                if let Ok(description) = answer {
                    handle.update(|facts| {
                        facts.image = description.image;
                        facts.image_digest = description.digest;
                        facts.labels.extend(description.labels);
                    });
                }
                handle.described.set(true);
            });
        }
    }

    /// Sorts what was seen into what can go out and what waits for its container.
    fn sort(&mut self) {
        let now = clock::boot_ns();
        let waits = |seen: &Seen| {
            seen.container.as_ref().is_some_and(|container| !container.described.get()) && now.saturating_sub(seen.taken_ns) < HOLD_NS
        };
        if !self.held.is_empty() {
            let (still, ready): (Vec<Seen>, Vec<Seen>) = self.held.drain(..).partition(waits);
            self.held = still.into();
            self.ready.extend(ready);
        }
        for seen in self.engine.out.drain(..) {
            if self.held.len() < HOLD_LIMIT && waits(&seen) {
                self.held.push_back(seen);
            } else {
                self.ready.push(seen);
            }
        }
    }

    fn flush_due(&self) -> bool {
        !self.ready.is_empty() && (self.ready.len() >= FLUSH_EVENTS || clock::boot_ns() - self.flushed_ns >= FLUSH_NS)
    }

    fn flush(&mut self) -> Vec<Seen> {
        self.flushed_ns = clock::boot_ns();
        fold::fold(std::mem::take(&mut self.ready))
    }
}

/// Readable when the kernel half found the buffer filling, or something urgent.
fn watch(ring: &RingBuf<MapData>) -> Result<AsyncFd<OwnedFd>, String> {
    // SAFETY: the descriptor is open for as long as `ring` is, and is copied here.
    let borrowed = unsafe { BorrowedFd::borrow_raw(ring.as_raw_fd()) };
    let owned = borrowed.try_clone_to_owned().map_err(|error| format!("ring buffer: {error}"))?;
    // SAFETY: an owned descriptor stays open until the event loop lets go of it.
    unsafe { AsyncFd::register_with_interest(owned, Interest::READABLE) }.map_err(|error| format!("ring buffer: {error}"))
}

async fn work(mut sensor: Sensor, mut ring: RingBuf<MapData>, mut output: Output) -> Result<(), String> {
    let waker = watch(&ring)?;
    let mut stop = stop_signals()?;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut pause = IDLE;
    if let Err(why) = &sensor.network {
        eprintln!("no programs on the network: {why}");
    }
    for refusal in &sensor.kernel.refusals {
        eprintln!("{} is refused: {}", refusal.program, refusal.why);
    }
    eprintln!("ready");
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            ready = waker.readable() => {
                if let Ok(mut guard) = ready {
                    guard.clear_ready_matching(Ready::READABLE);
                }
            }
            _ = second.tick() => {
                sensor.engine.clock.refresh();
                sensor.engine.processes.users.refresh();
            }
            _ = stop.recv() => break,
        }
        loop {
            let (taken, more) = sensor.drain(&mut ring);
            pause = if taken == 0 { IDLE } else { BUSY };
            sensor.settle_containers();
            sensor.sort();
            if sensor.flush_due() {
                let events = sensor.flush();
                output.events(&events)?;
            }
            if !more {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // What is in the buffer when the sensor is told to stop still goes out.
    while sensor.drain(&mut ring).1 {}
    sensor.sort();
    sensor.ready.extend(std::mem::take(&mut sensor.held));
    let events = sensor.flush();
    output.events(&events)?;
    report_counts(&sensor);
    Ok(())
}

fn report_counts(sensor: &Sensor) {
    match crate::kernel::counters::read(&sensor.counters) {
        Ok(counts) => {
            let sum = |table: &std::collections::HashMap<String, u64>| table.values().sum::<u64>();
            eprintln!(
                "seen {} · filtered {} · lost {} · sampled {} · undescribed {} · torn {}",
                sum(&counts.seen),
                sum(&counts.filtered),
                sum(&counts.lost),
                sum(&counts.sampled),
                sensor.engine.processes.undescribed,
                sensor.engine.torn,
            );
        }
        Err(error) => eprintln!("counters cannot be read: {error}"),
    }
}

/// Either of the signals that ask a program to end.
pub struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    pub async fn recv(&mut self) -> Option<()> {
        tokio::select! {
            got = self.interrupt.recv() => got,
            got = self.terminate.recv() => got,
        }
    }
}

pub fn stop_signals() -> Result<Stop, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| format!("signals: {error}"));
    Ok(Stop { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
}

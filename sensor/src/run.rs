//! The sensor at work: one thread that drains the ring buffer on a timer and hands events on.
use aya::maps::{MapData, RingBuf};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, Ready};

use crate::arguments;
use crate::duty::Duty;
use crate::kernel::counters::Counts;
use crate::output::Output;
use crate::policy;
use crate::sensor::{self, Sensor};
use crate::server::identity::{DEFAULT_STATE, State};
use crate::upgrade::{Fetched, trial};
use crate::wire::Policy;

/// Between two looks into the ring buffer: this long when there was something, that long when there was not.
const BUSY: Duration = Duration::from_millis(10);
const IDLE: Duration = Duration::from_millis(40);

/// `run [--state DIR] [--output FILE|-] [--policy FILE]`: to the server this node is enrolled with, or as lines of JSON.
pub fn command(words: &[String]) -> Result<ExitCode, String> {
    let arguments = arguments::parse(words, &["output", "policy", "state"], &[])?;
    let given = match arguments.value("policy") {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
            Some(policy::json::parse(&text).map_err(|error| format!("{path}: {error}"))?)
        }
        None => None,
    };
    let output = arguments.value("output").map(Output::file).transpose()?;
    let state = match &output {
        Some(_) => None,
        None => {
            let state = State::open(arguments.value("state").unwrap_or(DEFAULT_STATE))?;
            state.identity().map_err(|why| format!("{why}, or give --output FILE"))?;
            trial::settle(&state)?;
            Some(state)
        }
    };
    let policy = given.or_else(|| state.as_ref().and_then(State::policy)).unwrap_or_else(policy::default::policy);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| format!("no event loop: {error}"))?;
    let upgrade = tokio::task::LocalSet::new().block_on(&runtime, work(policy, output, state.clone()))?;
    drop(runtime);
    if let (Some(state), Some(upgrade)) = (state, upgrade) {
        trial::run(&state, upgrade)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Readable when the kernel half found the buffer filling, or something urgent.
fn watch(ring: &RingBuf<MapData>) -> Result<AsyncFd<OwnedFd>, String> {
    // SAFETY: the descriptor is open for as long as `ring` is, and is copied here.
    let borrowed = unsafe { BorrowedFd::borrow_raw(ring.as_raw_fd()) };
    let owned = borrowed.try_clone_to_owned().map_err(|error| format!("ring buffer: {error}"))?;
    // SAFETY: an owned descriptor stays open until the event loop lets go of it.
    unsafe { AsyncFd::register_with_interest(owned, Interest::READABLE) }.map_err(|error| format!("ring buffer: {error}"))
}

/// Works until it is told to stop, or until there is a new program to take over.
async fn work(policy: Policy, mut output: Option<Output>, state: Option<State>) -> Result<Option<Fetched>, String> {
    let (mut sensor, mut ring) = sensor::prepare(policy)?;
    let mut duty = Duty::begin(state, &sensor)?;
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
    for gap in &sensor.blocks.gaps {
        eprintln!("block {}: {}", gap.block_id, gap.why);
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
            message = duty.next() => duty.take(message, &mut sensor),
            _ = second.tick() => {
                sensor.each_second()?;
                duty.each_second(&mut sensor)?;
            }
            _ = stop.recv() => break,
        }
        if duty.upgrade.is_some() {
            break;
        }
        loop {
            let (taken, more) = sensor.drain(&mut ring);
            pause = if taken == 0 { IDLE } else { BUSY };
            sensor.settle_containers()?;
            sensor.sort();
            if sensor.flush_due() {
                let events = sensor.flush();
                duty.events(&events);
                if let Some(output) = &mut output {
                    output.events(&events)?;
                }
            }
            if !more {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // What is in the buffer when the sensor is told to stop still goes out.
    while sensor.drain(&mut ring).1 {}
    let events = sensor.flush_all();
    duty.events(&events);
    if let Some(output) = &mut output {
        output.events(&events)?;
    }
    duty.leave();
    report_counts(&sensor);
    Ok(duty.upgrade.take())
}

/// The last line on standard error: everything that was seen, filtered and lost, by kind.
fn report_counts(sensor: &Sensor) {
    match crate::kernel::counters::read(&sensor.counters) {
        Ok(counts) => {
            let (undescribed, torn) = (sensor.engine.processes.undescribed, sensor.engine.torn);
            let Counts { seen, filtered, lost, sampled } = counts;
            let line = serde_json::json!({"seen": seen, "filtered": filtered, "lost": lost, "sampled": sampled, "undescribed": undescribed, "torn": torn});
            eprintln!("{line}");
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

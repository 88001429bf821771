//! The trial of a new program, and what the state folder knows of it.
use serde_json::{Value, json};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Fetched;
use super::execution::Execution;
use super::place::Place;
use crate::response::Report;
use crate::server::identity::State;
use crate::wire::order_result::Outcome;

/// So long has a new program to reach a gateway.
const PROVE_WITHIN: Duration = Duration::from_secs(60);
/// So long has it to end when it is asked to.
const END_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// In the environment of a program on trial: the order.
pub const TRIAL_VARIABLE: &str = "BULWARK_UPGRADE_TRIAL";
const FILE: &str = "upgrade";

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Phase {
    Trial,
    Good,
    Failed,
}

/// What is known of an upgrade that has not been answered yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    pub upgrade: Fetched,
    pub phase: Phase,
    pub reason: String,
}

impl Pending {
    /// `None` where there is none, or what there is cannot be read.
    pub fn read(state: &State) -> Option<Self> {
        let value: Value = serde_json::from_slice(&std::fs::read(state.path(FILE)).ok()?).ok()?;
        let text = |name: &str| value[name].as_str().map(String::from);
        let phase = match value["phase"].as_str()? {
            "good" => Phase::Good,
            "failed" => Phase::Failed,
            _ => Phase::Trial,
        };
        let upgrade = Fetched { order_id: text("order")?, version: text("version")?, sha256: text("sha256")? };
        Some(Self { upgrade, phase, reason: text("reason")? })
    }

    fn write(&self, state: &State) -> Result<(), String> {
        let phase = match self.phase {
            Phase::Trial => "trial",
            Phase::Good => "good",
            Phase::Failed => "failed",
        };
        let Fetched { order_id, version, sha256 } = &self.upgrade;
        let value = json!({"order": order_id, "version": version, "sha256": sha256, "phase": phase, "reason": self.reason});
        state.write(FILE, value.to_string().as_bytes())
    }

    fn failed(self, reason: String) -> Self {
        Self { phase: Phase::Failed, reason, ..self }
    }

    /// Whether this is the program that was started to be tried.
    fn is_on_trial(&self) -> bool {
        self.phase == Phase::Trial && std::env::var(TRIAL_VARIABLE).is_ok_and(|order| order == self.upgrade.order_id)
    }

    fn report(&self, runs: &str) -> Report {
        let Fetched { version, sha256, .. } = &self.upgrade;
        let report = match self.phase {
            Phase::Good if runs == sha256 => Report::new(Outcome::Done, format!("sensor {version} runs")),
            Phase::Good => Report::new(Outcome::Failed, format!("sensor {version} ran, but the program was replaced since")),
            _ => Report::new(Outcome::Failed, format!("sensor {version} was taken back: {}", self.reason)),
        };
        report.with(json!({"version": version, "sha256": sha256, "runs": runs}))
    }
}

/// What to say of an upgrade now that a gateway is reached: its order, and what came of it. Also tells a program on trial good.
pub fn reached_a_gateway(state: &State) -> Option<(String, Report)> {
    let pending = Pending::read(state)?;
    if pending.is_on_trial() {
        let good = Pending { phase: Phase::Good, ..pending };
        if let Err(why) = good.write(state) {
            eprintln!("the trial cannot be passed: {why}");
        }
        return None;
    }
    if pending.phase == Phase::Good && std::env::var_os(TRIAL_VARIABLE).is_some() {
        // The next one says it, who stays.
        return None;
    }
    let runs = Place::own().and_then(|place| place.digest()).unwrap_or_default();
    Some((pending.upgrade.order_id.clone(), pending.report(&runs)))
}

/// Once the answer is remembered, nothing is pending.
pub fn answered(state: &State, order_id: &str) {
    if Pending::read(state).is_some_and(|pending| pending.upgrade.order_id == order_id && pending.phase != Phase::Trial) {
        crate::server::identity::remove(&state.path(FILE));
    }
}

/// At a start: a trial that was interrupted, by a power cut for example, counts as failed; the old program is put back and executed.
pub fn settle(state: &State) -> Result<(), String> {
    let Some(pending) = Pending::read(state) else { return Ok(()) };
    if pending.phase != Phase::Trial || pending.is_on_trial() {
        return Ok(());
    }
    let place = Place::own()?;
    let is_new = place.digest()? == pending.upgrade.sha256;
    eprintln!("the upgrade to {} was interrupted before the new program had reached a gateway", pending.upgrade.version);
    pending.failed("it was interrupted before the new program had reached a gateway".into()).write(state)?;
    if is_new && place.previous().exists() {
        place.put_back()?;
        return Err(become_program(&place));
    }
    Ok(())
}

static ASKED_TO_END: AtomicBool = AtomicBool::new(false);

extern "C" fn asked_to_end(_: i32) {
    ASKED_TO_END.store(true, Ordering::Relaxed);
}

/// Puts the new program in place and tries it; returns only when not even the old one can be executed, or when it was asked to end.
/// The caller has let go of the kernel and of the state folder.
pub fn run(state: &State, upgrade: Fetched) -> Result<(), String> {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: the handler does nothing but set a flag.
        unsafe { libc::signal(signal, asked_to_end as extern "C" fn(i32) as libc::sighandler_t) };
    }
    let place = Place::own()?;
    let pending = Pending { upgrade, phase: Phase::Trial, reason: String::new() };
    let tried = pending.write(state).and_then(|()| place.swap()).and_then(|()| attempt(state, &place, &pending));
    if let Err(why) = tried {
        eprintln!("sensor {} is taken back: {why}", pending.upgrade.version);
        let sha256 = pending.upgrade.sha256.clone();
        pending.failed(why).write(state)?;
        if place.digest()? == sha256 {
            place.put_back()?;
        }
    }
    if ASKED_TO_END.load(Ordering::Relaxed) {
        return Ok(());
    }
    Err(become_program(&place))
}

/// Executes what is in place with the words that this program was started with; gives why that is not possible.
fn become_program(place: &Place) -> String {
    let error = match Execution::new(place, None) {
        Ok(execution) => execution.begin(),
        Err(error) => error,
    };
    format!("{}: {error}", place.program.display())
}

/// Starts the new program and waits until it has reached a gateway; then it is ended in an orderly way.
fn attempt(state: &State, place: &Place, pending: &Pending) -> Result<(), String> {
    let execution = Execution::new(place, Some(&pending.upgrade.order_id)).map_err(|error| error.to_string())?;
    let mut command = Command::new(&place.program);
    // SAFETY: two system calls after fork, nothing is allocated; a program on trial does not outlive who tries it.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Err(execution.begin())
        });
    }
    let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let began = Instant::now();
    while Pending::read(state).is_none_or(|now| now.phase != Phase::Good) {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("it ended before it had reached a gateway ({})", ended_by(status)));
        }
        if began.elapsed() > PROVE_WITHIN || ASKED_TO_END.load(Ordering::Relaxed) {
            end(&mut child)?;
            return Err(match ASKED_TO_END.load(Ordering::Relaxed) {
                true => "the sensor was stopped before the new program had reached a gateway".into(),
                false => format!("it reached no gateway within {} s", PROVE_WITHIN.as_secs()),
            });
        }
        std::thread::sleep(LOOK_EVERY);
    }
    end(&mut child)
}

fn end(child: &mut Child) -> Result<(), String> {
    // SAFETY: a child of our own that has not been waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    let began = Instant::now();
    while child.try_wait().map_err(|error| error.to_string())?.is_none() {
        if began.elapsed() > END_WITHIN {
            return child.kill().and_then(|()| child.wait()).map(drop).map_err(|error| error.to_string());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn ended_by(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no status".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pending_is_read_as_it_was_written() {
        let folder = std::env::temp_dir().join(format!("trial-{}", std::process::id()));
        let state = State::open(&folder.to_string_lossy()).expect("folder");
        assert_eq!(Pending::read(&state), None);
        let upgrade = Fetched { order_id: "o".into(), version: "2".into(), sha256: "ab".into() };
        let pending = Pending { upgrade, phase: Phase::Trial, reason: String::new() };
        for phase in [Phase::Trial, Phase::Good, Phase::Failed] {
            let pending = Pending { phase, reason: "r\"".into(), ..pending.clone() };
            pending.write(&state).expect("written");
            assert_eq!(Pending::read(&state), Some(pending));
        }
        assert_eq!(Pending { phase: Phase::Good, ..pending.clone() }.report("ab").outcome, Outcome::Done);
        assert_eq!(Pending { phase: Phase::Good, ..pending.clone() }.report("cd").outcome, Outcome::Failed);
        assert!(pending.clone().failed("no gateway".into()).report("cd").detail.contains("no gateway"));
        answered(&state, "other");
        assert!(Pending::read(&state).is_some());
        answered(&state, "o");
        assert!(Pending::read(&state).is_none());
        std::fs::remove_dir_all(folder).expect("clean");
    }
}

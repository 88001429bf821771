//! Orders of the server, each carried out once and answered with what really came of it.
mod edit;
pub mod evidence;
pub mod fix;
pub mod freeze;
pub mod isolate;
pub mod kill;
pub mod quarantine;
pub mod stop;
pub mod verify;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use crate::clock::now_us;
use crate::container::ContainerHandle;
use crate::engine::Engine;
use crate::facts;
use crate::sensor::Sensor;
use crate::server::identity::State;
use crate::upgrade::{self, Fetched};
use crate::wire::order::Action;
use crate::wire::{Order, OrderResult, order_result::Outcome, upstream};

/// What came of an action: an outcome, a sentence, and facts as JSON.
#[derive(Debug)]
pub struct Report {
    pub outcome: Outcome,
    pub detail: String,
    pub facts: serde_json::Value,
}

impl Report {
    pub fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into(), facts: serde_json::Value::Null }
    }

    pub fn with(self, facts: serde_json::Value) -> Self {
        Self { facts, ..self }
    }

    /// An error in plain words becomes a failure.
    pub fn of(result: Result<Self, String>) -> Self {
        result.unwrap_or_else(|why| Self::new(Outcome::Failed, why))
    }
}

/// What is said beside the result, before it.
pub type Answer = (OrderResult, Vec<upstream::Message>);

/// Some actions take time: what they need is taken along, so that the sensor goes on meanwhile.
pub enum Begun {
    Done(Answer),
    Later(Pin<Box<dyn Future<Output = Answer>>>),
    /// A new program is fetched; the answer comes from the one that runs afterwards.
    Upgrade(Pin<Box<dyn Future<Output = Result<Fetched, Answer>>>>),
}

pub fn result(id: &str, report: Report) -> OrderResult {
    let facts = if report.facts.is_null() { String::new() } else { report.facts.to_string() };
    OrderResult { order_id: id.into(), outcome: report.outcome as i32, detail: report.detail, finished_us: now_us(), facts }
}

fn done(id: &str, report: Report) -> Begun {
    Begun::Done((result(id, report), Vec::new()))
}

fn later(id: String, work: impl Future<Output = Report> + 'static) -> Begun {
    Begun::Later(Box::pin(async move { (result(&id, work.await), Vec::new()) }))
}

/// What an order has come to that was begun and never answered. It is not tried again: if it was what ended the sensor, it would do so each
/// time that it comes, and no order after it were ever carried out.
pub fn interrupted() -> Report {
    Report::new(Outcome::Failed, "the sensor ended while it did this; look at what the container is like, and order it again if need be")
}

/// Begins an order whose signature, node and time were verified. Evidence may take `room` bytes.
pub fn begin(sensor: &mut Sensor, state: &State, order: Order, room: usize) -> Begun {
    let id = order.id.clone();
    let Some(action) = order.action else { return done(&id, Report::new(Outcome::Refused, "the order names no action")) };
    let container_id = match &action {
        Action::Pause(one) | Action::Resume(one) | Action::RestoreNetwork(one) | Action::Stop(one) | Action::Destroy(one) => {
            one.container_id.clone()
        }
        Action::Isolate(one) => one.container_id.clone(),
        Action::Quarantine(one) => one.container_id.clone(),
        Action::CollectEvidence(one) => one.container_id.clone(),
        Action::KillProcess(_)
        | Action::RestoreFile(_)
        | Action::Upgrade(_)
        | Action::GatherFacts(_)
        | Action::ApplyFix(_)
        | Action::UndoFix(_) => String::new(),
    };
    let container = sensor.engine.containers.by_id(&container_id);
    if container.is_none() && !container_id.is_empty() {
        return done(&id, Report::new(Outcome::Refused, format!("container {container_id} does not run on this node")));
    }
    if let Some(report) = container.as_ref().and_then(|container| own_harm(&sensor.engine, &action, container)) {
        return done(&id, report);
    }
    match (action, container) {
        (Action::KillProcess(one), _) => match kill::targets(&sensor.engine, &one) {
            Ok(targets) => later(id, kill::kill(targets)),
            Err(report) => done(&id, report),
        },
        (Action::RestoreFile(one), _) => {
            let container = quarantine::container_of(state, &one.quarantine_id).and_then(|id| sensor.engine.containers.by_id(&id));
            done(&id, Report::of(quarantine::restore(state, &one, container.as_deref())))
        }
        (Action::GatherFacts(one), _) => {
            let known = sensor.engine.containers.all();
            let containers = known.iter().map(|handle| (handle.facts().id.clone(), (*handle.facts()).clone())).collect();
            Begun::Later(Box::pin(async move {
                let (report, facts) = facts::gather(id.clone(), one, containers).await;
                (result(&id, report), facts.map(upstream::Message::Facts).into_iter().collect())
            }))
        }
        (Action::ApplyFix(one), _) => done(&id, Report::of(fix::apply(state, &id, &one))),
        (Action::UndoFix(one), _) => done(&id, Report::of(fix::undo(state, &one))),
        (Action::Upgrade(one), _) => match state.identity() {
            Ok(identity) => Begun::Upgrade(Box::pin(async move {
                upgrade::prepare(id.clone(), one, identity).await.map_err(|report| (result(&id, report), Vec::new()))
            })),
            Err(why) => done(&id, Report::new(Outcome::Failed, why)),
        },
        (_, None) => done(&id, Report::new(Outcome::Refused, "the order names no container")),
        (Action::Pause(_), Some(container)) => later(id, freeze::set(container, true)),
        (Action::Resume(_), Some(container)) => later(id, freeze::set(container, false)),
        (Action::Isolate(one), Some(container)) => done(&id, Report::of(isolate::isolate(&sensor.cgroups, &container, &one.except))),
        (Action::RestoreNetwork(_), Some(container)) => done(&id, Report::of(isolate::restore(&sensor.cgroups, &container))),
        (Action::Stop(one), Some(container)) => later(id, stop::stop(directories(sensor, &container), container, one.grace_seconds)),
        (Action::Destroy(_), Some(container)) => later(id, stop::destroy(directories(sensor, &container), container)),
        (Action::Quarantine(one), Some(container)) => done(&id, Report::of(quarantine::take(state, &one, &container))),
        (Action::CollectEvidence(one), Some(container)) => {
            let (result, chunks) = evidence::collect(&sensor.engine, &id, &one, &container, room);
            Begun::Done((result, chunks.into_iter().map(upstream::Message::Evidence).collect()))
        }
    }
}

/// Why an order is not carried out that would end, halt or cut off the sensor itself, where it runs in a container: nothing would be left
/// that could answer it or take it back.
fn own_harm(engine: &Engine, action: &Action, container: &Rc<ContainerHandle>) -> Option<Report> {
    let word = match action {
        Action::Pause(_) => "paused",
        Action::Isolate(_) => "isolated",
        Action::Stop(_) => "stopped",
        Action::Destroy(_) => "destroyed",
        _ => return None,
    };
    let own = engine.processes.by_pid(engine.sensor_pid)?.container.borrow().clone()?;
    // With any container of its pod that holds the others together goes the whole pod.
    let pod = own.facts().pod_uid.clone();
    let is_own = Rc::ptr_eq(&own, container) || (!pod.is_empty() && pod == container.facts().pod_uid);
    is_own.then(|| {
        Report::new(Outcome::Refused, format!("the sensor itself runs in this container, or in its pod, and is not {word} by an order"))
    })
}

/// Where the processes of a container are listed, in every hierarchy that there is.
fn directories(sensor: &Sensor, container: &Rc<ContainerHandle>) -> Vec<String> {
    freeze::directories(&sensor.cgroups, container)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{CollectEvidence, Container, ContainerAction, IsolateNetwork};
    use std::cell::{Cell, RefCell};

    fn container(pod_uid: &str) -> Rc<ContainerHandle> {
        Rc::new(ContainerHandle {
            facts: RefCell::new(Rc::new(Container { pod_uid: pod_uid.into(), ..Container::default() })),
            cgroup_path: String::new(),
            cgroup_id: 0,
            described: Cell::new(true),
            announced: Cell::new(true),
            version: Cell::new(0),
            root: RefCell::new(None),
            users: RefCell::default(),
        })
    }

    #[test]
    fn the_sensors_own_container_is_neither_halted_nor_ended_nor_cut_off() {
        let (own, sandbox, other) = (container("pod"), container("pod"), container(""));
        let mut engine = Engine { sensor_pid: 7, ..Engine::default() };
        let harmful = [
            Action::Pause(ContainerAction::default()),
            Action::Isolate(IsolateNetwork::default()),
            Action::Stop(ContainerAction::default()),
            Action::Destroy(ContainerAction::default()),
        ];
        assert!(own_harm(&engine, &harmful[0], &own).is_none(), "nothing says that it is its own");
        let body = crate::kernel::record::ForkBody { child_pid: 7, ..Default::default() };
        *engine.processes.forked(None, None, &body).container.borrow_mut() = Some(own.clone());
        for action in &harmful {
            for container in [&own, &sandbox] {
                let report = own_harm(&engine, action, container).expect("refused");
                assert!(report.outcome == Outcome::Refused && report.detail.contains("the sensor itself"), "{}", report.detail);
            }
            assert!(own_harm(&engine, action, &other).is_none());
        }
        for harmless in [Action::Resume(ContainerAction::default()), Action::CollectEvidence(CollectEvidence::default())] {
            assert!(own_harm(&engine, &harmless, &own).is_none());
        }
    }
}

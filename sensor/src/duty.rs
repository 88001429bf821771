//! What the sensor owes to a server: events, health, inventory, obedience. Without a server there is only the watch on itself.
use std::collections::HashMap;
use tokio::sync::mpsc;

use crate::clock::now_us;
use crate::engine::Seen;
use crate::kernel::counters::{self, Counts};
use crate::kernel::load::give_memory_back;
use crate::response::{self, Answer, Begun};
use crate::sensor::Sensor;
use crate::server::health::{CpuMeter, Degradation, resident_bytes};
use crate::server::identity::State;
use crate::server::link::LinkEvent;
use crate::server::uplink::{SPOOL_BYTES, Uplink};
use crate::server::{inventory, node};
use crate::upgrade::{Fetched, trial};
use crate::wire::{Health, Hello, Policy, SignedOrder, downstream, loss, order_result, upstream};

const HEALTH_SECONDS: u64 = 10;
const INVENTORY_SECONDS: u64 = 600;
/// Between two lines on standard error about the same trouble.
const TROUBLE_SECONDS: u64 = 60;
/// Without a policy that says otherwise: of one core, for each processor of the node.
const DEFAULT_CPU_SHARE: f64 = 0.05;
/// In the second step a container may make this many events in a second.
const SAMPLED_EVENTS_PER_SECOND: u32 = 100;
/// Results of orders are remembered for a week after they were carried out.
const REMEMBER_US: i64 = 7 * 24 * 3600 * 1_000_000;

/// What arrives while the sensor works.
pub enum Message {
    Link(LinkEvent),
    Finished(Answer),
    Upgrade(Result<Fetched, Answer>),
}

pub struct Duty {
    uplink: Option<Uplink>,
    link: Option<mpsc::Receiver<LinkEvent>>,
    finished: mpsc::UnboundedReceiver<Message>,
    finish: mpsc::UnboundedSender<Message>,
    /// Orders whose work goes on: they may be asked for again before there is an answer.
    begun: Vec<String>,
    /// The order whose program is being fetched.
    upgrading: Option<String>,
    /// A program that is to take this one's place: the sensor ends for it.
    pub upgrade: Option<Fetched>,
    second: u64,
    meter: CpuMeter,
    health_meter: CpuMeter,
    degradation: Degradation,
    cpus: usize,
    counted: Counts,
    undescribed: u64,
}

impl Duty {
    pub fn begin(state: Option<State>, sensor: &Sensor) -> Result<Self, String> {
        let limit = sensor.policy.limits.as_ref().map_or(0, |limits| limits.spool_bytes);
        let (uplink, link) = match state {
            Some(state) => {
                state.prune_results(now_us() - REMEMBER_US);
                let interrupted = response::fix::interrupted(&state);
                let (mut uplink, link) = Uplink::start(state, if limit == 0 { SPOOL_BYTES } else { limit })?;
                for (id, report) in interrupted {
                    uplink.result(response::result(&id, report));
                }
                (Some(uplink), Some(link))
            }
            None => (None, None),
        };
        let (finish, finished) = mpsc::unbounded_channel();
        Ok(Self {
            uplink,
            link,
            finished,
            finish,
            begun: Vec::new(),
            upgrading: None,
            upgrade: None,
            second: 0,
            meter: CpuMeter::new(),
            health_meter: CpuMeter::new(),
            degradation: Degradation::default(),
            cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            counted: Counts::default(),
            undescribed: 0,
        })
    }

    /// The next thing that arrives; waits for ever where nothing can.
    pub async fn next(&mut self) -> Message {
        let link = async {
            match self.link.as_mut() {
                Some(link) => link.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(event) = link => Message::Link(event),
            Some(message) = self.finished.recv() => message,
        }
    }

    pub fn take(&mut self, message: Message, sensor: &mut Sensor) {
        match message {
            Message::Finished(answer) => {
                self.begun.retain(|id| *id != answer.0.order_id);
                self.answer(answer);
            }
            Message::Upgrade(Ok(fetched)) => self.upgrade = Some(fetched),
            Message::Upgrade(Err(answer)) => {
                self.upgrading = None;
                self.answer(answer);
            }
            Message::Link(LinkEvent::Accepted) => self.answer_upgrade(),
            Message::Link(LinkEvent::Up(sender)) => {
                let hello = Hello {
                    node: Some(node::describe()),
                    capabilities: sensor.capabilities.clone(),
                    policy_revision: sensor.policy.revision,
                };
                if let Some(uplink) = &mut self.uplink {
                    eprintln!("connected to the server");
                    uplink.up(sender, hello);
                    uplink.say_now(upstream::Message::Inventory(inventory::complete(&sensor.engine)));
                    // What was just said completely is no change.
                    uplink.changes.since_last(&sensor.engine.containers.all());
                }
            }
            Message::Link(LinkEvent::Down(why)) => {
                if let Some(uplink) = &mut self.uplink {
                    eprintln!("no server: {why}");
                    uplink.down();
                }
            }
            Message::Link(LinkEvent::Message(message)) => match *message {
                downstream::Message::Acknowledgement(acknowledgement) => {
                    if let Some(uplink) = &mut self.uplink {
                        uplink.acknowledged(&acknowledgement);
                    }
                }
                downstream::Message::Policy(policy) => self.policy(policy, sensor),
                downstream::Message::Order(order) => self.order(&order, sensor),
            },
        }
    }

    fn answer(&mut self, (result, messages): Answer) {
        if let Some(uplink) = &mut self.uplink {
            for message in messages {
                uplink.say(message);
            }
            uplink.result(result);
        }
    }

    /// What came of an upgrade is said by the program that runs after it.
    fn answer_upgrade(&mut self) {
        let Some(uplink) = &mut self.uplink else { return };
        if let Some((id, report)) = trial::reached_a_gateway(&uplink.state) {
            uplink.result(response::result(&id, report));
            trial::answered(&uplink.state, &id);
        }
    }

    fn policy(&mut self, policy: Policy, sensor: &mut Sensor) {
        let Some(uplink) = &mut self.uplink else { return };
        if let Some(limits) = policy.limits.as_ref().filter(|limits| limits.spool_bytes > 0) {
            uplink.spool.limit = limits.spool_bytes;
        }
        let (before, revision) = (sensor.policy.clone(), policy.revision);
        if let Err(why) = uplink.state.save_policy(&policy) {
            eprintln!("policy {revision} is not kept: {why}");
        }
        if let Err(why) = sensor.apply(policy) {
            eprintln!("policy {revision} cannot be put in force, the one of before stays: {why}");
            if let Err(why) = sensor.apply(before) {
                eprintln!("nor can that: {why}");
            }
        }
        self.health(sensor);
    }

    fn order(&mut self, signed: &SignedOrder, sensor: &mut Sensor) {
        let Some(uplink) = &mut self.uplink else { return };
        let state = uplink.state.clone();
        let identity = match state.identity() {
            Ok(identity) => identity,
            Err(why) => return eprintln!("an order cannot be verified: {why}"),
        };
        let order = match response::verify::verify(signed, &identity.order_key, &identity.node_id, now_us()) {
            Ok(order) => order,
            Err((id, why)) => {
                let report = response::Report::new(order_result::Outcome::Refused, why);
                // Not remembered: who can forge an id must not be able to use it up.
                return uplink.say(upstream::Message::Result(response::result(&id, report)));
            }
        };
        if let Some(known) = state.result(&order.id) {
            return uplink.say(upstream::Message::Result(known));
        }
        // Asked again before there is an answer.
        let pending = trial::Pending::read(&state).map(|pending| pending.upgrade.order_id);
        if [&pending, &self.upgrading].into_iter().flatten().chain(&self.begun).any(|id| *id == order.id) {
            return;
        }
        let id = order.id.clone();
        if let Some(ended) = state.begun(&id) {
            return uplink.result(ended);
        }
        if let Err(why) = state.note_begun(&response::result(&id, response::interrupted())) {
            // What can be noted nowhere is done all the same.
            eprintln!("that an order is begun is not remembered: {why}");
        }
        let room = uplink.room_for_evidence();
        match response::begin(sensor, &state, order, room) {
            Begun::Done(answer) => self.answer(answer),
            Begun::Later(work) => {
                self.begun.push(id);
                let finish = self.finish.clone();
                tokio::task::spawn_local(async move {
                    let answer = work.await;
                    // The receiver is gone only when the sensor ends.
                    drop(finish.send(Message::Finished(answer)));
                });
            }
            Begun::Upgrade(_) if self.upgrading.is_some() || pending.is_some() => {
                let report = response::Report::new(order_result::Outcome::Refused, "another upgrade is under way; ask again after it");
                self.answer((response::result(&id, report), Vec::new()));
            }
            Begun::Upgrade(work) => {
                self.upgrading = Some(id);
                let finish = self.finish.clone();
                tokio::task::spawn_local(async move {
                    let fetched = work.await;
                    // As above.
                    drop(finish.send(Message::Upgrade(fetched)));
                });
            }
        }
    }

    /// The sensor ends as it was asked to: what it has not finished may be begun again by the one that comes after it.
    pub fn leave(&self) {
        let Some(uplink) = &self.uplink else { return };
        for id in self.begun.iter().chain(&self.upgrading) {
            uplink.state.forget_begun(id);
        }
    }

    pub fn events(&mut self, events: &[Seen]) {
        if let Some(uplink) = &mut self.uplink {
            uplink.events(events);
        }
    }

    /// Counts, budget, and what is said now and then.
    pub fn each_second(&mut self, sensor: &mut Sensor) -> Result<(), String> {
        self.second += 1;
        self.count(sensor);
        let given = sensor.policy.limits.as_ref().map_or(0.0, |limits| limits.cpu_share);
        let budget = budget(given, self.cpus, self.uplink.is_some());
        if self.degradation.judge(self.meter.share(), budget) {
            sensor.degrade(self.degradation.step, SAMPLED_EVENTS_PER_SECOND)?;
            eprintln!("degradation {}: {}", self.degradation.step, self.degradation.reason);
        }
        if self.second.is_multiple_of(TROUBLE_SECONDS) && !sensor.told.trouble().is_empty() {
            eprintln!("{}", sensor.told.trouble());
        }
        if self.second.is_multiple_of(HEALTH_SECONDS) {
            give_memory_back();
            self.health(sensor);
        }
        if let Some(uplink) = self.uplink.as_mut().filter(|uplink| uplink.is_up()) {
            if self.second.is_multiple_of(INVENTORY_SECONDS) {
                uplink.say_now(upstream::Message::Inventory(inventory::complete(&sensor.engine)));
            } else if let Some(changes) = uplink.changes.since_last(&sensor.engine.containers.all()) {
                uplink.say_now(upstream::Message::Inventory(changes));
            }
            uplink.pump();
        }
        Ok(())
    }

    /// What was lost in the last second goes with the next batch.
    fn count(&mut self, sensor: &mut Sensor) {
        let counts = match counters::read(&sensor.counters) {
            Ok(counts) => counts,
            Err(error) => return eprintln!("counters cannot be read: {error}"),
        };
        if let Some(uplink) = &mut self.uplink {
            let grown = |now: &HashMap<String, u64>, before: &HashMap<String, u64>| -> Vec<(String, u64)> {
                now.iter()
                    .map(|(kind, count)| (kind.clone(), count - before.get(kind).copied().unwrap_or_default()))
                    .filter(|(_, count)| *count > 0)
                    .collect()
            };
            let (lost, sampled) = (grown(&counts.lost, &self.counted.lost), grown(&counts.sampled, &self.counted.sampled));
            let own = if lost.is_empty() && sampled.is_empty() { Ok(Vec::new()) } else { sensor.kernel.own_losses() };
            let own = own.unwrap_or_else(|why| {
                eprintln!("whose losses they are is not known: {why}");
                Vec::new()
            });
            for (reason, all) in [(loss::Reason::Buffer, lost), (loss::Reason::Sampled, sampled)] {
                for (kind, mut left) in all {
                    for one in own.iter().filter(|one| one.kind == kind && one.sampled == (reason == loss::Reason::Sampled)) {
                        let container = sensor.engine.containers.known(one.cgroup).flatten();
                        // Counted a moment later than the sum: what is more than that goes with the next.
                        let count = one.count.min(left);
                        left -= count;
                        uplink.lost_by(&kind, reason, count, container.map_or(String::new(), |handle| handle.facts().id.clone()).as_str());
                    }
                    uplink.lost(&kind, reason, left);
                }
            }
            let undescribed = sensor.engine.processes.undescribed;
            uplink.lost("execve", loss::Reason::Undescribed, undescribed - self.undescribed);
            self.undescribed = undescribed;
        }
        self.counted = counts;
    }

    fn health(&mut self, sensor: &mut Sensor) {
        let mut lost = self.counted.lost.clone();
        for (kind, count) in &self.counted.sampled {
            *lost.entry(kind.clone()).or_default() += count;
        }
        let tampering = std::mem::take(&mut sensor.engine.tampered);
        let reason = [self.uplink_trouble(), sensor.told.trouble(), self.degradation.reason.clone()];
        let reason = reason.into_iter().filter(|trouble| !trouble.is_empty()).collect::<Vec<_>>().join("; ");
        let Some(uplink) = &mut self.uplink else { return };
        uplink.say_now(upstream::Message::Health(Health {
            time_us: now_us(),
            resident_bytes: resident_bytes(),
            cpu_share: self.health_meter.share(),
            degradation: self.degradation.step,
            degradation_reason: reason,
            spool_bytes: uplink.spool.bytes(),
            spool_limit_bytes: uplink.spool.limit,
            seen: self.counted.seen.clone(),
            lost,
            filtered: self.counted.filtered.clone(),
            policy_revision: sensor.policy.revision,
            gaps: sensor.blocks.gaps.clone(),
            tampering,
        }));
    }

    fn uplink_trouble(&self) -> String {
        let trouble = self.uplink.as_ref().map(|uplink| uplink.spool.trouble.clone()).unwrap_or_default();
        if trouble.is_empty() { trouble } else { format!("the spool cannot be written: {trouble}") }
    }
}

/// Share of one core above which the sensor degrades; 0 is no bound. Lines of JSON are made for somebody who wants all of them,
/// at ten times the cost: only a policy bounds them.
fn budget(given: f64, cpus: usize, has_server: bool) -> f64 {
    match (given > 0.0, has_server) {
        (true, _) => given,
        (false, true) => DEFAULT_CPU_SHARE * cpus as f64,
        (false, false) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_with_a_server_has_a_budget_without_a_policy_too() {
        assert_eq!([budget(0.3, 4, true), budget(0.0, 4, true), budget(0.0, 4, false), budget(0.3, 4, false)], [0.3, 0.2, 0.0, 0.3]);
    }
}

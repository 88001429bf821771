//! What goes up: batches through the spool, and what is only worth saying while the stream is open.
use std::collections::VecDeque;
use tokio::sync::mpsc;

use super::batch::Builder;
use super::identity::State;
use super::inventory::Changes;
use super::link::{self, LinkEvent};
use super::spool::Spool;
use crate::engine::Seen;
use crate::response::evidence;
use crate::wire::{Acknowledgement, Hello, Loss, OrderResult, Upstream, loss, upstream};

/// Batches that are on their way without having been acknowledged.
const WINDOW: usize = 128;
/// Room in the queue that batches leave to everything else.
const RESERVED: usize = 16;
/// Results and evidence that wait for a stream.
const WAITING_LIMIT: usize = 1024;
pub const SPOOL_BYTES: u64 = 256 << 20;

pub struct Uplink {
    pub state: State,
    pub spool: Spool,
    pub changes: Changes,
    sender: Option<mpsc::Sender<Upstream>>,
    sent: u64,
    waiting: VecDeque<upstream::Message>,
    losses: Vec<Loss>,
}

impl Uplink {
    /// Opens the spool and begins to look for the server.
    pub fn start(state: State, limit: u64) -> Result<(Self, mpsc::Receiver<LinkEvent>), String> {
        let spool = Spool::open(state.path("spool"), limit)?;
        let (events, receiver) = mpsc::channel(16);
        tokio::task::spawn_local(link::keep(state.clone(), events));
        let uplink =
            Self { state, spool, changes: Changes::default(), sender: None, sent: 0, waiting: VecDeque::new(), losses: Vec::new() };
        Ok((uplink, receiver))
    }

    pub fn is_up(&self) -> bool {
        self.sender.is_some()
    }

    /// Counts something that will not arrive; it travels with the next batch.
    pub fn lost(&mut self, kind: &str, reason: loss::Reason, count: u64) {
        self.lost_by(kind, reason, count, "");
    }

    /// The same, of a container; empty is the host, or nobody knows.
    pub fn lost_by(&mut self, kind: &str, reason: loss::Reason, count: u64, container_id: &str) {
        if count == 0 {
            return;
        }
        // A container may have many cgroups, and many seconds may pass before a batch goes.
        let is_same = |loss: &&mut Loss| loss.reason == reason as i32 && loss.kind == kind && loss.container_id == container_id;
        match self.losses.iter_mut().find(is_same) {
            Some(loss) => loss.count += count,
            None => self.losses.push(Loss { kind: kind.into(), reason: reason as i32, count, container_id: container_id.into() }),
        }
    }

    pub fn events(&mut self, events: &[Seen]) {
        let thrown = self.spool.take_thrown();
        self.lost("batch", loss::Reason::Spool, thrown.batches);
        if events.is_empty() && self.losses.is_empty() {
            return;
        }
        let mut builder = Builder::default();
        for seen in events {
            builder.add(seen);
        }
        let batch = builder.finish(std::mem::take(&mut self.losses));
        self.spool.push(batch);
        self.pump();
    }

    /// Sends what the window and the queue have room for.
    pub fn pump(&mut self) {
        let Some(sender) = self.sender.clone() else { return };
        while let Some(message) = self.waiting.pop_front() {
            if let Err(error) = sender.try_send(Upstream { message: Some(message) }) {
                self.put_back(error);
                return;
            }
        }
        // What was sent and is still kept waits for its acknowledgement. Counted, since numbers have gaps that nobody acknowledges.
        while sender.capacity() > RESERVED && self.spool.up_to(self.sent) < WINDOW {
            let Some((sequence, batch)) = self.spool.after(self.sent) else { return };
            if sender.try_send(Upstream { message: Some(upstream::Message::Batch(batch)) }).is_err() {
                return;
            }
            self.sent = sequence;
        }
    }

    fn put_back(&mut self, error: mpsc::error::TrySendError<Upstream>) {
        let (mpsc::error::TrySendError::Full(back) | mpsc::error::TrySendError::Closed(back)) = error;
        if let Some(message) = back.message {
            self.waiting.push_front(message);
        }
    }

    /// Something that must arrive, now or with the next stream.
    pub fn say(&mut self, message: upstream::Message) {
        if self.waiting.len() < WAITING_LIMIT {
            self.waiting.push_back(message);
        }
        self.pump();
    }

    /// How much evidence may be collected beside what still waits to be sent.
    pub fn room_for_evidence(&self) -> usize {
        let bytes = |message: &upstream::Message| match message {
            upstream::Message::Evidence(chunk) => chunk.content.len(),
            _ => 0,
        };
        evidence::LIMIT.saturating_sub(self.waiting.iter().map(bytes).sum())
    }

    /// Something that is of no worth later.
    pub fn say_now(&mut self, message: upstream::Message) {
        if let Some(sender) = &self.sender {
            // A full queue means that the server is behind; the next report says the same, newer.
            drop(sender.try_send(Upstream { message: Some(message) }));
        }
    }

    pub fn result(&mut self, result: OrderResult) {
        if let Err(why) = self.state.save_result(&result) {
            eprintln!("a result is not remembered: {why}");
        }
        self.say(upstream::Message::Result(result));
    }

    pub fn up(&mut self, sender: mpsc::Sender<Upstream>, hello: Hello) {
        // Nothing else can be in a queue that was just made.
        drop(sender.try_send(Upstream { message: Some(upstream::Message::Hello(hello)) }));
        self.sender = Some(sender);
        self.sent = 0;
        self.pump();
    }

    pub fn down(&mut self) {
        self.sender = None;
    }

    pub fn acknowledged(&mut self, acknowledgement: &Acknowledgement) {
        self.spool.forget(&acknowledgement.epoch, acknowledgement.sequence);
        self.pump();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::EventBatch;

    fn uplink(folder: &std::path::Path) -> Uplink {
        let state = State::open(&folder.to_string_lossy()).expect("state");
        let spool = Spool::open(state.path("spool"), SPOOL_BYTES).expect("spool");
        Uplink { state, spool, changes: Changes::default(), sender: None, sent: 0, waiting: VecDeque::new(), losses: Vec::new() }
    }

    fn batches(receiver: &mut mpsc::Receiver<Upstream>) -> Vec<u64> {
        let messages = std::iter::from_fn(|| receiver.try_recv().ok());
        messages
            .filter_map(|sent| match sent.message {
                Some(upstream::Message::Batch(batch)) => Some(batch.sequence),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn what_is_on_its_way_is_counted_and_numbers_that_are_not_given_are_waited_for_by_nobody() {
        let folder = std::env::temp_dir().join(format!("uplink-{}", std::process::id()));
        let mut before = uplink(&folder);
        for _ in 0..3 {
            before.spool.push(EventBatch::default());
        }
        drop(before);
        let mut uplink = uplink(&folder);
        for _ in 0..WINDOW {
            uplink.spool.push(EventBatch::default());
        }
        let (sender, mut receiver) = mpsc::channel(4 * WINDOW);
        uplink.up(sender, Hello::default());
        let sent = batches(&mut receiver);
        assert_eq!((&sent[..3], sent.len()), ([1, 2, 3].as_slice(), WINDOW));
        let epoch = uplink.spool.epoch.clone();
        uplink.acknowledged(&Acknowledgement { epoch: epoch.clone(), sequence: 2 });
        assert_eq!(batches(&mut receiver).len(), 2);
        let last = sent[WINDOW - 1];
        uplink.acknowledged(&Acknowledgement { epoch, sequence: last });
        assert_eq!(batches(&mut receiver).len(), 1);
        std::fs::remove_dir_all(folder).expect("clean");
    }
}

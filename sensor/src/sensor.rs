//! The sensor's parts together: kernel half, processes, containers, policy.
use aya::maps::{HashMap as BpfMap, MapData, PerCpuArray, RingBuf};
use aya::programs::{CgroupAttachMode, CgroupSockAddr};
use std::collections::VecDeque;
use std::fs::File;
use tokio::sync::mpsc;

use crate::clock;
use crate::container::containerd;
use crate::doctor::{self, Cgroups};
use crate::engine::{Engine, Seen};
use crate::file_guard::{FileGuard, FileRule, Refused};
use crate::fold;
use crate::kernel::load::{self, Kernel, Settings, chain};
use crate::kernel::record;
use crate::kernel::select::{self, Selector, Tries};
use crate::packets::{self, Packets, Where};
use crate::policy::block::{Blocks, Can, CgroupState, holds_for, needs_guard};
use crate::told::Told;
use crate::wire::{Capability, EventType, Policy};

/// Events are handed on at least this often.
const FLUSH_NS: u64 = 100_000_000;
const FLUSH_EVENTS: usize = 1000;
/// An event waits no longer than this for its container to be described.
const HOLD_NS: u64 = 1_000_000_000;
/// Events that may wait; what comes beyond goes out undescribed.
const HOLD_LIMIT: usize = 20_000;
/// Items that are taken before others get their turn.
const ITEMS_AT_ONCE: usize = 4096;
/// Flags of `struct cgroup_state`.
const CGROUP_CONTAINER: u32 = 1;
const CGROUP_HOST: u32 = 2;
const CGROUP_PACKETS: u32 = 4;
/// Between two reports of open connections, where the policy says nothing.
const FLOW_SECONDS: u32 = 30;
/// A resolver sends its questions well before this after it has said where to.
const ASKING_NS: u64 = 2_000_000_000;

pub struct Sensor {
    pub kernel: Kernel,
    pub engine: Engine,
    pub cgroups: Cgroups,
    pub policy: Policy,
    pub blocks: Blocks,
    pub settings: Settings,
    pub capabilities: Vec<Capability>,
    pub counters: PerCpuArray<MapData, crate::kernel::counters::Words>,
    pub network: Result<(), String>,
    pub told: Told,
    packets: Packets,
    seconds: u32,
    /// When a container last began to ask for names; 0 once the kernel half needs to look at calls that send no more.
    asked_ns: u64,
    guard: Option<FileGuard>,
    refuse: mpsc::UnboundedSender<Refused>,
    refused: mpsc::UnboundedReceiver<Refused>,
    held: VecDeque<Seen>,
    ready: Vec<Seen>,
    flushed_ns: u64,
    containerd: Option<tonic::transport::Channel>,
    /// Containers whose description arrived since the kernel half was told last.
    described: std::rc::Rc<std::cell::RefCell<Vec<std::rc::Rc<crate::container::ContainerHandle>>>>,
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
    if kernel.sees_nothing() {
        let why = kernel.refusals.first().map_or("", |refusal| refusal.why.as_str());
        return Err(format!("this kernel takes none of the programs ({why}); run as root, and see `bulwark-sensor doctor`"));
    }
    let network = doctor::probe_network(&mut kernel).and_then(|()| attach_network(&mut kernel, &cgroups));
    let capabilities = doctor::capabilities(&kernel, &cgroups, &network);
    let list = kernel.list_processes().unwrap_or_default();
    engine.take_list(&list);
    drop(list);
    kernel.settled();
    let (refuse, refused) = mpsc::unbounded_channel();
    let mut sensor = Sensor {
        told: Told::default(),
        packets: Packets::default(),
        seconds: 0,
        asked_ns: 0,
        guard: None,
        refuse,
        refused,
        kernel,
        engine,
        cgroups,
        policy: Policy::default(),
        blocks: Blocks::default(),
        settings,
        capabilities,
        counters,
        held: VecDeque::new(),
        ready: Vec::new(),
        flushed_ns: clock::boot_ns(),
        containerd: None,
        network,
        described: std::rc::Rc::default(),
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
    Ok(())
}

impl Sensor {
    /// Puts a policy in force.
    pub fn apply(&mut self, policy: Policy) -> Result<(), String> {
        let mut tries = Tries::default();
        let refuses = self.kernel.hooks.refuse();
        let guarded =
            |block: &crate::wire::Block| matches!(&block.what, Some(crate::wire::block::What::File(file)) if needs_guard(file, refuses));
        let guard = if policy.blocks.iter().any(guarded) { self.start_guard() } else { Ok(()) };
        let blocks = Blocks::compile(&policy.blocks, &mut tries, &Can { network: &self.network, guard: &guard, refuses });
        // While tables change, nothing is blocked: a bit must never mean the wrong block.
        let quiet = Settings {
            events_per_second: self.settings.events_per_second,
            enforcement_only: self.settings.enforcement_only,
            sensor_pid: self.settings.sensor_pid,
            packets_on_demand: self.settings.packets_on_demand,
            ..Settings::default()
        };
        self.kernel.set(quiet)?;
        self.tell_cgroups(|_| 0)?;
        blocks.apply(&mut self.kernel)?;
        select::apply(&mut self.kernel, &policy, tries, &blocks)?;
        self.engine.selector = Selector::new(&policy);
        self.engine.block_ids.clone_from(&blocks.ids);
        self.engine.digests.limit = policy.digest_files_up_to_bytes;
        let place = if self.network.is_ok() { packets::needed(&policy) } else { Where::Nowhere };
        self.packets.settle(&mut self.kernel, &self.cgroups, place)?;
        self.settings.packets_on_demand = u32::from(place == Where::OnDemand);
        self.settings.events_per_second = policy.limits.as_ref().map_or(0, |limits| limits.events_per_second_per_container);
        blocks.settings(&mut self.settings);
        self.settings.flow_ns = u64::from(flow_seconds(&policy)) * 1_000_000_000 / 2;
        self.settings.watches_roots = u32::from(!blocks.files.is_empty());
        self.settings.refuses_calls = u32::from(refuses);
        self.kernel.keep_refusing(blocks.needed())?;
        self.tell_cgroups(|container| blocks.of(container))?;
        self.kernel.set(self.settings)?;
        self.blocks = blocks;
        self.policy = policy;
        self.guard_files();
        Ok(())
    }

    /// The guard of files costs a thread: it is there once a block needs it.
    fn start_guard(&mut self) -> Result<(), String> {
        if self.guard.is_none() {
            self.guard = Some(FileGuard::start(self.refuse.clone(), self.cgroups.version_1_only, self.kernel.joining()?)?);
        }
        Ok(())
    }

    /// Tells the guard of files what holds where, and which mounts to watch.
    fn guard_files(&mut self) {
        let Some(guard) = &mut self.guard else { return };
        let containers = self.engine.containers.all();
        guard.keep_only(&containers.iter().map(|handle| handle.facts().id.clone()).collect::<Vec<_>>());
        let mut rules = Vec::new();
        for (block_id, scope, block) in &self.blocks.files {
            let holding = containers.iter().filter(|handle| holds_for(scope, &handle.facts()));
            let cgroups: Vec<String> = holding.map(|handle| handle.cgroup_path.clone()).collect();
            for handle in containers.iter().filter(|handle| cgroups.contains(&handle.cgroup_path)) {
                if let Err(why) = guard.watch(&handle.facts()) {
                    eprintln!("block {block_id}: {why}");
                }
            }
            rules.push(FileRule { block_id: block_id.clone(), block: block.clone(), cgroups });
        }
        guard.set_rules(rules);
    }

    /// Puts a step of degradation in force: 1 samples what floods, 2 leaves enforcement only.
    pub fn degrade(&mut self, step: u32, sampled_per_second: u32) -> Result<(), String> {
        let wanted = self.policy.limits.as_ref().map_or(0, |limits| limits.events_per_second_per_container);
        self.settings.events_per_second = match (step, wanted) {
            (0, wanted) => wanted,
            (_, 0) => sampled_per_second,
            (_, wanted) => wanted.min(sampled_per_second),
        };
        self.settings.enforcement_only = u32::from(step >= 2);
        self.kernel.set(self.settings)
    }

    /// Writes what holds in each known cgroup.
    fn tell_cgroups(&mut self, blocks: impl Fn(Option<&crate::wire::Container>) -> u64) -> Result<(), String> {
        let states: Vec<(u64, CgroupState)> = self
            .engine
            .containers
            .every_cgroup()
            .into_iter()
            .map(|(cgroup, container)| (cgroup, state_of(container.as_deref(), &blocks, &self.packets)))
            .collect();
        self.tell(states, Vec::new())
    }

    /// Tells the kernel half what was found out since it was told last.
    fn tell_news(&mut self) -> Result<(), String> {
        let mut news = std::mem::take(&mut self.engine.containers.judged);
        for handle in self.watch_askers() {
            news.extend(self.engine.containers.cgroups_of(&handle).into_iter().map(|cgroup| (cgroup, Some(handle.clone()))));
        }
        for handle in self.described.take() {
            news.extend(self.engine.containers.cgroups_of(&handle).into_iter().map(|cgroup| (cgroup, Some(handle.clone()))));
        }
        let gone = std::mem::take(&mut self.engine.containers.forgotten);
        let started = std::mem::take(&mut self.engine.started);
        if !gone.is_empty() {
            let paths: Vec<String> = self.engine.containers.all().iter().map(|handle| handle.cgroup_path.clone()).collect();
            self.packets.keep_only(|path| paths.iter().any(|alive| alive == path));
        }
        let guarded_change = news.iter().any(|(_, container)| container.is_some()) || !started.is_empty();
        if guarded_change && !self.blocks.files.is_empty() {
            self.guard_files();
        }
        if news.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let blocks = |container: Option<&crate::wire::Container>| self.blocks.of(container);
        let states: Vec<(u64, CgroupState)> =
            news.iter().map(|(cgroup, handle)| (*cgroup, state_of(handle.as_deref(), &blocks, &self.packets))).collect();
        self.tell(states, gone)?;
        self.kernel.forget_paths()
    }

    /// Tells the kernel half of cgroups that are gone and of those that are there. What it does not take is noted and ends nothing:
    /// in all other cgroups everything goes on to hold.
    fn tell(&mut self, states: Vec<(u64, CgroupState)>, gone: Vec<u64>) -> Result<(), String> {
        let map = self.kernel.object.map_mut("cgroups").ok_or("the object has no map `cgroups`")?;
        let mut map: BpfMap<_, u64, CgroupState> = BpfMap::try_from(map).map_err(|error| format!("cgroups: {error}"))?;
        // Those of containers first, should there not be room for all.
        let (hosts, containers): (Vec<_>, Vec<_>) = states.into_iter().partition(|(_, state)| state.flags & CGROUP_HOST != 0);
        for (cgroup, state) in containers.into_iter().chain(hosts) {
            self.told.tell(cgroup, state.flags & CGROUP_HOST != 0, || map.insert(cgroup, state, 0));
        }
        for cgroup in gone {
            self.told.forget(cgroup);
            // One that was never told is not there; nothing is lost by that.
            drop(map.remove(&cgroup));
        }
        Ok(())
    }

    /// Looks at the packets of containers that began to ask for names; those that are looked at now.
    fn watch_askers(&mut self) -> Vec<std::rc::Rc<crate::container::ContainerHandle>> {
        let asking = std::mem::take(&mut self.engine.asking);
        if !asking.is_empty() {
            self.asked_ns = clock::boot_ns();
        }
        for handle in &asking {
            if let Err(why) = self.packets.watch(&mut self.kernel, &self.cgroups, &handle.cgroup_path) {
                eprintln!("packets of container {}: {why}", handle.facts().id);
            }
        }
        asking
    }

    /// What is due every second, whatever happens.
    pub fn each_second(&mut self) -> Result<(), String> {
        self.engine.clock.refresh();
        self.engine.processes.users.refresh();
        self.kernel.forget_paths()?;
        self.seconds = self.seconds.wrapping_add(1);
        let told = self.kernel.refusals.iter().all(|refusal| refusal.capability != "flow-open");
        let wanted = self.policy.selections.iter().any(|selection| selection.r#type == EventType::Flow as i32);
        if told && wanted && self.seconds.is_multiple_of(flow_seconds(&self.policy)) {
            self.kernel.list_flows()?;
        }
        if self.asked_ns != 0 && clock::boot_ns() - self.asked_ns > ASKING_NS {
            self.asked_ns = 0;
            self.kernel.want_again()?;
        }
        Ok(())
    }

    /// Takes what the ring buffer holds, up to a bound: how many items, and whether there may be more.
    pub fn drain(&mut self, ring: &mut RingBuf<MapData>) -> (usize, bool) {
        // By time among the records: what came before says who was refused, what comes after makes something else of it.
        let mut refused: VecDeque<Refused> = std::iter::from_fn(|| self.refused.try_recv().ok()).collect();
        let mut taken = 0;
        while let Some(item) = ring.next() {
            while let Some(one) = refused.pop_front_if(|one| one.time_ns < record::time_ns(&item)) {
                self.engine.file_refused(&one);
            }
            self.engine.take(&item);
            taken += 1;
            if taken == ITEMS_AT_ONCE {
                break;
            }
        }
        for one in &refused {
            self.engine.file_refused(one);
        }
        (taken, taken == ITEMS_AT_ONCE)
    }

    /// Makes new containers known to the kernel half and asks their runtimes.
    pub fn settle_containers(&mut self) -> Result<(), String> {
        self.tell_news()?;
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
            let described = self.described.clone();
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
                described.borrow_mut().push(handle);
            });
        }
        Ok(())
    }

    /// Sorts what was seen into what can go out and what waits for its container.
    pub fn sort(&mut self) {
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

    pub fn flush_due(&self) -> bool {
        !self.ready.is_empty() && (self.ready.len() >= FLUSH_EVENTS || clock::boot_ns() - self.flushed_ns >= FLUSH_NS)
    }

    /// Everything, also what still waits.
    pub fn flush_all(&mut self) -> Vec<Seen> {
        self.sort();
        self.ready.extend(std::mem::take(&mut self.held));
        self.flush()
    }

    pub fn flush(&mut self) -> Vec<Seen> {
        self.flushed_ns = clock::boot_ns();
        fold::fold(std::mem::take(&mut self.ready))
    }
}

fn flow_seconds(policy: &Policy) -> u32 {
    match policy.limits.as_ref().map_or(0, |limits| limits.flow_seconds) {
        0 => FLOW_SECONDS,
        seconds => seconds,
    }
}

fn state_of(
    container: Option<&crate::container::ContainerHandle>,
    blocks: &impl Fn(Option<&crate::wire::Container>) -> u64,
    packets: &Packets,
) -> CgroupState {
    let facts = container.map(|handle| handle.facts());
    let watched = container.is_some_and(|handle| packets.watches(&handle.cgroup_path));
    let flags = if facts.is_some() { CGROUP_CONTAINER } else { CGROUP_HOST } | if watched { CGROUP_PACKETS } else { 0 };
    CgroupState { flags, reserved: 0, blocks: blocks(facts.as_deref()) }
}

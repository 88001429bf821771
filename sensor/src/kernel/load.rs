//! Loads and attaches the kernel programs, each by itself: what a kernel refuses is noted and the rest goes on.
use aya::maps::{Array, MapData, PerCpuArray, RingBuf};
use aya::programs::tp_btf::BtfTracePointLink;
use aya::programs::{BtfTracePoint, Iter, Program};
use aya::{Btf, Ebpf, EbpfLoader};
use std::collections::HashMap;
use std::fmt::Display;
use std::io::Read;

use super::calls;
use super::counters::{self, LossKey, OwnLoss, Words};
use super::hooks::{self, Hooks, Needed};

static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/sensor.bpf.o"));
static OBJECT_WITH_HOOKS: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/sensor_hooks.bpf.o"));

/// Tells of open connections.
const FLOWS: &str = "list_flows";

/// Bound on what the list of processes may weigh.
const PROCESS_LIST_LIMIT: u64 = 64 << 20;

/// Slots of scratch memory, see bpf/maps.h: for programs that are never interrupted, and with those that are.
const SLOTS_OF_TRACEPOINTS: u32 = 2;
const SLOTS: u32 = 5;

/// A program, what it is attached to, and the capability of `doctor` that hangs on it.
pub const TRACEPOINTS: &[(&str, &str, &str)] = &[
    ("cgroup_made", "cgroup_mkdir", "container"),
    ("cgroup_gone", "cgroup_rmdir", "container"),
    ("cgroup_joined", "cgroup_attach_task", "container"),
    ("process_fork", "sched_process_fork", "process"),
    ("process_exec", "sched_process_exec", "exec"),
    ("process_exit", "sched_process_exit", "process"),
    ("socket_state", "inet_sock_set_state", "flow"),
    ("call_returned", "sys_exit", "calls"),
    ("ring_request", "io_uring_submit_req", "io-uring"),
];

/// `struct settings` of bpf/maps.h.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    pub events_per_second: u32,
    pub enforcement_only: u32,
    pub sensor_pid: u32,
    pub packets_on_demand: u32,
    pub default_blocks: u64,
    pub host_blocks: u64,
    pub drifted_blocks: u64,
    pub memory_blocks: u64,
    pub socket_blocks: u64,
    pub connect_blocks: u64,
    pub read_blocks: u64,
    pub write_blocks: u64,
    pub refuses_calls: u32,
    pub watches_roots: u32,
    pub flow_ns: u64,
}

// SAFETY: plain numbers without padding.
unsafe impl aya::Pod for Settings {}

/// A refusal, by the program's name.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub program: String,
    pub capability: String,
    pub why: String,
}

/// By process number.
pub type Joining = aya::maps::HashMap<MapData, u32, u32>;

pub struct Kernel {
    pub object: Ebpf,
    /// Tens of megabytes that only loading needs; see [`Kernel::settled`].
    btf: Option<Btf>,
    pub refusals: Vec<Refusal>,
    /// The better means, where the kernel takes them.
    pub hooks: Hooks,
    /// Programs of tracepoints by name; one that is let go detaches.
    links: HashMap<&'static str, BtfTracePointLink>,
    wanted: [u8; calls::NUMBERS_MAX],
    losses: HashMap<LossKey, u64>,
}

/// Everything from the error to its last cause, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text.lines().next().unwrap_or_default().chars().take(300).collect()
}

fn failed(what: &str, error: impl Display) -> String {
    format!("{what}: {error}")
}

/// Reads the object into the kernel without attaching anything.
pub fn open(cgroup_v1: bool) -> Result<Kernel, String> {
    raise_memory_limit();
    let btf = Btf::from_sys_fs().map_err(|error| failed("the kernel has no type information (CONFIG_DEBUG_INFO_BTF)", error))?;
    let means = hooks::probe(&btf);
    let interrupted = means.lsm.is_ok() || means.functions.is_ok();
    let mut object = EbpfLoader::new()
        .btf(Some(&btf))
        .override_global("cgroup_v1", &u8::from(cgroup_v1), true)
        .map_max_entries("scratches", if interrupted { SLOTS } else { SLOTS_OF_TRACEPOINTS })
        .load(if interrupted { OBJECT_WITH_HOOKS } else { OBJECT })
        .map_err(|error| failed("the kernel programs cannot be prepared", chain(&error)))?;
    let hooks = Hooks::load(&mut object, &btf, means);
    Ok(Kernel {
        object,
        hooks,
        btf: Some(btf),
        refusals: Vec::new(),
        links: HashMap::new(),
        wanted: [0; calls::NUMBERS_MAX],
        losses: HashMap::new(),
    })
}

/// Hands freed memory back to the system, which the C library keeps otherwise.
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: no arguments that could be wrong; the allocator does its own locking.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Kernels before 5.11 count maps against this limit; later ones do not look at it.
fn raise_memory_limit() {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a valid struct; a refusal leaves the limit as it was, and loading then says what is missing.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &limit) };
}

impl Kernel {
    /// Attaches what can be attached.
    pub fn attach(&mut self) {
        let Some(btf) = &self.btf else { return };
        for (name, tracepoint, capability) in TRACEPOINTS {
            match attach_tracepoint(&mut self.object, btf, name, tracepoint) {
                Ok(link) => drop(self.links.insert(name, link)),
                Err(why) => self.refusals.push(Refusal { program: (*name).into(), capability: (*capability).into(), why }),
            }
        }
        let loaded: Result<(), String> = (|| {
            let program: &mut Iter = self
                .object
                .program_mut(FLOWS)
                .ok_or("not in the object")?
                .try_into()
                .map_err(|error: aya::programs::ProgramError| chain(&error))?;
            program.load("task", btf).map_err(|error| chain(&error))
        })();
        if let Err(why) = loaded {
            self.refusals.push(Refusal { program: FLOWS.into(), capability: "flow-open".into(), why });
        }
    }

    /// Has the kernel half tell of connections that are open. A kernel before 5.13 cannot.
    pub fn list_flows(&mut self) -> Result<(), String> {
        let program: &mut Iter = self
            .object
            .program_mut(FLOWS)
            .ok_or("the object has no program `list_flows`")?
            .try_into()
            .map_err(|error: aya::programs::ProgramError| chain(&error))?;
        let link = program.attach().map_err(|error| chain(&error))?;
        let link = program.take_link(link).map_err(|error| chain(&error))?;
        let mut file = link.into_file().map_err(|error| chain(&error))?;
        // What is told comes through the ring buffer; here there is nothing to be read but the end.
        std::io::copy(&mut file, &mut std::io::sink()).map(drop).map_err(|error| failed("open connections", error))
    }

    /// What each cgroup lost since the last look.
    pub fn own_losses(&mut self) -> Result<Vec<OwnLoss>, String> {
        let map = self.object.map_mut("losses").ok_or("the object has no map `losses`")?;
        let map = aya::maps::HashMap::try_from(map).map_err(|error| failed("losses", error))?;
        Ok(counters::own_losses(&map, &mut self.losses))
    }

    /// Processes that set a container up: the runtime at its work, which no block holds for.
    pub fn joining(&mut self) -> Result<Joining, String> {
        let map = self.object.take_map("joining").ok_or("the object has no map `joining`")?;
        aya::maps::HashMap::try_from(map).map_err(|error| failed("joining", error))
    }

    /// Whether none could be attached.
    pub fn sees_nothing(&self) -> bool {
        self.links.is_empty()
    }

    /// Attaches a program that was loaded, or lets go of it: as long as a tracepoint of calls has a program, each call of each process
    /// takes the long way through the kernel.
    pub fn keep_attached(&mut self, name: &'static str, needed: bool) -> Result<(), String> {
        if !needed {
            self.links.remove(name);
        } else if !self.links.contains_key(name) && !self.refusals.iter().any(|refusal| refusal.program == name) {
            let link = link(program(&mut self.object, name)?)?;
            self.links.insert(name, link);
        }
        Ok(())
    }

    /// Sees calls return, by the best means there is.
    pub fn keep_calls_attached(&mut self, needed: bool) -> Result<(), String> {
        if self.hooks.see_calls() {
            self.hooks.keep_calls(&mut self.object, needed)?;
            return self.keep_attached("call_returned", false);
        }
        self.keep_attached("call_returned", needed)
    }

    /// Refuses before anything is done, where the kernel can.
    pub fn keep_refusing(&mut self, needed: Needed) -> Result<(), String> {
        self.hooks.keep_refusing(&mut self.object, needed)
    }

    /// Tells the kernel half which calls there are.
    pub fn fill_calls(&mut self) -> Result<(), String> {
        let map = self.object.map_mut("calls").ok_or("the object has no map `calls`")?;
        let mut table: Array<_, calls::KernelCall> = Array::try_from(map).map_err(|error| failed("calls", error))?;
        for (key, row) in calls::rows() {
            table.set(key, row, 0).map_err(|error| failed("calls", error))?;
        }
        Ok(())
    }

    /// Tells the kernel half which calls deserve a second look.
    pub fn want(&mut self, table: [u8; calls::NUMBERS_MAX]) -> Result<(), String> {
        self.wanted = table;
        self.want_again()
    }

    /// The same table again: the kernel half adds to it while names are asked for.
    pub fn want_again(&mut self) -> Result<(), String> {
        let table = self.wanted;
        let map = self.object.map_mut("wanted_calls").ok_or("the object has no map `wanted_calls`")?;
        let mut array: Array<_, [u8; calls::NUMBERS_MAX]> = Array::try_from(map).map_err(|error| failed("wanted_calls", error))?;
        array.set(0, table, 0).map_err(|error| failed("wanted_calls", error))
    }

    /// Makes the kernel half find out about every path anew.
    pub fn forget_paths(&mut self) -> Result<(), String> {
        let map = self.object.map_mut("generation").ok_or("the object has no map `generation`")?;
        let mut array: Array<_, u64> = Array::try_from(map).map_err(|error| failed("generation", error))?;
        let next = array.get(&1, 0).map_err(|error| failed("generation", error))?.wrapping_add(1);
        array.set(1, next, 0).map_err(|error| failed("generation", error))
    }

    pub fn ring(&mut self) -> Result<RingBuf<MapData>, String> {
        let map = self.object.take_map("ring").ok_or("the object has no map `ring`")?;
        RingBuf::try_from(map).map_err(|error| failed("ring", error))
    }

    pub fn counters(&mut self) -> Result<PerCpuArray<MapData, Words>, String> {
        let map = self.object.take_map("counters").ok_or("the object has no map `counters`")?;
        PerCpuArray::try_from(map).map_err(|error| failed("counters", error))
    }

    pub fn set(&mut self, settings: Settings) -> Result<(), String> {
        let map = self.object.map_mut("settings").ok_or("the object has no map `settings`")?;
        let mut array: Array<_, Settings> = Array::try_from(map).map_err(|error| failed("settings", error))?;
        array.set(0, settings, 0).map_err(|error| failed("settings", error))
    }

    /// Everything is loaded: what only loading needed is given back.
    pub fn settled(&mut self) {
        self.btf = None;
        give_memory_back();
    }

    /// The processes that run now, as records of EXECVE; empty where the kernel has no such iterator.
    pub fn list_processes(&mut self) -> Result<Vec<u8>, String> {
        let program: &mut Iter = self
            .object
            .program_mut("list_processes")
            .ok_or("the object has no program `list_processes`")?
            .try_into()
            .map_err(|error: aya::programs::ProgramError| chain(&error))?;
        let btf = self.btf.as_ref().ok_or("the kernel half was settled already")?;
        program.load("task", btf).map_err(|error| chain(&error))?;
        let link = program.attach().map_err(|error| chain(&error))?;
        let link = program.take_link(link).map_err(|error| chain(&error))?;
        let mut out = Vec::new();
        let file = link.into_file().map_err(|error| chain(&error))?;
        file.take(PROCESS_LIST_LIMIT).read_to_end(&mut out).map_err(|error| failed("process list", error))?;
        Ok(out)
    }
}

fn attach_tracepoint(object: &mut Ebpf, btf: &Btf, name: &str, tracepoint: &str) -> Result<BtfTracePointLink, String> {
    let program = program(object, name)?;
    program.load(tracepoint, btf).map_err(|error| chain(&error))?;
    link(program)
}

fn program<'a>(object: &'a mut Ebpf, name: &str) -> Result<&'a mut BtfTracePoint, String> {
    let program: &mut Program = object.program_mut(name).ok_or("not in the object")?;
    program.try_into().map_err(|error: aya::programs::ProgramError| chain(&error))
}

fn link(program: &mut BtfTracePoint) -> Result<BtfTracePointLink, String> {
    let link = program.attach().map_err(|error| chain(&error))?;
    program.take_link(link).map_err(|error| chain(&error))
}

//! Loads and attaches the kernel programs, each by itself: what a kernel refuses is noted and the rest goes on.
use aya::maps::{Array, MapData, PerCpuArray, RingBuf};
use aya::programs::{BtfTracePoint, Iter, Program};
use aya::{Btf, Ebpf, EbpfLoader};
use std::fmt::Display;
use std::io::Read;

use super::calls;
use super::counters::Words;

static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/sensor.bpf.o"));

/// Bound on what the list of processes may weigh.
const PROCESS_LIST_LIMIT: u64 = 64 << 20;

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
    pub reserved: u32,
    pub default_blocks: u64,
    pub host_blocks: u64,
    pub drifted_blocks: u64,
    pub memory_blocks: u64,
    pub socket_blocks: u64,
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

pub struct Kernel {
    pub object: Ebpf,
    /// Tens of megabytes that only loading needs; see [`Kernel::settled`].
    btf: Option<Btf>,
    pub refusals: Vec<Refusal>,
    pub attached: Vec<&'static str>,
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
    let object = EbpfLoader::new()
        .btf(Some(&btf))
        .override_global("cgroup_v1", &u8::from(cgroup_v1), true)
        .load(OBJECT)
        .map_err(|error| failed("the kernel programs cannot be prepared", chain(&error)))?;
    Ok(Kernel { object, btf: Some(btf), refusals: Vec::new(), attached: Vec::new() })
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
                Ok(()) => self.attached.push(name),
                Err(why) => self.refusals.push(Refusal { program: (*name).into(), capability: (*capability).into(), why }),
            }
        }
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

fn attach_tracepoint(object: &mut Ebpf, btf: &Btf, name: &str, tracepoint: &str) -> Result<(), String> {
    let program: &mut Program = object.program_mut(name).ok_or("not in the object")?;
    let program: &mut BtfTracePoint = program.try_into().map_err(|error: aya::programs::ProgramError| chain(&error))?;
    program.load(tracepoint, btf).map_err(|error| chain(&error))?;
    program.attach().map_err(|error| chain(&error))?;
    Ok(())
}

//! The better means, where the kernel takes them: BPF LSM refuses with EPERM before anything is done, fexit sees calls return without a
//! tracepoint on every one. Loaded when the probe says so, attached when a policy needs them.
use aya::programs::fexit::FExitLink;
use aya::programs::lsm::LsmLink;
use aya::programs::{FExit, Lsm, Program, ProgramError};
use aya::{Btf, BtfError, Ebpf, EbpfLoader};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;

use super::load::chain;

static PROBE: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/probe.bpf.o"));

/// Programs on functions that every call passes through: native, and of 32-bit programs.
const CALLS: [(&str, &str); 2] = [("native_call_returned", "x64_sys_call"), ("compat_call_returned", "ia32_sys_call")];
const FILES: &str = "file_refused";
const PROGRAMS: &str = "program_refused";
/// Security hooks that forbidden calls come through.
const HOOKS: [&str; 16] = [
    "capable",
    "sb_mount",
    "sb_umount",
    "sb_pivotroot",
    "move_mount",
    "path_chroot",
    "path_mknod",
    "ptrace_access_check",
    "userns_create",
    "kernel_load_data",
    "kernel_read_file",
    "inode_init_security_anon",
    "task_kill",
    "task_prctl",
    "settime",
    "syslog",
];

/// What the probe found: why each of the means cannot be used, where it cannot.
#[derive(Debug, Clone)]
pub struct Means {
    pub lsm: Result<(), String>,
    pub functions: Result<(), String>,
}

/// The names of security modules that are active, when the kernel says so (securityfs).
fn lacks_bpf(active: &str) -> bool {
    !active.trim().is_empty() && !active.trim().split(',').any(|name| name == "bpf")
}

/// Loads one harmless program of each kind.
pub fn probe(btf: &Btf) -> Means {
    let mut object = match EbpfLoader::new().btf(Some(btf)).load(PROBE) {
        Ok(object) => object,
        Err(error) => {
            let why = chain(&error);
            return Means { lsm: Err(why.clone()), functions: Err(why) };
        }
    };
    let active = fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    let lsm = if lacks_bpf(&active) {
        Err(format!("bpf is not among the active security modules ({}); boot with it in lsm=", active.trim()))
    } else {
        load_hook(&mut object, "probe_hook", "file_open", btf)
    };
    let functions = load_function(&mut object, "probe_function", CALLS[0].1, btf).and_then(|found| match found {
        Function::Loaded => Ok(()),
        Function::Unknown => Err(format!("this kernel has no function {}", CALLS[0].1)),
    });
    Means { lsm, functions }
}

fn load_hook(object: &mut Ebpf, name: &str, hook: &str, btf: &Btf) -> Result<(), String> {
    hook_program(object, name)?.load(hook, btf).map_err(|error| chain(&error))
}

fn load_function(object: &mut Ebpf, name: &str, function: &str, btf: &Btf) -> Result<Function, String> {
    match function_program(object, name)?.load(function, btf) {
        Ok(()) => Ok(Function::Loaded),
        Err(ProgramError::Btf(BtfError::UnknownBtfTypeName { .. })) => Ok(Function::Unknown),
        Err(error) => Err(chain(&error)),
    }
}

/// Whether the kernel has a function of that name.
#[derive(PartialEq, Eq)]
enum Function {
    Loaded,
    Unknown,
}

fn hook_program<'a>(object: &'a mut Ebpf, name: &str) -> Result<&'a mut Lsm, String> {
    let program: &mut Program = object.program_mut(name).ok_or("not in the object")?;
    program.try_into().map_err(|error: aya::programs::ProgramError| chain(&error))
}

fn function_program<'a>(object: &'a mut Ebpf, name: &str) -> Result<&'a mut FExit, String> {
    let program: &mut Program = object.program_mut(name).ok_or("not in the object")?;
    program.try_into().map_err(|error: aya::programs::ProgramError| chain(&error))
}

/// What a policy needs of the hooks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needed {
    pub files: bool,
    pub programs: bool,
    pub calls: bool,
}

/// The programs that could be loaded, and those that are attached.
pub struct Hooks {
    pub means: Means,
    /// Security hooks of calls that this kernel has.
    hooks: Vec<&'static str>,
    functions: Vec<&'static str>,
    refusing: HashMap<String, LsmLink>,
    returned: HashMap<&'static str, FExitLink>,
}

impl Hooks {
    /// Loads into the kernel what the probe said that it takes.
    pub fn load(object: &mut Ebpf, btf: &Btf, mut means: Means) -> Self {
        let mut hooks = Vec::new();
        if means.lsm.is_ok() {
            means.lsm = load_hook(object, FILES, "file_open", btf).and_then(|()| load_hook(object, PROGRAMS, "bprm_check_security", btf));
        }
        if means.lsm.is_ok() {
            hooks.extend(HOOKS.iter().copied().filter(|hook| load_hook(object, &program_of(hook), hook, btf).is_ok()));
        }
        let mut functions = Vec::new();
        if means.functions.is_ok() {
            for (name, function) in CALLS {
                match load_function(object, name, function, btf) {
                    Ok(Function::Loaded) => functions.push(name),
                    // A kernel that runs no 32-bit programs has no way for their calls.
                    Ok(Function::Unknown) => {}
                    Err(why) => means.functions = Err(why),
                }
            }
        }
        Self { means, hooks, functions, refusing: HashMap::new(), returned: HashMap::new() }
    }

    /// Whether calls are seen without the tracepoint.
    pub fn see_calls(&self) -> bool {
        self.means.functions.is_ok()
    }

    /// Whether programs, files and calls are refused before anything is done.
    pub fn refuse(&self) -> bool {
        self.means.lsm.is_ok()
    }

    pub fn keep_calls(&mut self, object: &mut Ebpf, needed: bool) -> Result<(), String> {
        if !needed {
            self.returned.clear();
            return Ok(());
        }
        for name in &self.functions {
            if !self.returned.contains_key(name) {
                let program = function_program(object, name)?;
                let link = program.attach().map_err(|error| chain(&error))?;
                self.returned.insert(name, program.take_link(link).map_err(|error| chain(&error))?);
            }
        }
        Ok(())
    }

    pub fn keep_refusing(&mut self, object: &mut Ebpf, needed: Needed) -> Result<(), String> {
        if self.means.lsm.is_err() {
            return Ok(());
        }
        let calls = self.hooks.iter().map(|hook| (program_of(hook), needed.calls));
        let all: Vec<(String, bool)> = calls.chain([(FILES.into(), needed.files), (PROGRAMS.into(), needed.programs)]).collect();
        for (name, needed) in all {
            if !needed {
                self.refusing.remove(&name);
                continue;
            }
            if let Entry::Vacant(place) = self.refusing.entry(name) {
                let program = hook_program(object, place.key())?;
                let link = program.attach().map_err(|error| chain(&error))?;
                place.insert(program.take_link(link).map_err(|error| chain(&error))?);
            }
        }
        Ok(())
    }
}

fn program_of(hook: &str) -> String {
    format!("{hook}_refused")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aya::programs::BtfTracePoint;

    static CHECK: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/hook_check.bpf.o"));

    #[test]
    fn a_kernel_that_was_started_without_it_has_no_bpf_hooks() {
        assert!(lacks_bpf("lockdown,capability,yama\n"));
        assert!(!lacks_bpf("lockdown,capability,bpf\n"));
        assert!(!lacks_bpf(""), "nobody says so: it is tried");
    }

    #[test]
    fn every_hook_has_its_program() {
        let source = include_str!("../../bpf/hook.h");
        for hook in HOOKS {
            assert!(source.contains(&format!("HOOK({hook}, ")), "{hook}");
        }
        for program in [FILES, PROGRAMS, CALLS[0].0, CALLS[1].0] {
            assert!(source.contains(&format!("int {program}(u64 *ctx)")), "{program}");
        }
    }

    #[test]
    fn their_bodies_pass_the_verifier_in_the_place_of_tracepoints() {
        let Ok(btf) = Btf::from_sys_fs() else { return eprintln!("skipped: this kernel tells no types") };
        // SAFETY: no arguments.
        if unsafe { libc::geteuid() } != 0 {
            return eprintln!("skipped: root is needed to load kernel programs");
        }
        let mut object = EbpfLoader::new().btf(Some(&btf)).load(CHECK).expect("prepared");
        for (name, tracepoint) in [
            ("check_call_returned", "sys_exit"),
            ("check_file_refused", "file_check_and_advance_wb_err"),
            ("check_program_refused", "sched_process_exec"),
            ("check_call_refused", "task_rename"),
        ] {
            let program: &mut BtfTracePoint = object.program_mut(name).expect("there").try_into().expect("a tracepoint's");
            program.load(tracepoint, &btf).unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
        }
    }
}

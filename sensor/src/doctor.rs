//! What this kernel can do, by which means, and what is lost where it cannot.
use aya::programs::{CgroupSkb, CgroupSockAddr};
use serde_json::json;
use std::fs;
use std::process::ExitCode;

use crate::kernel::load::{self, Kernel, chain};
use crate::wire::{Capability, capability::State};

/// Capabilities that nothing hangs on.
const OPTIONAL: [&str; 3] = ["lsm", "fexit", "cgroup-v2"];

/// Where containers' cgroups are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroups {
    /// Mount point of version 2, where programs on the network are attached.
    pub unified: Option<String>,
    /// No version 2 anywhere: containers are told apart by version 1's memory hierarchy.
    pub version_1_only: bool,
    pub pure: bool,
}

/// Finds the hierarchies in /proc/mounts.
pub fn cgroups(mounts: &str) -> Cgroups {
    let unified = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (place, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then(|| place.to_string())
    });
    let version_1 = mounts.lines().any(|line| line.split(' ').nth(2) == Some("cgroup"));
    Cgroups { version_1_only: unified.is_none() && version_1, pure: unified.is_some() && !version_1, unified }
}

pub fn host_cgroups() -> Cgroups {
    cgroups(&fs::read_to_string("/proc/mounts").unwrap_or_default())
}

fn line(id: &str, state: State, means: &str, detail: &str) -> Capability {
    Capability { id: id.into(), state: state as i32, means: means.into(), detail: detail.into() }
}

/// Judges what was attached; `network` says whether programs on cgroups load.
pub fn capabilities(kernel: &Kernel, cgroups: &Cgroups, network: &Result<(), String>) -> Vec<Capability> {
    let refusal = |capability: &str| kernel.refusals.iter().find(|refusal| refusal.capability == capability);
    let attached = |id: &str, capability: &str, means: &str, lost: &str| match refusal(capability) {
        Some(refusal) => line(id, State::Missing, "", &refusal.why),
        None if lost.is_empty() => line(id, State::Full, means, ""),
        None => line(id, State::Reduced, means, lost),
    };
    let blocks = match network {
        Ok(()) => line("network-block", State::Full, "cgroup connect and sendmsg programs", ""),
        Err(why) => line("network-block", State::Missing, "", why),
    };
    let calls = if kernel.hooks.see_calls() { "fexit on the calls' common functions" } else { "BTF tracepoint sys_exit" };
    vec![
        attached("exec", "exec", "BTF tracepoint sched_process_exec", ""),
        attached("process", "process", "BTF tracepoints of fork and exit", ""),
        attached("file", "calls", &format!("{calls}, file behind the descriptor"), ""),
        attached(
            "file-change",
            "calls",
            &format!("{calls}, name resolved after the call"),
            "a rename or removal names its file as the caller did; a second thread that changes the name in between is not seen",
        ),
        attached("calls", "calls", &format!("{calls}, 64 and 32 bit"), ""),
        attached("network", "calls", &format!("{calls}, addresses of the socket"), ""),
        match refusal("flow-open").filter(|_| refusal("flow").is_none()) {
            Some(lacking) => line(
                "flow",
                State::Reduced,
                "BTF tracepoint inet_sock_set_state",
                &format!("connections are told of at their end only: {}", lacking.why),
            ),
            None => attached("flow", "flow", "BTF tracepoint inet_sock_set_state, iterator for those that stay open", ""),
        },
        match network {
            Ok(()) => line("dns", State::Full, "cgroup packet programs", ""),
            Err(why) => line("dns", State::Missing, "", why),
        },
        attached("io-uring", "io-uring", "BTF tracepoint io_uring_submit_req", "operations are named, their files are not"),
        attached("container", "container", "BTF tracepoints of cgroups, runtimes' state and API", ""),
        if kernel.hooks.refuse() {
            line("exec-block", State::Full, "BPF LSM, refused before it is started", "")
        } else {
            attached("exec-block", "exec", "signal at sched_process_exec, before the first instruction", "")
        },
        if kernel.hooks.refuse() { line("file-block", State::Full, "BPF LSM", "") } else { file_block() },
        blocks,
        if kernel.hooks.refuse() {
            line("syscall-block", State::Reduced, "BPF LSM", "calls without a security hook: signal when they return")
        } else {
            attached("syscall-block", "calls", "signal when the call returns", "the call itself may have been carried out")
        },
        match (&cgroups.unified, cgroups.pure) {
            (Some(_), true) => line("cgroup-v2", State::Full, "version 2", ""),
            (Some(place), false) => line("cgroup-v2", State::Reduced, "version 1 with version 2 beside it", place),
            (None, _) => line("cgroup-v2", State::Missing, "version 1", "no programs on the network, so no DNS and no isolation"),
        },
        means("lsm", &kernel.hooks.means.lsm, "BPF LSM refuses programs, files and calls before anything is done"),
        means("fexit", &kernel.hooks.means.functions, "fexit on the calls' common functions, no tracepoint on every call"),
    ]
}

/// A better means that the others do without.
fn means(id: &str, probed: &Result<(), String>, used_for: &str) -> Capability {
    match probed {
        Ok(()) => line(id, State::Full, used_for, ""),
        Err(why) => line(id, State::Missing, "", &format!("not used, the means above do without: {why}")),
    }
}

/// fanotify_init(2) with permission events needs CAP_SYS_ADMIN and CONFIG_FANOTIFY_ACCESS_PERMISSIONS.
fn file_block() -> Capability {
    // SAFETY: no pointers; the descriptor is closed at once.
    let fd = unsafe { libc::fanotify_init(libc::FAN_CLASS_CONTENT | libc::FAN_CLOEXEC, libc::O_RDONLY as u32) };
    if fd < 0 {
        return line("file-block", State::Missing, "", &format!("fanotify: {}", std::io::Error::last_os_error()));
    }
    // SAFETY: the descriptor was just made and is used nowhere else.
    unsafe { libc::close(fd) };
    line(
        "file-block",
        State::Reduced,
        "fanotify permission events",
        "in containers only; marked when the runtime has made their root, a moment before their first program",
    )
}

/// Loads (without attaching) the programs on cgroups.
pub fn probe_network(kernel: &mut Kernel) -> Result<(), String> {
    for name in ["connect4", "connect6", "sendmsg4", "sendmsg6"] {
        let Some(program) = kernel.object.program_mut(name) else { return Err(format!("no program {name}")) };
        let program: &mut CgroupSockAddr = program.try_into().map_err(|error: aya::programs::ProgramError| chain(&error))?;
        program.load().map_err(|error| chain(&error))?;
    }
    for name in ["packet_out", "packet_in"] {
        let Some(program) = kernel.object.program_mut(name) else { return Err(format!("no program {name}")) };
        let program: &mut CgroupSkb = program.try_into().map_err(|error: aya::programs::ProgramError| chain(&error))?;
        program.load().map_err(|error| chain(&error))?;
    }
    Ok(())
}

/// `doctor [--json]`: 0 when nothing is missing that others need, 1 when something is.
pub fn command(words: &[String]) -> Result<ExitCode, String> {
    let arguments = crate::arguments::parse(words, &[], &["json"])?;
    let cgroups = host_cgroups();
    let mut kernel = load::open(cgroups.version_1_only)?;
    kernel.attach();
    let network = probe_network(&mut kernel);
    let list = capabilities(&kernel, &cgroups, &network);
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if arguments.flag("json") {
        let lines: Vec<_> = list
            .iter()
            .map(|one| json!({"id": one.id, "state": one.state().as_str_name().to_lowercase(), "means": one.means, "detail": one.detail}))
            .collect();
        println!("{}", json!({"kernel": release.trim(), "capabilities": lines}));
    } else {
        println!("kernel {}", release.trim());
        for one in &list {
            let state = one.state().as_str_name().to_lowercase();
            println!("{:<16}{:<9}{}{}{}", one.id, state, one.means, if one.detail.is_empty() { "" } else { " · " }, one.detail);
        }
    }
    let bad = list.iter().any(|one| one.state() == State::Missing && !OPTIONAL.contains(&one.id.as_str()));
    Ok(ExitCode::from(u8::from(bad)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_are_told_apart() {
        let hybrid = "cgroup /sys/fs/cgroup/memory cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        let found = cgroups(hybrid);
        assert_eq!((found.unified.as_deref(), found.version_1_only, found.pure), (Some("/sys/fs/cgroup/unified"), false, false));
        assert!(cgroups("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n").pure);
        assert!(cgroups("cgroup /c cgroup rw 0 0\n").version_1_only);
    }
}

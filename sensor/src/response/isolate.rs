//! Taking a container off the network and giving it back, by programs on its cgroup that outlive the sensor.
use aya::EbpfLoader;
use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::programs::CgroupSkb;
use serde_json::json;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use super::Report;
use crate::container::ContainerHandle;
use crate::doctor::Cgroups;
use crate::kernel::load::chain;
use crate::network;
use crate::wire::order_result::Outcome;

static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/isolate.bpf.o"));

/// bpf(2), as far as aya has no words for it: attaching for good, and finding what is attached.
const PROG_ATTACH: i64 = 8;
const PROG_DETACH: i64 = 9;
const PROG_GET_FD_BY_ID: i64 = 13;
const OBJ_GET_INFO_BY_FD: i64 = 15;
const PROG_QUERY: i64 = 16;
const ALLOW_MULTI: u32 = 2;
const INGRESS: u32 = 0;
const EGRESS: u32 = 1;
const PROGRAMS_MAX: usize = 64;
/// Programs' names are cut to 15 bytes by the kernel.
const NAMES: [(&str, u32); 2] = [("bulwark_iso_out", EGRESS), ("bulwark_iso_in", INGRESS)];

#[repr(C)]
#[derive(Default)]
struct AttachAttributes {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
    rest: [u32; 16],
}

#[repr(C)]
#[derive(Default)]
struct QueryAttributes {
    target: u32,
    kind: u32,
    flags: u32,
    attach_flags: u32,
    ids: u64,
    count: u32,
    rest: [u32; 15],
}

#[repr(C)]
#[derive(Default)]
struct InfoAttributes {
    fd: u32,
    length: u32,
    info: u64,
    rest: [u32; 16],
}

fn bpf<T>(command: i64, attributes: &mut T) -> std::io::Result<i64> {
    // SAFETY: each struct above begins as the kernel's union does for its command, and the rest of it is zero.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attributes as *mut T, size_of::<T>()) };
    if result < 0 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
}

fn cgroup(cgroups: &Cgroups, container: &ContainerHandle) -> Result<File, String> {
    let place = cgroups.unified.as_ref().ok_or("no cgroup version 2 is mounted, so packets cannot be told apart by container")?;
    let path = format!("{place}{}", container.cgroup_path);
    File::open(&path).map_err(|error| format!("{path}: {error}"))
}

/// The isolating programs on a cgroup: way and descriptor.
fn attached(cgroup: &File) -> Result<Vec<(u32, OwnedFd)>, String> {
    let mut found = Vec::new();
    for (name, way) in NAMES {
        let mut ids = [0u32; PROGRAMS_MAX];
        let mut query = QueryAttributes {
            target: cgroup.as_raw_fd() as u32,
            kind: way,
            ids: ids.as_mut_ptr() as u64,
            count: PROGRAMS_MAX as u32,
            ..QueryAttributes::default()
        };
        bpf(PROG_QUERY, &mut query).map_err(|error| format!("programs of the cgroup: {error}"))?;
        for id in ids.iter().take(query.count as usize) {
            let fd = bpf(PROG_GET_FD_BY_ID, &mut [*id, 0, 0, 0]).map_err(|error| format!("program {id}: {error}"))?;
            // SAFETY: a new descriptor of our own.
            let fd = unsafe { OwnedFd::from_raw_fd(fd as i32) };
            if program_name(&fd)? == name {
                found.push((way, fd));
            }
        }
    }
    Ok(found)
}

/// struct bpf_prog_info: the name lies at offset 64.
fn program_name(fd: &OwnedFd) -> Result<String, String> {
    let mut info = [0u8; 256];
    let mut attributes = InfoAttributes {
        fd: fd.as_raw_fd() as u32,
        length: info.len() as u32,
        info: info.as_mut_ptr() as u64,
        ..InfoAttributes::default()
    };
    bpf(OBJ_GET_INFO_BY_FD, &mut attributes).map_err(|error| format!("program: {error}"))?;
    let name = &info[64..80];
    Ok(String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned())
}

/// Cuts every connection but those with the excepted networks; existing ones too.
pub fn isolate(cgroups: &Cgroups, container: &ContainerHandle, except: &[String]) -> Result<Report, String> {
    let cgroup = cgroup(cgroups, container)?;
    let mut networks = Vec::new();
    for text in except {
        networks.push(network::parse(text).ok_or_else(|| format!("`{text}` is no network"))?);
    }
    if !container.facts().host_network {
        // Its own loopback is nobody else's.
        networks.extend(["127.0.0.0/8", "::1/128"].iter().filter_map(|text| network::parse(text)));
    }
    let before = attached(&cgroup)?;
    let mut object = EbpfLoader::new().btf(None).load(OBJECT).map_err(|error| chain(&error))?;
    for network in &networks {
        let name = if network.is_v6 { "excepted6" } else { "excepted4" };
        let map = object.map_mut(name).ok_or("a map is missing")?;
        let mut trie: LpmTrie<_, [u8; 16], u32> = LpmTrie::try_from(map).map_err(|error| error.to_string())?;
        trie.insert(&Key::new(network.bits, network.address), 1, 0).map_err(|error| error.to_string())?;
    }
    for (name, way) in NAMES {
        let program: &mut CgroupSkb = object
            .program_mut(name)
            .ok_or("a program is missing")?
            .try_into()
            .map_err(|error: aya::programs::ProgramError| chain(&error))?;
        program.load().map_err(|error| chain(&error))?;
        let fd = program.fd().map_err(|error| chain(&error))?;
        let mut attributes = AttachAttributes {
            target: cgroup.as_raw_fd() as u32,
            program: fd.as_fd().as_raw_fd() as u32,
            kind: way,
            flags: ALLOW_MULTI,
            ..AttachAttributes::default()
        };
        bpf(PROG_ATTACH, &mut attributes).map_err(|error| format!("the container's cgroup takes no program: {error}"))?;
    }
    // Only now, so that there is no gap when exceptions change.
    let replaced = !before.is_empty();
    detach(&cgroup, before)?;
    if attached(&cgroup)?.len() != NAMES.len() {
        return Err("the programs were attached but are not there".into());
    }
    let detail = if replaced {
        "it was isolated already; the exceptions are new"
    } else {
        "isolated: packets to and from elsewhere are dropped, in existing connections too"
    };
    Ok(Report::new(Outcome::Done, detail).with(json!({"except": except})))
}

fn detach(cgroup: &File, programs: Vec<(u32, OwnedFd)>) -> Result<(), String> {
    for (way, fd) in programs {
        let mut attributes = AttachAttributes {
            target: cgroup.as_raw_fd() as u32,
            program: fd.as_raw_fd() as u32,
            kind: way,
            ..AttachAttributes::default()
        };
        bpf(PROG_DETACH, &mut attributes).map_err(|error| format!("a program stays on the cgroup: {error}"))?;
    }
    Ok(())
}

/// Gives the network back.
pub fn restore(cgroups: &Cgroups, container: &ContainerHandle) -> Result<Report, String> {
    let cgroup = cgroup(cgroups, container)?;
    let programs = attached(&cgroup)?;
    if programs.is_empty() {
        return Ok(Report::new(Outcome::Unchanged, "it is not isolated"));
    }
    detach(&cgroup, programs)?;
    if !attached(&cgroup)?.is_empty() {
        return Err("the container is still isolated".into());
    }
    Ok(Report::new(Outcome::Done, "the network is open again"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Container;
    use std::cell::{Cell, RefCell};
    use std::net::TcpListener;
    use std::process::Command;
    use std::rc::Rc;

    /// A cgroup in the place of a container's; `None` where there can be none.
    fn handle(cgroups: &Cgroups) -> Option<ContainerHandle> {
        let cgroup_path = format!("/bulwark-isolate-{}", std::process::id());
        std::fs::create_dir(format!("{}{cgroup_path}", cgroups.unified.as_ref()?)).ok()?;
        // On the host's network its loopback is not its own.
        let facts = Container { host_network: true, ..Container::default() };
        Some(ContainerHandle {
            facts: RefCell::new(Rc::new(facts)),
            cgroup_path,
            cgroup_id: 0,
            described: Cell::new(true),
            announced: Cell::new(true),
            version: Cell::new(0),
            root: RefCell::new(None),
            users: std::cell::RefCell::default(),
        })
    }

    #[test]
    fn an_isolated_container_reaches_what_is_excepted_and_nothing_else() {
        let cgroups = crate::doctor::host_cgroups();
        let Some(container) = handle(&cgroups) else {
            return eprintln!("skipped: root and a cgroup of version 2 are needed");
        };
        let folder = format!("{}{}", cgroups.unified.clone().unwrap_or_default(), container.cgroup_path);
        let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
        let port = listener.local_addr().expect("address").port();
        let script = format!("echo $$ > {folder}/cgroup.procs; exec 3<>/dev/tcp/127.0.0.1/{port}");
        let reaches = || Command::new("timeout").args(["1", "bash", "-c", &script]).status().expect("bash").success();
        assert!(reaches());
        isolate(&cgroups, &container, &[]).expect("isolated");
        assert!(!reaches());
        isolate(&cgroups, &container, &["127.0.0.1".into()]).expect("isolated anew");
        assert!(reaches());
        assert_eq!(restore(&cgroups, &container).expect("restored").outcome, Outcome::Done);
        assert!(reaches());
        assert_eq!(restore(&cgroups, &container).expect("nothing to do").outcome, Outcome::Unchanged);
        assert!(isolate(&cgroups, &container, &["nonsense".into()]).is_err());
        std::fs::remove_dir(folder).expect("clean");
    }
}

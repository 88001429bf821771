//! What /proc still tells of a process that the kernel half did not announce.
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::kernel::record;
use crate::patient;
use crate::process::Image;

/// Bound on a command line that is read back.
const COMMAND_LINE_LIMIT: usize = 12_288;
/// More than a kernel lets a command line have (MAX_ARG_STRINGS aside, a quarter of the stack: 2 MiB).
const COMMAND_LINE_READ: u64 = 8 << 20;

/// Image and parent's number; `None` when the process is gone.
pub fn describe(pid: u32) -> Option<(Image, u32)> {
    let status = fs::read(format!("/proc/{pid}/status")).ok()?;
    let status = String::from_utf8_lossy(&status).into_owned();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default();
    let numbers = |name: &str| -> Vec<u32> { field(name).split_whitespace().filter_map(|part| part.parse().ok()).collect() };
    let uids = numbers("Uid:");
    let gids = numbers("Gid:");
    let (arguments, cut) = command_line(pid);
    let image = Image {
        name: field("Name:").to_string(),
        comm: field("Name:").to_string(),
        exe: link(pid, "exe"),
        cwd: link(pid, "cwd"),
        arguments,
        arguments_cut: cut,
        uid: uids.first().copied().unwrap_or_default(),
        effective_uid: uids.get(1).copied().unwrap_or_default(),
        gid: gids.first().copied().unwrap_or_default(),
        login_uid: login_uid(pid),
        capabilities: u64::from_str_radix(field("CapEff:"), 16).unwrap_or_default(),
        ..Image::default()
    };
    Some((image, numbers("PPid:").first().copied().unwrap_or_default()))
}

/// Arguments, and the bytes that were left out.
pub fn command_line(pid: u32) -> (Vec<String>, u32) {
    let mut bytes = patient::read(&format!("/proc/{pid}/cmdline"), COMMAND_LINE_READ).unwrap_or_default();
    let cut = bytes.len().saturating_sub(COMMAND_LINE_LIMIT);
    bytes.truncate(COMMAND_LINE_LIMIT);
    (record::arguments(&bytes), cut as u32)
}

fn link(pid: u32, name: &str) -> String {
    let target = fs::read_link(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let bytes = target.as_os_str().as_bytes();
    record::text(bytes.strip_suffix(b" (deleted)").unwrap_or(bytes))
}

fn login_uid(pid: u32) -> u32 {
    fs::read_to_string(format!("/proc/{pid}/loginuid")).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(u32::MAX)
}

/// Working directory as the process sees it.
pub fn cwd(pid: u32) -> String {
    link(pid, "cwd")
}

/// Path in the hierarchy that the kernel half reports: the unified one, or memory's where there is only version 1.
pub fn cgroup_path(pid: u32, version_1: bool) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    parse_cgroup(&text, version_1)
}

/// cgroups(7), /proc/pid/cgroup.
pub fn parse_cgroup(text: &str, version_1: bool) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let wanted = if version_1 { controllers.split(',').any(|name| name == "memory") } else { id == "0" };
        wanted.then(|| path.to_string())
    })
}

/// Addresses of a process's network namespace, without loopback.
pub fn addresses(pid: u32) -> Vec<String> {
    let four = fs::read_to_string(format!("/proc/{pid}/net/fib_trie")).unwrap_or_default();
    let six = fs::read_to_string(format!("/proc/{pid}/net/if_inet6")).unwrap_or_default();
    let mut all = parse_fib_trie(&four);
    all.extend(six.lines().filter_map(parse_inet6));
    all
}

/// An address is a leaf whose next line says "host LOCAL".
fn parse_fib_trie(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let local = |pair: &[&str]| {
        let address = pair[0].trim_start().strip_prefix("|-- ")?;
        (pair[1].contains("/32 host LOCAL") && !address.starts_with("127.")).then(|| address.to_string())
    };
    let mut all: Vec<String> = lines.windows(2).filter_map(local).collect();
    all.sort();
    all.dedup();
    all
}

fn parse_inet6(line: &str) -> Option<String> {
    let address = std::net::Ipv6Addr::from(u128::from_str_radix(line.split_whitespace().next()?, 16).ok()?);
    (!address.is_loopback()).then(|| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hierarchy_in_use_is_found() {
        let text = "4:memory:/a\n3:cpu,cpuacct:/b\n0::/c:d\n";
        assert_eq!(parse_cgroup(text, false).as_deref(), Some("/c:d"));
        assert_eq!(parse_cgroup(text, true).as_deref(), Some("/a"));
    }

    #[test]
    fn addresses_are_read_without_loopback() {
        let text = "     |-- 10.0.0.2\n        /32 host LOCAL\n     |-- 10.0.0.255\n        /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n";
        assert_eq!(parse_fib_trie(text), ["10.0.0.2"]);
        assert_eq!(parse_inet6("fd000000000000000000000000000002 02 40 00 80 eth0").as_deref(), Some("fd00::2"));
        assert_eq!(parse_inet6("zz"), None);
    }

    #[test]
    fn this_process_can_be_described() {
        let (image, parent) = describe(std::process::id()).expect("it runs");
        assert!(!image.exe.is_empty() && !image.arguments.is_empty() && parent > 0);
    }
}

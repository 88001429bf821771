//! What /proc still tells of a process that the kernel half did not announce.
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::kernel::record;
use crate::process::Image;

/// Bound on a command line that is read back.
const COMMAND_LINE_LIMIT: usize = 12_288;

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
    let mut bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
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
    fn this_process_can_be_described() {
        let (image, parent) = describe(std::process::id()).expect("it runs");
        assert!(!image.exe.is_empty() && !image.arguments.is_empty() && parent > 0);
    }
}

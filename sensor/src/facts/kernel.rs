//! What the kernel says of itself. /proc/sys/net is that of the sensor's own network namespace, which is the host's.
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;

use crate::wire::{MountFact, SysctlFact, file_fact::Reading as State};

const VALUE_LIMIT: u64 = 4096;
const TABLE_LIMIT: u64 = 4 << 20;
const MOUNTS_MAX: usize = 2_000;

/// The first bytes of a file of the kernel's own, of which none waits.
pub fn bounded(path: &str, limit: u64) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// All of it: half a table would say of the rest that it is not there.
fn whole(path: &str, limit: u64) -> std::io::Result<String> {
    let text = bounded(path, limit)?;
    if text.len() as u64 >= limit { Err(std::io::Error::other(format!("{path} is longer than {limit} bytes"))) } else { Ok(text) }
}

/// Where a sysctl is; `None` for a name that is none.
pub fn sysctl_path(name: &str) -> Option<String> {
    let good = !name.is_empty() && name.len() < 200 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (good && !name.contains("..") && !name.starts_with('.')).then(|| format!("/proc/sys/{}", name.replace('.', "/")))
}

/// What the kernel holds at such a place, its parts with one blank between them.
pub fn sysctl_value(place: &str) -> Result<String, String> {
    let text = bounded(place, VALUE_LIMIT).map_err(|error| format!("{place}: {error}"))?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

pub fn sysctl(name: &str) -> SysctlFact {
    let of = |state: State, value: String, why: String| SysctlFact { name: name.into(), value, state: state as i32, why };
    let Some(path) = sysctl_path(name) else { return of(State::Unread, String::new(), "this is no name of a setting".into()) };
    match bounded(&path, VALUE_LIMIT) {
        Ok(text) => of(State::Present, text.split_whitespace().collect::<Vec<_>>().join(" "), String::new()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => of(State::Absent, String::new(), String::new()),
        Err(error) => of(State::Unread, String::new(), error.to_string()),
    }
}

/// Mounts as the first process sees them.
pub fn mounts() -> Result<Vec<MountFact>, String> {
    let text =
        whole("/proc/1/mounts", TABLE_LIMIT).or_else(|_| whole("/proc/self/mounts", TABLE_LIMIT)).map_err(|error| error.to_string())?;
    let found = parse_mounts(&text);
    // Containers have mounts by the thousand; a cut table would hide some of the host's.
    if found.len() > MOUNTS_MAX { Err(format!("there are more than {MOUNTS_MAX} mounts")) } else { Ok(found) }
}

/// fstab(5): fields are separated by blanks, and blanks in names are written as octal numbers.
fn parse_mounts(text: &str) -> Vec<MountFact> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let (path, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
            let inner =
                ["/var/lib/containerd/", "/run/containerd/", "/var/lib/docker/", "/var/lib/kubelet/pods/", "/run/netns/", "/run/docker/"];
            if inner.iter().any(|prefix| path.starts_with(prefix)) {
                return None;
            }
            Some(MountFact {
                path: path.replace("\\040", " "),
                r#type: kind.into(),
                options: options.split(',').map(String::from).collect(),
            })
        })
        .collect()
}

/// Names of loaded modules.
pub fn modules() -> Result<Vec<String>, String> {
    match whole("/proc/modules", TABLE_LIMIT) {
        Ok(text) => Ok(text.lines().filter_map(|line| line.split(' ').next()).map(String::from).collect()),
        // A kernel without modules has none loaded.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    }
}

pub fn arguments() -> Result<String, String> {
    whole("/proc/cmdline", VALUE_LIMIT).map(|text| text.trim().into()).map_err(|error| error.to_string())
}

pub fn vulnerabilities() -> Result<HashMap<String, String>, String> {
    let folder = "/sys/devices/system/cpu/vulnerabilities";
    let entries = fs::read_dir(folder).map_err(|error| format!("{folder}: {error}"))?;
    entries
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = bounded(&format!("{folder}/{name}"), VALUE_LIMIT).map_err(|error| format!("{name}: {error}"))?;
            Ok((name, text.trim().to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_kernel_are_present_absent_or_no_names() {
        assert_eq!((sysctl("kernel.ostype").value.as_str(), sysctl("kernel.ostype").state), ("Linux", State::Present as i32));
        assert_eq!(sysctl("kernel.none").state, State::Absent as i32);
        for name in ["../../etc/passwd", "kernel/../../x", "", "a..b"] {
            assert_eq!(sysctl(name).state, State::Unread as i32, "{name}");
        }
    }

    #[test]
    fn a_table_that_is_cut_is_none() {
        assert!(whole("/proc/self/status", 10).is_err() && whole("/proc/self/status", 1 << 16).is_ok());
    }

    #[test]
    fn mounts_of_containers_are_left_out() {
        let found = parse_mounts(
            "x / ext4 rw,nosuid 0 0\ntmpfs /a\\040b tmpfs rw 0 0\noverlay /var/lib/docker/overlay2/x overlay rw 0 0\nbroken\n",
        );
        assert_eq!(found.iter().map(|mount| mount.path.as_str()).collect::<Vec<_>>(), ["/", "/a b"]);
        assert_eq!(found[0].options, ["rw", "nosuid"]);
        assert!(!mounts().expect("mounts").is_empty() && arguments().is_ok() && modules().is_ok());
    }
}

//! Versions of named packages, from the distribution's own database, read line by line.
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsRawFd, OwnedFd};

use crate::resolve;
use crate::wire::PackageFact;

const DPKG: &str = "/var/lib/dpkg/status";
const APK: &str = "/lib/apk/db/installed";
/// Larger databases are not read: none is a tenth of it.
const DATABASE_LIMIT: u64 = 64 << 20;
const LINE_LIMIT: u64 = 64 * 1024;
const FOUND_MAX: usize = 100;

/// Packages of these names; an error where there is no database that this sensor reads.
pub fn find(root: &OwnedFd, wanted: &[String], mut breathe: impl FnMut() -> bool) -> Result<Vec<PackageFact>, String> {
    for (path, manager) in [(DPKG, "dpkg"), (APK, "apk")] {
        let Ok(opened) = resolve::open_in_root(root, path, libc::O_PATH) else { continue };
        let file = File::open(format!("/proc/self/fd/{}", opened.as_raw_fd())).map_err(|error| format!("{path}: {error}"))?;
        let meta = file.metadata().map_err(|error| format!("{path}: {error}"))?;
        if !meta.is_file() || meta.len() > DATABASE_LIMIT {
            return Err(format!("{path} is no file of a usual size"));
        }
        return parse(BufReader::with_capacity(256 * 1024, file), manager, wanted, &mut breathe);
    }
    Err("the node has no package database that this sensor reads (dpkg, apk)".into())
}

fn is_wanted(name: &str, wanted: &[String]) -> bool {
    wanted.iter().any(|one| one.strip_suffix('*').map_or(name == one, |prefix| name.starts_with(prefix)))
}

/// deb-control(5) stanzas, or apk's of one letter each.
fn parse(
    mut lines: impl BufRead,
    manager: &str,
    wanted: &[String],
    breathe: &mut impl FnMut() -> bool,
) -> Result<Vec<PackageFact>, String> {
    let (mut found, mut now, mut installed) = (Vec::new(), PackageFact::default(), manager == "apk");
    let mut line = Vec::new();
    for count in 0usize.. {
        if count % 20_000 == 19_999 && !breathe() {
            return Err("there was no time to read all of the package database".into());
        }
        line.clear();
        let length = lines.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if text.is_empty() {
            if installed && is_wanted(&now.name, wanted) && found.len() < FOUND_MAX {
                found.push(PackageFact { manager: manager.into(), ..std::mem::take(&mut now) });
            }
            (now, installed) = (PackageFact::default(), manager == "apk");
            if length == 0 {
                return Ok(found);
            }
            continue;
        }
        let Some(colon) = text.iter().position(|byte| *byte == b':') else { continue };
        let value = || String::from_utf8_lossy(text.get(colon + 1..).unwrap_or_default()).trim().to_string();
        match (manager, text.get(..colon).unwrap_or_default()) {
            ("dpkg", b"Package") | ("apk", b"P") => now.name = value(),
            ("dpkg", b"Version") | ("apk", b"V") => now.version = value(),
            ("dpkg", b"Status") => installed = value().ends_with(" installed"),
            ("apk", b"o") => now.source = value(),
            // "Source: linux-signed-amd64 (6.1.0+1)"
            ("dpkg", b"Source") => {
                let text = value();
                let (name, version) = text.split_once(" (").unwrap_or((&text, ""));
                now.source = name.into();
                now.source_version = version.trim_end_matches(')').into();
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_installed_packages_of_these_names_are_told() {
        let text = "Package: runc\nStatus: install ok installed\nSource: runc (1.1.5)\nVersion: 1.1.5+ds1-1\n\nPackage: containerd\nStatus: deinstall ok config-files\nVersion: 1\n\n\
            Package: linux-image-6.1\nStatus: install ok installed\nVersion: 6.1.1\n\nPackage: other\nStatus: install ok installed\nVersion: 1\n";
        let wanted = ["runc".to_string(), "containerd".into(), "linux-image-*".into()];
        let found = parse(text.as_bytes(), "dpkg", &wanted, &mut || true).expect("read");
        let shown: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.version.as_str(), one.source_version.as_str())).collect();
        assert_eq!(shown, [("runc", "1.1.5+ds1-1", "1.1.5"), ("linux-image-6.1", "6.1.1", "")]);
        let apk = parse("P:runc\nV:1.1-r0\no:runc\n\nP:x\nV:1\n".as_bytes(), "apk", &wanted, &mut || true).expect("read");
        assert_eq!((apk.len(), apk[0].version.as_str()), (1, "1.1-r0"));
    }

    #[test]
    fn a_database_of_one_endless_line_ends() {
        let text = vec![b'a'; 3 << 20];
        assert_eq!(parse(text.as_slice(), "dpkg", &["a".into()], &mut || true).expect("read").len(), 0);
    }
}

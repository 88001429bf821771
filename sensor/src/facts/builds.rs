//! What Go programs say of how they were built.
use std::fs;
use std::os::unix::fs::FileExt;

use crate::wire::BuildFact;

/// Bound on what is read of a program's build information.
const BUILD_LIMIT: u64 = 64 * 1024;
const SECTIONS_MAX: u16 = 200;

/// Go's build information (debug/buildinfo, "data format" of Go 1.18 and later), from the ELF section that holds it.
pub fn build_of(program: &str, path: &str, shown: &str) -> Option<BuildFact> {
    let file = fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|meta| meta.is_file()))?;
    let read = |at: u64, length: usize| -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, at).ok()?;
        Some(bytes)
    };
    let number = |bytes: &[u8], at: usize, length: usize| -> Option<u64> {
        Some(bytes.get(at..at.checked_add(length)?)?.iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    };
    let head = read(0, 64)?;
    // 64 bits, little-endian: what nodes are made of.
    if !head.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (table, size, count) = (number(&head, 0x28, 8)?, number(&head, 0x3a, 2)? as usize, number(&head, 0x3c, 2)? as u16);
    if size != 64 || count > SECTIONS_MAX {
        return None;
    }
    let sections = read(table, usize::from(count) * 64)?;
    let offsets = sections.chunks(64).filter_map(|section| Some((number(section, 24, 8)?, number(section, 32, 8)?)));
    for (offset, length) in offsets {
        if !(32..=BUILD_LIMIT).contains(&length) {
            continue;
        }
        let Some(start) = read(offset, 14) else { continue };
        if start == b"\xff Go buildinf:" {
            return parse_build(&read(offset, length as usize)?, program, shown);
        }
    }
    None
}

fn parse_build(bytes: &[u8], program: &str, path: &str) -> Option<BuildFact> {
    const INLINE: u8 = 2;
    if bytes.get(15)? & INLINE == 0 {
        return None;
    }
    let (go_version, rest) = inline_text(bytes.get(32..)?)?;
    let (info, _) = inline_text(rest)?;
    // Sixteen bytes before and after the text mark it.
    let info = String::from_utf8_lossy(info.get(16..info.len().checked_sub(16)?)?).into_owned();
    let mut build = BuildFact {
        program: program.into(),
        path: path.into(),
        go_version: String::from_utf8_lossy(go_version).into_owned(),
        ..BuildFact::default()
    };
    for line in info.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["mod", module, version, ..] => {
                build.module = (*module).into();
                build.version = (*version).into();
            }
            // What its makers set at build time is more exact than a module's "(devel)".
            ["build", setting] if setting.starts_with("-ldflags=") => {
                if let Some(version) = version_of_flags(setting) {
                    build.version = version;
                }
            }
            _ => {}
        }
    }
    Some(build)
}

fn inline_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut length, mut shift, mut at) = (0usize, 0u32, 0usize);
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
        if shift > 28 {
            return None;
        }
    }
    let end = at.checked_add(length)?;
    Some((bytes.get(at..end)?, bytes.get(end..)?))
}

/// `-X main.version=1.1.12`, `-X …/version.Version=1.7.13`, `-X …/version.gitVersion=v1.30.0`
fn version_of_flags(setting: &str) -> Option<String> {
    let names = ["main.version=", "version.Version=", "version.gitVersion=", "dockerversion.Version="];
    let values = names.iter().filter_map(|name| setting.split_once(name).map(|(_, rest)| rest));
    values
        .map(|rest| {
            rest.trim_start_matches(['"', '\'', '\\'])
                .split(|end: char| end.is_whitespace() || "\"'\\".contains(end))
                .next()
                .unwrap_or_default()
                .to_string()
        })
        .find(|version| version.chars().any(|one| one.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_set_at_build_time_are_found() {
        assert_eq!(version_of_flags("-ldflags=\"-X main.gitCommit=x -X main.version=1.1.12 \"").as_deref(), Some("1.1.12"));
        assert_eq!(version_of_flags("-ldflags=\"-X 'k8s.io/component-base/version.gitVersion=v1.30.1'\"").as_deref(), Some("v1.30.1"));
        assert_eq!(version_of_flags("-ldflags=-s -w"), None);
    }

    #[test]
    fn torn_build_information_is_none() {
        let mut bytes = vec![0u8; 32];
        bytes[..14].copy_from_slice(b"\xff Go buildinf:");
        bytes[15] = 2;
        for tail in [vec![], vec![0xff; 40], vec![200, 1, 1], vec![4, b'g', b'o', b'1', b'2', 3, 1, 2, 3]] {
            assert!(parse_build(&[bytes.clone(), tail].concat(), "x", "/x").is_none());
        }
        assert!(
            build_of("x", "/bin/sh", "/bin/sh").is_none()
                && build_of("x", "/etc/passwd", "").is_none()
                && build_of("x", "/none", "").is_none()
        );
    }
}

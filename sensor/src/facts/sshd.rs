//! Files that sshd's configuration includes, wherever they lie (sshd_config(5), Include).
use std::collections::{HashSet, VecDeque};
use std::os::fd::OwnedFd;

use super::files;
use crate::wire::{FileFact, FileRequest, file_fact::Reading as State};

/// The file, and how the names of its folders begin.
pub const CONFIGURATION: &str = "/etc/ssh/sshd_config";
const PATTERNS_MAX: usize = 32;
const FILES_MAX: usize = 200;
const CONTENT_BYTES: u32 = 128 * 1024;

/// What the files include that were read already, and what that includes; `None` where there was no time. Each fact names the pattern as
/// the configuration has it, made absolute.
pub fn included(root: &OwnedFd, read: Vec<FileFact>, mut breathe: impl FnMut() -> bool) -> Option<Vec<FileFact>> {
    let mut known: HashSet<String> = read.iter().flat_map(|file| [file.pattern.clone(), file.path.clone()]).collect();
    let mut waiting: VecDeque<FileFact> = read.into();
    let (mut found, mut patterns) = (Vec::new(), 0);
    while let Some(file) = waiting.pop_front() {
        for pattern in patterns_of(&String::from_utf8_lossy(&file.content)) {
            if !known.insert(pattern.clone()) {
                continue;
            }
            patterns += 1;
            let facts = if patterns > PATTERNS_MAX || found.len() > FILES_MAX {
                vec![unread(&pattern, "the configuration includes too many others")]
            } else if pattern.contains(['?', '[']) {
                vec![unread(&pattern, "this sensor does not follow patterns of this kind")]
            } else {
                let request = FileRequest { path: pattern.clone(), content_bytes: CONTENT_BYTES, ..FileRequest::default() };
                files::describe_configuration(root, &request)
            };
            let told =
                facts.into_iter().map(|fact| FileFact { program: "sshd".into(), flag: "Include".into(), pattern: pattern.clone(), ..fact });
            for fact in told {
                waiting.push_back(fact.clone());
                found.push(fact);
            }
            if !breathe() {
                return None;
            }
        }
    }
    Some(found)
}

fn unread(pattern: &str, why: &str) -> FileFact {
    FileFact { path: pattern.into(), state: State::Unread as i32, why: why.into(), ..FileFact::default() }
}

/// Absolute patterns of all Include lines.
fn patterns_of(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for line in text.lines() {
        let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
        if !words.next().is_some_and(|word| word.eq_ignore_ascii_case("include")) {
            continue;
        }
        for word in words.take_while(|word| !word.starts_with('#')) {
            let word = word.replace('"', "");
            all.push(if word.starts_with('/') { word } else { format!("/etc/ssh/{word}") });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{OpenOptionsExt, symlink};

    #[test]
    fn what_is_included_elsewhere_is_read_too_and_what_cannot_be_is_unread() {
        let folder = std::env::temp_dir().join(format!("facts-sshd-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        for inner in ["etc/ssh", "opt/ssh/a", "opt/ssh/b", "root"] {
            fs::create_dir_all(folder.join(inner)).expect("folder");
        }
        let write = |path: &str, text: &str| fs::write(folder.join(path), text).expect("written");
        write("etc/ssh/sshd_config", "Port 22\ninclude \"/opt/ssh/*/x.conf\" more.conf # and no more\nInclude /opt/ssh/[ab].conf\n");
        write("opt/ssh/a/x.conf", "PermitRootLogin yes\nInclude /etc/ssh/sshd_config\n");
        write("opt/ssh/b/other.conf", "x\n");
        write("root/id", "PermitRootLogin yes\n");
        symlink("/root/id", folder.join("etc/ssh/more.conf")).expect("link");
        let root: OwnedFd =
            fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(&folder).expect("root").into();
        let request = FileRequest { path: CONFIGURATION.into(), content_bytes: 1_000, ..FileRequest::default() };
        let found = included(&root, files::describe(&root, &request), || true).expect("in time");
        let shown: Vec<_> = found.iter().map(|file| (file.pattern.as_str(), file.path.as_str(), file.state, file.content.len())).collect();
        let (present, unread) = (State::Present as i32, State::Unread as i32);
        assert_eq!(
            shown,
            [
                ("/opt/ssh/*/x.conf", "/opt/ssh/a/x.conf", present, 49),
                // A link out of place: it is there, and nothing of it leaves the node.
                ("/etc/ssh/more.conf", "/etc/ssh/more.conf", present, 0),
                ("/opt/ssh/[ab].conf", "/opt/ssh/[ab].conf", unread, 0),
            ]
        );
        assert!(!found[1].content_why.is_empty() && found.iter().all(|file| file.program == "sshd" && file.flag == "Include"));
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn includes_without_end_come_to_one() {
        let many: String = (0..1_000).map(|number| format!("Include /none/{number}.conf\n")).collect();
        let file = FileFact { path: CONFIGURATION.into(), content: many.into_bytes(), ..FileFact::default() };
        let root = crate::resolve::root_of(std::process::id()).expect("root");
        let found = included(&root, vec![file], || true).expect("in time");
        assert_eq!((found.len(), found[PATTERNS_MAX].state), (1_000, State::Unread as i32));
    }
}

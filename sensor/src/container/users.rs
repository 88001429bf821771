//! Names of a container's own users, from its own /etc/passwd. The file is the container's: it is read below its root only, from the
//! root's own file system, bounded.
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

use crate::clock;
use crate::process::parse_users;
use crate::resolve;

const LIMIT_BYTES: u64 = 256 * 1024;
/// Between two looks at whether the file has changed.
const LOOK_AGAIN_NS: u64 = 5_000_000_000;

#[derive(Debug, Default)]
pub struct Users {
    names: HashMap<u32, String>,
    /// Device, inode, size and change of what was read.
    identity: (u64, u64, u64, i64, i64),
    looked_ns: u64,
}

impl Users {
    /// The name of a user; empty when the container has none for it. Without a file, root is root.
    pub fn name(&mut self, root: &OwnedFd, uid: u32) -> String {
        let now = clock::boot_ns();
        if self.looked_ns == 0 || now - self.looked_ns > LOOK_AGAIN_NS {
            self.looked_ns = now;
            self.look(root);
        }
        match self.names.get(&uid) {
            Some(name) => name.clone(),
            None if uid == 0 && self.names.is_empty() => "root".into(),
            None => String::new(),
        }
    }

    fn look(&mut self, root: &OwnedFd) {
        let Some(mut file) = open(root) else {
            self.names.clear();
            return;
        };
        let Ok(meta) = file.metadata() else { return };
        let identity = (meta.dev(), meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec());
        if identity == self.identity {
            return;
        }
        self.identity = identity;
        let mut text = Vec::new();
        let whole = file.by_ref().take(LIMIT_BYTES).read_to_end(&mut text);
        self.names = if whole.is_ok() { parse_users(&String::from_utf8_lossy(&text)) } else { HashMap::new() };
    }
}

fn open(root: &OwnedFd) -> Option<File> {
    resolve::readable(&resolve::open_on_own_disk(root, "/etc/passwd", libc::O_PATH).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, OpenOptions};
    use std::os::unix::fs::{OpenOptionsExt, symlink};
    use std::path::PathBuf;

    fn root(name: &str) -> (PathBuf, OwnedFd) {
        let folder = std::env::temp_dir().join(format!("users-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("etc")).expect("folder");
        let root = OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(&folder).expect("root");
        (folder, root.into())
    }

    #[test]
    fn names_are_the_containers_own() {
        let (folder, root) = root("own");
        fs::write(folder.join("etc/passwd"), "admin:x:0:0::/:/bin/sh\nweb:x:1234:1::/:/bin/sh\n").expect("passwd");
        let mut users = Users::default();
        assert_eq!([users.name(&root, 0), users.name(&root, 1234), users.name(&root, 7)], ["admin", "web", ""]);
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn a_link_leads_nowhere_outside_and_what_is_no_file_is_not_opened() {
        let (folder, root) = root("hostile");
        symlink("../../../../../../etc/passwd", folder.join("etc/passwd")).expect("link");
        assert!(open(&root).is_none(), "the host's own file was opened");
        fs::remove_file(folder.join("etc/passwd")).expect("clean");
        let name = std::ffi::CString::new(folder.join("etc/passwd").to_string_lossy().as_bytes()).expect("no zero");
        // SAFETY: a zero-terminated path.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        assert!(open(&root).is_none());
        assert_eq!(Users::default().name(&root, 0), "root");
        fs::remove_dir_all(folder).expect("clean");
    }
}

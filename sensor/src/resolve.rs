//! The file behind a name that a call was given, looked up after the fact in the caller's own root: links in the folder
//! part lead where they led the kernel. What cannot be looked up any more stays as it was named.
use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;

use crate::kernel::record::text;

/// struct open_how, openat2(2).
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

/// No file system but the root's own.
const RESOLVE_NO_XDEV: u64 = 0x01;
const RESOLVE_IN_ROOT: u64 = 0x10;
const RESOLVE_NO_MAGICLINKS: u64 = 0x02;
const RESOLVE_NO_SYMLINKS: u64 = 0x04;
/// Since Linux 5.12.
const RESOLVE_CACHED: u64 = 0x20;

/// A path and the folder that it starts from, without `.`, `..` and doubled slashes.
pub fn join(folder: &[u8], path: &[u8]) -> String {
    if path.is_empty() {
        return text(folder);
    }
    let whole = if path.starts_with(b"/") { path.to_vec() } else { [folder, b"/", path].concat() };
    normalize(&text(&whole))
}

fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Opens a path for looking only (O_PATH) below `root`, from which no link leads out.
pub fn open_in_root(root: &OwnedFd, path: &str, flags: i32) -> std::io::Result<OwnedFd> {
    open_with(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
}

/// Opens a path below `root` on which no part is a link.
pub fn open_without_links(root: &OwnedFd, path: &str, flags: i32) -> std::io::Result<OwnedFd> {
    open_with(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS)
}

/// The same, but only from what the kernel has in memory: a file system that answers slowly, or never (FUSE, a network's), must not
/// hold up the sensor. What was just used is in memory, but the kernel gives up where it would have to note that a link was followed,
/// as with one that was made a moment ago: then it is looked up as usual, as far as file systems reach that answer by themselves.
fn open_cached(root: &OwnedFd, path: &str, flags: i32) -> std::io::Result<OwnedFd> {
    let resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    match open_with(root, path, flags, resolve | RESOLVE_CACHED) {
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) && answers_by_itself(root) => {
            open_with(root, path, flags, resolve | RESOLVE_NO_XDEV)
        }
        done => done,
    }
}

/// Opens a path below `root` on the root's own file system, when that is one that answers by itself.
pub fn open_on_own_disk(root: &OwnedFd, path: &str, flags: i32) -> std::io::Result<OwnedFd> {
    if !answers_by_itself(root) {
        return Err(std::io::ErrorKind::Unsupported.into());
    }
    open_with(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)
}

/// Whether the root's file system is on a disk or in memory. An overlay's lower folders are where its runtime put them: on disks.
pub fn answers_by_itself(root: &OwnedFd) -> bool {
    const OVERLAYFS: i64 = 0x794c_7630;
    const EXT: i64 = 0xef53;
    const XFS: i64 = 0x5846_5342;
    const BTRFS: i64 = 0x9123_683e;
    const TMPFS: i64 = 0x0102_1994;
    const ZFS: i64 = 0x2fc1_2fc1;
    // SAFETY: an open descriptor, and a struct of the size that the call fills.
    let kind = unsafe {
        let mut facts: libc::statfs = std::mem::zeroed();
        if libc::fstatfs(root.as_raw_fd(), &mut facts) != 0 {
            return false;
        }
        facts.f_type as i64
    };
    [OVERLAYFS, EXT, XFS, BTRFS, TMPFS, ZFS].contains(&kind)
}

/// Opens a file for reading that was opened for looking (O_PATH) before: a regular one, on a file system that answers by itself.
/// To open a device or a pipe has consequences, or never ends; to read what somebody else serves (FUSE, a network) may never end either.
pub fn readable(place: &OwnedFd) -> std::io::Result<File> {
    let path = format!("/proc/self/fd/{}", place.as_raw_fd());
    if !answers_by_itself(place) || !fs::metadata(&path)?.is_file() {
        return Err(std::io::ErrorKind::Unsupported.into());
    }
    // The very file that was looked at, whatever has the name now; Rust adds O_CLOEXEC.
    fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

fn open_with(root: &OwnedFd, path: &str, flags: i32, resolve: u64) -> std::io::Result<OwnedFd> {
    let path = CString::new(path)?;
    let how = OpenHow { flags: flags as u64 | libc::O_CLOEXEC as u64, mode: 0, resolve };
    // SAFETY: a zero-terminated path and a struct of the stated size.
    let fd = unsafe { libc::syscall(libc::SYS_openat2, root.as_raw_fd(), path.as_ptr(), &how, size_of::<OpenHow>()) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the call gave a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// The root folder of a process.
pub fn root_of(pid: u32) -> std::io::Result<OwnedFd> {
    let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(format!("/proc/{pid}/root"))?;
    Ok(file.into())
}

/// `path` with the links in its folder part (and of its last part, where `follows`) resolved in a root.
pub fn actual(root: &OwnedFd, path: &str, follows: bool) -> Option<String> {
    let (folder, name) = path.rsplit_once('/')?;
    if follows && let Ok(file) = open_cached(root, path, libc::O_PATH) {
        return name_of(&file);
    }
    let folder = open_cached(root, if folder.is_empty() { "/" } else { folder }, libc::O_PATH | libc::O_DIRECTORY).ok()?;
    let folder = name_of(&folder)?;
    Some(if folder == "/" { format!("/{name}") } else { format!("{folder}/{name}") })
}

fn name_of(file: &OwnedFd) -> Option<String> {
    let link = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    Some(text(link.as_os_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_to_their_folder() {
        assert_eq!(join(b"/etc", b"../tmp/./x"), "/tmp/x");
        assert_eq!(join(b"/etc", b"//a//b"), "/a/b");
        assert_eq!(join(b"/", b"../../.."), "/");
        assert_eq!(join(b"/etc", b""), "/etc");
    }

    #[test]
    fn links_in_the_folder_lead_where_they_led_the_kernel() {
        let folder = std::env::temp_dir().join(format!("resolve-{}", std::process::id()));
        fs::create_dir_all(folder.join("real")).expect("temporary folder");
        let _ = fs::remove_file(folder.join("link"));
        std::os::unix::fs::symlink(folder.join("real"), folder.join("link")).expect("link");
        let real = fs::canonicalize(folder.join("real")).expect("real");
        let root = root_of(std::process::id()).expect("root");
        // RESOLVE_CACHED gives up while anything is renamed anywhere (openat2(2), EAGAIN): that is no answer.
        let path = folder.join("link/gone");
        let found = (0..1_000).find_map(|_| actual(&root, &path.to_string_lossy(), false));
        assert_eq!(found.expect("resolved"), real.join("gone").to_string_lossy());
        fs::remove_dir_all(folder).expect("clean");
    }
}

//! Files taken out of a container: kept encrypted on the node, put back when asked.
//!
//! Kept as pieces of at most 1 MiB under AES-256-GCM; the nonce is 8 random bytes and the piece's number, and whether a piece is the
//! last is authenticated with it, so that pieces can neither be swapped nor cut off.
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::Duration;

use super::Report;
use crate::container::ContainerHandle;
use crate::ndjson::hexadecimal;
use crate::patient;
use crate::resolve;
use crate::server::identity::State;
use crate::wire::{QuarantineFile, RestoreFile, order_result::Outcome};

const PIECE: usize = 1 << 20;
const TAG: usize = 16;
const FILE_LIMIT: u64 = 1 << 30;
/// A file that nobody used for long is found on a busy disk within that; only what may never answer takes longer.
const PATIENCE: Duration = Duration::from_secs(2);

fn folder(state: &State, id: &str) -> Result<PathBuf, String> {
    let safe = !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !safe {
        return Err(format!("`{id}` is no id of a quarantined file"));
    }
    Ok(state.path("quarantine").join(id))
}

fn cipher(key: &[u8]) -> Result<LessSafeKey, String> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| "the key is not of 32 bytes".to_string())
}

fn nonce(prefix: &[u8; 8], piece: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..8].copy_from_slice(prefix);
    bytes[8..].copy_from_slice(&piece.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// Reads until `buffer` is full or the source ends.
fn fill(source: &mut impl Read, buffer: &mut Vec<u8>, size: usize) -> std::io::Result<usize> {
    buffer.clear();
    source.take(size as u64).read_to_end(buffer)
}

/// Encrypts all of `source`; gives its SHA-256 and size.
fn seal(source: &mut impl Read, out: &mut impl Write, key: &[u8]) -> Result<(String, u64), String> {
    let cipher = cipher(key)?;
    let mut prefix = [0u8; 8];
    SystemRandom::new().fill(&mut prefix).map_err(|_| "no random numbers".to_string())?;
    out.write_all(&prefix).map_err(|error| error.to_string())?;
    let mut digest = Context::new(&SHA256);
    let (mut size, mut number) = (0u64, 0u32);
    let mut piece = Vec::new();
    loop {
        let length = fill(source, &mut piece, PIECE).map_err(|error| error.to_string())?;
        let last = length < PIECE;
        digest.update(&piece);
        size += length as u64;
        if size > FILE_LIMIT {
            return Err(format!("the file is larger than {FILE_LIMIT} bytes"));
        }
        cipher
            .seal_in_place_append_tag(nonce(&prefix, number), Aad::from([u8::from(last)]), &mut piece)
            .map_err(|_| "encryption failed".to_string())?;
        out.write_all(&piece).map_err(|error| error.to_string())?;
        if last {
            return Ok((hexadecimal(digest.finish().as_ref()), size));
        }
        number += 1;
    }
}

/// Decrypts all of `source`. Nothing of a piece that was changed gets out.
fn open(source: &mut impl Read, out: &mut impl Write, key: &[u8]) -> Result<String, String> {
    let cipher = cipher(key)?;
    let mut prefix = [0u8; 8];
    source.read_exact(&mut prefix).map_err(|error| error.to_string())?;
    let mut digest = Context::new(&SHA256);
    let mut piece = Vec::new();
    for number in 0..u32::MAX {
        let length = fill(source, &mut piece, PIECE + TAG).map_err(|error| error.to_string())?;
        let last = length < PIECE + TAG;
        let plain = cipher
            .open_in_place(nonce(&prefix, number), Aad::from([u8::from(last)]), &mut piece)
            .map_err(|_| "the key is wrong, or the kept file was changed".to_string())?;
        digest.update(plain);
        out.write_all(plain).map_err(|error| error.to_string())?;
        if last {
            return Ok(hexadecimal(digest.finish().as_ref()));
        }
    }
    Err("the kept file never ends".into())
}

/// The folder of a path within a root, opened, and the last name.
fn parent_of(root: &OwnedFd, path: &str) -> Result<(OwnedFd, CString), String> {
    let (parent, name) = path.rsplit_once('/').ok_or("the path is not absolute")?;
    if name.is_empty() || name == "." || name == ".." {
        return Err(format!("{path} names no file"));
    }
    let parent = if parent.is_empty() { "/" } else { parent };
    let folder = resolve::open_in_root(root, parent, libc::O_PATH | libc::O_DIRECTORY).map_err(|error| format!("{parent}: {error}"))?;
    Ok((folder, CString::new(name).map_err(|error| error.to_string())?))
}

/// Opens a name in a folder, without following it.
fn open_at(folder: &OwnedFd, name: &CString, flags: i32, mode: u32) -> std::io::Result<File> {
    // SAFETY: a valid descriptor and a zero-terminated name.
    let fd =
        unsafe { libc::openat(folder.as_raw_fd(), name.as_ptr(), flags | libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK, mode) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: a new descriptor of our own.
    Ok(unsafe { File::from_raw_fd(fd) })
}

fn unlink_at(folder: &OwnedFd, name: &CString) -> std::io::Result<()> {
    // SAFETY: a valid descriptor and a zero-terminated name.
    if unsafe { libc::unlinkat(folder.as_raw_fd(), name.as_ptr(), 0) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}

fn root(container: &ContainerHandle) -> Result<OwnedFd, String> {
    resolve::root_of(container.facts().pid).map_err(|error| format!("the container's root: {error}"))
}

/// The same as `parent_of`, where the folder is on a disk of the node's. What a container serves itself (FUSE), or has from a network, may
/// never answer: to find the way there is left to somebody who can be given up, and nothing is opened on it.
fn local_parent_of(root: OwnedFd, path: &str) -> Result<(OwnedFd, CString), String> {
    let wanted = path.to_string();
    let found = patient::wait(PATIENCE, move || {
        Ok(parent_of(&root, &wanted).and_then(|found| {
            let is_local = resolve::answers_by_itself(&found.0);
            if is_local { Ok(found) } else { Err(format!("{wanted} is on no disk of the node, so it may never answer")) }
        }))
    });
    found.map_err(|error| format!("the way to {path} does not answer: {error}"))?
}

/// Opens a regular file for reading. Another file system may be mounted upon the very name: that too is looked at first.
fn open_local(folder: &OwnedFd, name: &CString) -> std::io::Result<File> {
    let place = OwnedFd::from(open_at(folder, name, libc::O_PATH, 0)?);
    patient::wait(PATIENCE, move || resolve::readable(&place))
}

/// Takes a file out of a container.
pub fn take(state: &State, order: &QuarantineFile, container: &ContainerHandle) -> Result<Report, String> {
    let kept = folder(state, &order.quarantine_id)?;
    if kept.exists() {
        return Ok(Report::new(Outcome::Unchanged, "a file is kept under this id already"));
    }
    let (parent, name) = local_parent_of(root(container)?, &order.path)?;
    let mut file = open_local(&parent, &name).map_err(|error| match error.kind() {
        std::io::ErrorKind::Unsupported => format!("{} is no regular file on a disk of the node", order.path),
        _ => format!("{}: {error}", order.path),
    })?;
    let meta = file.metadata().map_err(|error| error.to_string())?;
    fs::create_dir_all(&kept).map_err(|error| format!("{}: {error}", kept.display()))?;
    let taken = keep(&mut file, &kept, order, container, &meta);
    let facts = match taken {
        Ok(facts) => facts,
        Err(why) => {
            fs::remove_dir_all(&kept).map_err(|error| format!("{why}; {}: {error}", kept.display()))?;
            return Err(why);
        }
    };
    // What is removed must be what was kept, not what was put there meanwhile.
    let now = open_local(&parent, &name).and_then(|file| file.metadata());
    if let Err(error) = &now
        && error.kind() == std::io::ErrorKind::TimedOut
    {
        return Err(format!("{} does not answer any more; a copy is kept, and it is still there", order.path));
    }
    if !now.is_ok_and(|now| now.ino() == meta.ino() && now.dev() == meta.dev()) {
        return Err(format!("{} was replaced meanwhile; a copy of what it was is kept", order.path));
    }
    unlink_at(&parent, &name).map_err(|error| format!("{}: {error}; a copy is kept", order.path))?;
    Ok(Report::new(Outcome::Done, format!("{} is kept encrypted and gone from the container", order.path)).with(facts))
}

fn keep(
    file: &mut File,
    kept: &std::path::Path,
    order: &QuarantineFile,
    container: &ContainerHandle,
    meta: &fs::Metadata,
) -> Result<Value, String> {
    let mut out =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(kept.join("file")).map_err(|error| error.to_string())?;
    let (sha256, size) = seal(file, &mut out, &order.key)?;
    out.sync_all().map_err(|error| error.to_string())?;
    let facts = json!({
        "containerId": container.facts().id, "path": order.path, "sha256": sha256, "size": size,
        "mode": meta.mode() & 0o7777, "uid": meta.uid(), "gid": meta.gid(), "modifiedSeconds": meta.mtime(),
    });
    fs::write(kept.join("facts.json"), facts.to_string()).map_err(|error| error.to_string())?;
    Ok(facts)
}

fn facts(state: &State, id: &str) -> Result<Value, String> {
    let path = folder(state, id)?.join("facts.json");
    let text = fs::read_to_string(&path).map_err(|_| format!("no file is kept under {id}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Which container a kept file came from.
pub fn container_of(state: &State, id: &str) -> Option<String> {
    Some(facts(state, id).ok()?["containerId"].as_str()?.to_string())
}

/// Puts a file back where it was, if nothing else is there now.
pub fn restore(state: &State, order: &RestoreFile, container: Option<&ContainerHandle>) -> Result<Report, String> {
    let facts = facts(state, &order.quarantine_id)?;
    let container = container.ok_or("its container does not run any more; the file stays in quarantine")?;
    let path = facts["path"].as_str().unwrap_or_default();
    let (parent, name) = local_parent_of(root(container)?, path)?;
    let mode = facts["mode"].as_u64().unwrap_or(0o600) as u32;
    let mut out =
        open_at(&parent, &name, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL, 0o600).map_err(|error| format!("{path}: {error}"))?;
    let kept = folder(state, &order.quarantine_id)?;
    let mut file = File::open(kept.join("file")).map_err(|error| error.to_string())?;
    let opened = open(&mut file, &mut out, &order.key).and_then(|sha256| {
        if Some(sha256.as_str()) == facts["sha256"].as_str() { Ok(()) } else { Err("what was kept is not what was taken".to_string()) }
    });
    if let Err(why) = opened {
        unlink_at(&parent, &name).map_err(|error| format!("{why}; {path}: {error}"))?;
        return Err(why);
    }
    let number = |key: &str| facts[key].as_u64().unwrap_or_default() as u32;
    // SAFETY: a valid descriptor.
    let owned = unsafe { libc::fchown(out.as_raw_fd(), number("uid"), number("gid")) == 0 && libc::fchmod(out.as_raw_fd(), mode) == 0 };
    if !owned {
        return Err(format!("{path} is back, but its owner and mode could not be set: {}", std::io::Error::last_os_error()));
    }
    fs::remove_dir_all(&kept).map_err(|error| format!("{path} is back; {}: {error}", kept.display()))?;
    Ok(Report::new(Outcome::Done, format!("{path} is back")).with(facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_its_key_and_no_other() {
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 7] {
            let plain: Vec<u8> = (0..size).map(|place| (place % 251) as u8).collect();
            let mut kept = Vec::new();
            let (digest, length) = seal(&mut plain.as_slice(), &mut kept, &[1; 32]).expect("sealed");
            let mut back = Vec::new();
            assert_eq!(open(&mut kept.as_slice(), &mut back, &[1; 32]).expect("opened"), digest);
            assert_eq!((back == plain, length), (true, size as u64));
            assert!(open(&mut kept.as_slice(), &mut Vec::new(), &[2; 32]).is_err());
        }
    }

    /// A folder in the place of the state's, and this very process in the place of a container's.
    fn place(name: &str) -> (PathBuf, State, ContainerHandle) {
        let folder = std::env::temp_dir().join(format!("quarantine-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("inner")).expect("folder");
        let state = State::open(&folder.join("state").to_string_lossy()).expect("state");
        let facts = crate::wire::Container { pid: std::process::id(), ..Default::default() };
        let container = ContainerHandle {
            facts: std::cell::RefCell::new(std::rc::Rc::new(facts)),
            cgroup_path: String::new(),
            cgroup_id: 0,
            described: std::cell::Cell::new(true),
            announced: std::cell::Cell::new(true),
            version: std::cell::Cell::new(0),
            root: std::cell::RefCell::new(None),
            users: std::cell::RefCell::default(),
        };
        (folder, state, container)
    }

    fn order(path: &std::path::Path) -> QuarantineFile {
        QuarantineFile { quarantine_id: "q".into(), path: path.to_string_lossy().into_owned(), key: vec![1; 32], ..Default::default() }
    }

    #[test]
    fn a_file_is_taken_from_a_disk_and_put_back_there() {
        let (folder, state, container) = place("disk");
        let path = folder.join("inner/file");
        fs::write(&path, "what it was").expect("file");
        assert_eq!(take(&state, &order(&path), &container).expect("taken").outcome, Outcome::Done);
        assert!(!path.exists());
        let back = RestoreFile { quarantine_id: "q".into(), key: vec![1; 32] };
        assert_eq!(restore(&state, &back, Some(&container)).expect("restored").outcome, Outcome::Done);
        assert_eq!(fs::read_to_string(&path).expect("back"), "what it was");
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn nothing_is_opened_on_a_file_system_that_may_never_answer() {
        let (folder, state, container) = place("foreign");
        let inner = folder.join("inner");
        let mount_point = CString::new(inner.to_string_lossy().as_bytes()).expect("no zero in it");
        let path = inner.join("uptime");
        fs::write(&path, "a file").expect("file");
        let back = RestoreFile { quarantine_id: "q".into(), key: vec![1; 32] };
        take(&state, &order(&path), &container).expect("taken");
        // A file system of another kind stands for one that never answers: whatever was done there would be done.
        // SAFETY: zero-terminated texts.
        if unsafe { libc::mount(c"proc".as_ptr(), mount_point.as_ptr(), c"proc".as_ptr(), 0, std::ptr::null()) } != 0 {
            return eprintln!("skipped: no file system can be mounted here ({})", std::io::Error::last_os_error());
        }
        let taken = take(&state, &QuarantineFile { quarantine_id: "other".into(), ..order(&path) }, &container);
        let restored = restore(&state, &back, Some(&container));
        // SAFETY: a zero-terminated text.
        assert_eq!(unsafe { libc::umount2(mount_point.as_ptr(), libc::MNT_DETACH) }, 0);
        for refused in [taken, restored] {
            let why = refused.expect_err("on no disk");
            assert!(why.contains("may never answer"), "{why}");
        }
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn a_pipe_is_refused_without_being_opened() {
        let (folder, state, container) = place("pipe");
        let path = folder.join("inner/pipe");
        let pipe = CString::new(path.to_string_lossy().as_bytes()).expect("no zero in it");
        // SAFETY: a zero-terminated path.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        assert!(take(&state, &order(&path), &container).expect_err("no file").contains("no regular file"));
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn pieces_cannot_be_cut_off_or_changed() {
        let mut kept = Vec::new();
        seal(&mut vec![5; 2 * PIECE].as_slice(), &mut kept, &[1; 32]).expect("sealed");
        assert!(open(&mut &kept[..8 + PIECE + TAG], &mut Vec::new(), &[1; 32]).is_err());
        kept[100] ^= 1;
        assert!(open(&mut kept.as_slice(), &mut Vec::new(), &[1; 32]).is_err());
        assert!(seal(&mut [1u8].as_slice(), &mut Vec::new(), &[1; 5]).is_err());
    }
}

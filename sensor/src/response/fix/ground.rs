//! Files of the node as fixes reach them: below its root, over no link, each looked at and changed through one descriptor.
use ring::digest::{SHA256, digest};
use std::ffi::{CStr, CString};
use std::fmt::{Display, Formatter};
use std::fs::{self, File, Metadata};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use crate::ndjson::hexadecimal;
use crate::resolve;
use crate::server::identity::State;

const FILE_LIMIT: u64 = 1 << 20;
/// The most that Linux lets names, or a value, be (XATTR_LIST_MAX).
const ATTRIBUTES_LIMIT: usize = 64 * 1024;
/// Attributes that sign a file's content: of another content they would be false.
const OF_CONTENT: [&[u8]; 2] = [b"security.ima\0", b"security.evm\0"];
const NEW_FILE: Permissions = Permissions { mode: 0o644, uid: 0, gid: 0 };

/// Where a fix works and what it keeps.
pub struct Ground<'a> {
    pub root: OwnedFd,
    pub state: &'a State,
    pub id: &'a str,
}

/// Who may do what with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

impl Permissions {
    pub fn of(meta: &Metadata) -> Self {
        Self { mode: meta.mode() & 0o7777, uid: meta.uid(), gid: meta.gid() }
    }

    pub fn owner(&self) -> String {
        format!("{}:{}", self.uid, self.gid)
    }

    /// What a preview saw, as one number.
    pub fn seen(&self, path: &str) -> String {
        sha256(format!("{self} {path}\n").as_bytes())
    }

    /// Of the very file that is open, even for looking only: its descriptor's name in /proc leads nowhere else. The owner first, since
    /// a new one clears setuid.
    pub fn set(&self, file: &File) -> std::io::Result<()> {
        let name = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        // SAFETY: a zero-terminated path, twice.
        answer(unsafe { libc::chown(name.as_ptr(), self.uid, self.gid) })
            .and_then(|()| answer(unsafe { libc::chmod(name.as_ptr(), self.mode) }))
    }
}

impl Display for Permissions {
    fn fmt(&self, to: &mut Formatter<'_>) -> std::fmt::Result {
        write!(to, "{:04o} {}:{}", self.mode, self.uid, self.gid)
    }
}

/// A file as it was found.
#[derive(PartialEq, Eq)]
pub struct Before {
    pub bytes: Vec<u8>,
    pub permissions: Permissions,
    inode: u64,
}

pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(digest(&SHA256, bytes).as_ref())
}

impl Ground<'_> {
    fn parent(&self, path: &str) -> Result<(OwnedFd, CString), String> {
        let (folder, name) = path.rsplit_once('/').ok_or("the path is not absolute")?;
        if name.is_empty() || path.split('/').any(|part| part == "..") {
            return Err(format!("{path} names no file"));
        }
        let folder = if folder.is_empty() { "/" } else { folder };
        let opened = resolve::open_without_links(&self.root, folder, libc::O_PATH | libc::O_DIRECTORY);
        Ok((
            opened.map_err(|error| format!("{folder}: {error}; links are not followed"))?,
            CString::new(name).map_err(|error| error.to_string())?,
        ))
    }

    /// A file, or whatever else it is, for looking only; no link, and nothing that has a second name.
    pub fn look(&self, path: &str) -> Result<File, String> {
        let (folder, name) = self.parent(path)?;
        let file = open_at(&folder, &name, libc::O_PATH, 0).map_err(|error| format!("{path}: {error}"))?;
        let meta = file.metadata().map_err(|error| format!("{path}: {error}"))?;
        if meta.file_type().is_symlink() || (meta.is_file() && meta.nlink() != 1) {
            return Err(format!("{path} is a link, or has another name too"));
        }
        Ok(file)
    }

    /// A regular file with one name, whole; `None` when there is none.
    pub fn read(&self, path: &str) -> Result<Option<Before>, String> {
        let (folder, name) = self.parent(path)?;
        read_at(&folder, &name, path)
    }

    /// Puts a new file in the place of the old one, which must still be the one that was read: the two change places in one step, and
    /// what came out is looked at again. Where there was none, one that came into being meanwhile stays.
    pub fn replace(&self, path: &str, bytes: &[u8], like: Option<&Before>) -> Result<(), String> {
        let (folder, name) = self.parent(path)?;
        let fresh = self.fresh_name()?;
        let failed = |error: std::io::Error| format!("{path}: {error}");
        let meanwhile = || format!("{path} was changed meanwhile");
        let mut file = open_at(&folder, &fresh, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL, 0o600).map_err(failed)?;
        let permissions = like.map_or(NEW_FILE, |before| before.permissions);
        let old = if like.is_some() { Some(open_at(&folder, &name, libc::O_RDONLY | libc::O_NONBLOCK, 0)) } else { None };
        let written = own(&file, &permissions)
            .and_then(|()| old.map_or(Ok(()), |old| copy_attributes(&old?, &file)))
            .and_then(|()| file.write_all(bytes))
            .and_then(|()| file.sync_all())
            .map_err(failed)
            .and_then(|()| if read_at(&folder, &name, path)?.as_ref() == like { Ok(()) } else { Err(meanwhile()) })
            .and_then(|()| {
                let flags = if like.is_some() { libc::RENAME_EXCHANGE } else { libc::RENAME_NOREPLACE };
                match rename_at(&folder, &fresh, &name, flags) {
                    Ok(()) => Ok(like.is_some()),
                    Err(error) if error.raw_os_error() == Some(libc::EEXIST) => Err(meanwhile()),
                    // Not every file system can do it in one step: the look before has to do.
                    Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                        rename_at(&folder, &fresh, &name, 0).map(|()| false).map_err(failed)
                    }
                    Err(error) => Err(failed(error)),
                }
            })
            .and_then(|exchanged| {
                if exchanged && read_at(&folder, &fresh, path).ok().flatten().as_ref() != like {
                    rename_at(&folder, &fresh, &name, libc::RENAME_EXCHANGE).map_err(failed)?;
                    return Err(meanwhile());
                }
                Ok(())
            });
        // What came out, or what was not put in.
        remove_at(&folder, &fresh);
        written.and_then(|()| sync(&folder).map_err(failed))
    }

    fn fresh_name(&self) -> Result<CString, String> {
        CString::new(format!(".bulwark-{}", self.id)).map_err(|error| error.to_string())
    }

    /// Takes a file away that is still the one that was read.
    pub fn remove(&self, path: &str) -> Result<(), String> {
        let (folder, name) = self.parent(path)?;
        // SAFETY: an open descriptor and a zero-terminated name.
        answer(unsafe { libc::unlinkat(folder.as_raw_fd(), name.as_ptr(), 0) })
            .and_then(|()| sync(&folder))
            .map_err(|error| format!("{path}: {error}"))
    }

    /// Takes away what a sensor that ended in the middle of a replacement left beside the file.
    pub fn sweep(&self, path: &str) -> Result<(), String> {
        let (folder, _) = self.parent(path)?;
        remove_at(&folder, &self.fresh_name()?);
        Ok(())
    }
}

fn read_at(folder: &OwnedFd, name: &CString, path: &str) -> Result<Option<Before>, String> {
    let file = match open_at(folder, name, libc::O_RDONLY | libc::O_NONBLOCK, 0) {
        Ok(file) => file,
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(None),
        Err(error) => return Err(format!("{path}: {error}; links are not followed")),
    };
    let meta = file.metadata().map_err(|error| format!("{path}: {error}"))?;
    if !meta.is_file() || meta.nlink() != 1 || meta.len() > FILE_LIMIT {
        return Err(format!("{path} is no regular file with one name and at most {FILE_LIMIT} bytes"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| format!("{path}: {error}"))?;
    Ok(Some(Before { bytes, permissions: Permissions::of(&meta), inode: meta.ino() }))
}

pub fn write_value(place: &str, value: &str) -> Result<(), String> {
    fs::OpenOptions::new()
        .write(true)
        .open(place)
        .and_then(|mut file| file.write_all(value.as_bytes()))
        .map_err(|error| format!("{place}: {error}"))
}

fn open_at(folder: &OwnedFd, name: &CString, flags: i32, mode: u32) -> std::io::Result<File> {
    // SAFETY: an open descriptor and a zero-terminated name.
    let fd = unsafe { libc::openat(folder.as_raw_fd(), name.as_ptr(), flags | libc::O_NOFOLLOW | libc::O_CLOEXEC, mode) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: a new descriptor of our own.
    Ok(unsafe { File::from_raw_fd(fd) })
}

fn rename_at(folder: &OwnedFd, from: &CString, to: &CString, flags: u32) -> std::io::Result<()> {
    let fd = folder.as_raw_fd();
    // SAFETY: open descriptors and zero-terminated names.
    match unsafe { libc::syscall(libc::SYS_renameat2, fd, from.as_ptr(), fd, to.as_ptr(), flags) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Labels and access lists of the old file (xattr(7)): without its label a program that SELinux confines could not read the new one.
fn copy_attributes(from: &File, to: &File) -> std::io::Result<()> {
    let mut names = vec![0u8; ATTRIBUTES_LIMIT];
    // SAFETY: an open descriptor, and a buffer of the stated size.
    let length = unsafe { libc::flistxattr(from.as_raw_fd(), names.as_mut_ptr().cast(), names.len()) };
    let Ok(length) = usize::try_from(length) else {
        let error = std::io::Error::last_os_error();
        return if error.raw_os_error() == Some(libc::EOPNOTSUPP) { Ok(()) } else { Err(error) };
    };
    for name in names[..length].split_inclusive(|byte| *byte == 0).filter(|name| !OF_CONTENT.contains(name)) {
        let name = CStr::from_bytes_with_nul(name).map_err(std::io::Error::other)?;
        let mut value = vec![0u8; ATTRIBUTES_LIMIT];
        // SAFETY: an open descriptor, a zero-terminated name, and a buffer of the stated size.
        let length = unsafe { libc::fgetxattr(from.as_raw_fd(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
        let length = usize::try_from(length).map_err(|_| std::io::Error::last_os_error())?;
        // SAFETY: as above; the value is as long as it was found to be.
        answer(unsafe { libc::fsetxattr(to.as_raw_fd(), name.as_ptr(), value.as_ptr().cast(), length, 0) })?;
    }
    Ok(())
}

/// A name that is gone already is as good.
fn remove_at(folder: &OwnedFd, name: &CString) {
    // SAFETY: an open descriptor and a zero-terminated name.
    unsafe { libc::unlinkat(folder.as_raw_fd(), name.as_ptr(), 0) };
}

/// Makes a change of names last; the folder is open for looking only.
fn sync(folder: &OwnedFd) -> std::io::Result<()> {
    File::open(format!("/proc/self/fd/{}", folder.as_raw_fd()))?.sync_all()
}

fn answer(result: i32) -> std::io::Result<()> {
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

fn own(file: &File, permissions: &Permissions) -> std::io::Result<()> {
    // SAFETY: an open descriptor, twice.
    answer(unsafe { libc::fchown(file.as_raw_fd(), permissions.uid, permissions.gid) })
        .and_then(|()| answer(unsafe { libc::fchmod(file.as_raw_fd(), permissions.mode) }))
}

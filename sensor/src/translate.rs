//! The fields of each kind of event, from the texts and numbers of its record.
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::kernel::calls::CALLS;
use crate::kernel::record::{Reader, Record, SocketBody, flag, text};
use crate::process::Process;
use crate::resolve;
use crate::wire::{Event, EventType};

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const SOCK_RAW: u16 = 3;

/// Fills `event` from what follows the fixed part of the record.
pub fn fill(event: &mut Event, kind: EventType, record: &Record, reader: &mut Reader, process: Option<&Process>) {
    use EventType as E;
    event.flags = record.bits;
    event.argument = record.argument;
    event.fd = record.fd;
    match kind {
        E::Open | E::Creat | E::OpenByHandleAt | E::FinitModule if record.result >= 0 => file(event, record, reader),
        E::Write => {
            file(event, record, reader);
            (event.bytes_sent, event.flags, event.mode) = (record.bits, 0, 0);
        }
        E::Connect | E::Bind | E::Listen | E::Accept | E::Socket | E::Flow | E::Sendto => {
            let body = reader.socket_body();
            let (unix, asked) = (reader.text(), reader.text());
            socket(event, &body, unix, asked);
            if kind == E::Flow && record.argument != 0 {
                (event.argument, event.detail) = (0, "open".into());
            }
        }
        E::Dns => crate::dns::fill(event, reader),
        E::Dup => {
            event.target_fd = record.target;
            event.fd_kind = i32::from(record.stdio);
            if event.fd_kind == crate::wire::Stdio::Socket as i32 {
                let body = reader.socket_body();
                socket(event, &body, reader.text(), b"");
            }
        }
        _ => call(event, kind, record, reader, process),
    }
}

fn file(event: &mut Event, record: &Record, reader: &mut Reader) {
    event.path = text(reader.text());
    event.upper_layer = record.has(flag::UPPER_LAYER);
    event.inode = record.inode;
    event.device = record.device;
    event.mode = record.mode;
}

/// Everything that is described by a row of the table of calls.
fn call(event: &mut Event, kind: EventType, record: &Record, reader: &mut Reader, process: Option<&Process>) {
    use EventType as E;
    let name = CALLS.get(record.call as usize).map_or("", |call| call.name);
    event.mode = record.mode;
    event.target_pid = record.target;
    if matches!(name, "fchmod" | "fchown" | "ftruncate" | "kexec_file_load") {
        file(event, record, reader);
        event.mode = record.mode;
    } else {
        let (folder, path, new_folder, new_path) = (reader.text(), reader.text(), reader.text(), reader.text());
        let detail = text(reader.text());
        // The final part of these is followed by the kernel when it is a link.
        let follows = matches!(kind, E::Chmod | E::Truncate | E::Setxattr | E::Chroot | E::Umount) || name == "chown";
        let resolve = |folder: &[u8], path: &[u8], follows: bool| {
            if path.is_empty() && folder.is_empty() {
                return String::new();
            }
            let joined = resolve::join(folder, path);
            match process {
                Some(process) if record.result >= 0 && kind != E::PivotRoot => actual(process, joined, follows),
                _ => joined,
            }
        };
        event.path = match kind {
            // A device, or the name of a kind of file system.
            E::Mount if !path.starts_with(b"/") => text(path),
            E::Unlink | E::Rmdir | E::Rename => resolve(folder, path, false),
            _ => resolve(folder, path, follows),
        };
        event.new_path = resolve(new_folder, new_path, kind == E::Mount);
        match kind {
            E::Symlink => event.path = detail,
            E::MemfdCreate => event.path = format!("memfd:{detail}"),
            E::Syscall => event.detail = name.into(),
            _ => event.detail = detail,
        }
    }
    match kind {
        E::Chown => event.target_pid = 0,
        E::Mknod => {
            event.device = record.target;
            event.target_pid = 0;
        }
        // AT_REMOVEDIR makes it an rmdir.
        E::Unlink if name == "unlinkat" && record.bits & 0x200 != 0 => event.r#type = E::Rmdir as i32,
        _ => {}
    }
}

/// In the caller's own root; when it has ended, in its container's or the host's.
fn actual(process: &Process, path: String, follows: bool) -> String {
    let own = resolve::root_of(process.pid).ok().and_then(|root| resolve::actual(&root, &path, follows));
    own.or_else(|| match process.container.borrow().as_ref() {
        Some(container) => container.root.borrow().as_ref().and_then(|root| resolve::actual(root, &path, follows)),
        None => resolve::root_of(1).ok().and_then(|root| resolve::actual(&root, &path, follows)),
    })
    .unwrap_or(path)
}

/// Addresses of a socket; what the caller asked for counts only where the kernel kept nothing.
pub fn socket(event: &mut Event, body: &SocketBody, unix: &[u8], asked: &[u8]) {
    event.protocol = match (body.family, body.socket_type, body.protocol) {
        (AF_UNIX, ..) => "unix",
        (_, SOCK_RAW, _) => "raw",
        (_, _, 6) => "tcp",
        (_, _, 17) => "udp",
        (_, _, 1 | 58) => "icmp",
        _ => "",
    }
    .into();
    event.bytes_sent = body.sent;
    event.bytes_received = body.received;
    match body.family {
        AF_UNIX => {
            event.family = 1;
            let name = unix.strip_prefix(b"\0").map(|rest| [b"@", rest].concat()).unwrap_or_else(|| unix.to_vec());
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            event.remote_address = text(name);
            if name.is_empty() && asked.len() > 2 {
                event.remote_address = text(asked[2..].split(|byte| *byte == 0).next().unwrap_or_default());
            }
        }
        AF_INET | AF_INET6 => {
            event.family = if body.family == AF_INET { 4 } else { 6 };
            event.local_address = address(body.family, &body.local);
            event.local_port = u32::from(body.local_port);
            event.remote_address = address(body.family, &body.remote);
            event.remote_port = u32::from(body.remote_port);
            if body.remote_port == 0 && body.remote == [0; 16] {
                event.remote_address.clear();
                let connects = event.r#type == EventType::Connect as i32;
                if let Some((address, port)) = asked_address(asked).filter(|_| connects) {
                    event.remote_address = address;
                    event.remote_port = port;
                }
            }
            if let Some(mapped) = event.remote_address.strip_prefix("::ffff:").filter(|rest| rest.contains('.')) {
                event.remote_address = mapped.to_string();
            }
        }
        other => event.detail = family_name(other),
    }
}

fn address(family: u16, bytes: &[u8; 16]) -> String {
    if family == AF_INET {
        return Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).to_string();
    }
    Ipv6Addr::from(*bytes).to_string()
}

/// struct sockaddr_in and sockaddr_in6.
fn asked_address(bytes: &[u8]) -> Option<(String, u32)> {
    let family = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
    let port = u32::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
    match family {
        AF_INET => {
            let bytes: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Some((Ipv4Addr::from(bytes).to_string(), port))
        }
        AF_INET6 => {
            let bytes: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            Some((Ipv6Addr::from(bytes).to_string(), port))
        }
        _ => None,
    }
}

fn family_name(family: u16) -> String {
    match family {
        15 => "key".into(),
        16 => "netlink".into(),
        17 => "packet".into(),
        31 => "bluetooth".into(),
        38 => "alg".into(),
        40 => "vsock".into(),
        44 => "xdp".into(),
        other => format!("family {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_shows_where_it_was_meant_to_go() {
        let mut event = Event { r#type: EventType::Connect as i32, ..Event::default() };
        let mut asked = vec![2, 0, 0x11, 0x5c, 10, 0, 0, 9];
        asked.resize(28, 0);
        let body = SocketBody { family: AF_INET, protocol: 6, socket_type: 1, ..SocketBody::default() };
        socket(&mut event, &body, b"", &asked);
        assert_eq!((event.remote_address.as_str(), event.remote_port, event.protocol.as_str()), ("10.0.0.9", 4444, "tcp"));
    }

    #[test]
    fn an_abstract_unix_name_begins_with_an_at() {
        let mut event = Event::default();
        socket(&mut event, &SocketBody { family: AF_UNIX, ..SocketBody::default() }, b"\0name\0x", b"");
        assert_eq!(event.remote_address, "@name");
    }
}

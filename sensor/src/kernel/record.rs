//! Reads what bpf/event.h lays out. Nothing in a record is trusted to be complete: a short one reads as zeros.

/// Values of `record.flags`.
pub mod flag {
    pub const UPPER_LAYER: u32 = 4;
    pub const IN_MEMORY: u32 = 8;
    pub const DELETED: u32 = 16;
    pub const WRITABLE: u32 = 32;
    pub const ABOUT_READ: u32 = 512;
}

/// Types that stay between the kernel half and the sensor.
pub mod internal {
    pub const CGROUP_MADE: u32 = 100;
    pub const CGROUP_GONE: u32 = 101;
    pub const IO_URING: u32 = 102;
    pub const NETWORK_BLOCKED: u32 = 103;
    pub const NAMES_ASKED: u32 = 104;
    pub const FILE_REFUSED: u32 = 105;
    pub const EXEC_REFUSED: u32 = 106;
    pub const ROOT_MADE: u32 = 107;
}

pub const RECORD_SIZE: usize = 120;
const USED_AT: usize = 100;
const PROCESS_BODY_SIZE: usize = 80;
const FORK_BODY_SIZE: usize = 40;
const SOCKET_BODY_SIZE: usize = 64;

/// Little pieces of a record, each at its offset; out of bounds is zero.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let found = self.bytes.get(self.at..self.at + N).and_then(|slice| slice.try_into().ok());
        self.at += N;
        found.unwrap_or([0; N])
    }
    fn u16(&mut self) -> u16 {
        u16::from_ne_bytes(self.take())
    }
    fn u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.take())
    }
    fn u64(&mut self) -> u64 {
        u64::from_ne_bytes(self.take())
    }
    /// The next text; empty at the end.
    pub fn text(&mut self) -> &'a [u8] {
        let length = self.u16() as usize;
        let start = self.at.min(self.bytes.len());
        let end = (start + length).min(self.bytes.len());
        self.at = end;
        &self.bytes[start..end]
    }
}

/// `struct record`.
#[derive(Debug, Default, Clone)]
pub struct Record {
    pub kind: u32,
    pub flags: u32,
    pub time_ns: u64,
    pub start_ns: u64,
    pub cgroup: u64,
    pub pid: u32,
    pub tid: u32,
    pub uid: u32,
    pub euid: u32,
    pub result: i64,
    pub bits: u64,
    pub argument: i64,
    pub inode: u64,
    pub mode: u32,
    pub fd: i32,
    pub device: u32,
    pub target: u32,
    pub call: u16,
    pub stdio: u16,
    pub comm: [u8; 16],
}

impl Record {
    /// comm, as text.
    pub fn name(&self) -> String {
        text(self.comm.split(|byte| *byte == 0).next().unwrap_or_default())
    }

    pub fn has(&self, bit: u32) -> bool {
        self.flags & bit != 0
    }
}

/// When an item was made, without reading the rest of it.
pub fn time_ns(bytes: &[u8]) -> u64 {
    Reader { bytes, at: 8 }.u64()
}

/// Splits one item of the ring buffer; `None` when it is shorter than its fixed part.
pub fn read(bytes: &[u8]) -> Option<(Record, Reader<'_>)> {
    if bytes.len() < RECORD_SIZE {
        return None;
    }
    let used = Reader { bytes, at: USED_AT }.u32() as usize;
    let mut reader = Reader { bytes, at: 0 };
    let record = Record {
        kind: reader.u32(),
        flags: reader.u32(),
        time_ns: reader.u64(),
        start_ns: reader.u64(),
        cgroup: reader.u64(),
        pid: reader.u32(),
        tid: reader.u32(),
        uid: reader.u32(),
        euid: reader.u32(),
        result: reader.u64() as i64,
        bits: reader.u64(),
        argument: reader.u64() as i64,
        inode: reader.u64(),
        mode: reader.u32(),
        fd: reader.u32() as i32,
        device: reader.u32(),
        target: reader.u32(),
        call: reader.u16(),
        stdio: reader.u16(),
        comm: {
            reader.at = USED_AT + 4;
            reader.take()
        },
    };
    let end = (RECORD_SIZE + used).min(bytes.len());
    reader.bytes = &bytes[..end];
    reader.at = RECORD_SIZE;
    Some((record, reader))
}

/// `struct process_body`.
#[derive(Debug, Default, Clone)]
pub struct ProcessBody {
    pub parent_start_ns: u64,
    pub capabilities: u64,
    pub exe_inode: u64,
    pub parent_pid: u32,
    pub namespace_pid: u32,
    pub gid: u32,
    pub login_uid: u32,
    pub session_id: u32,
    pub group_id: u32,
    pub tty: u32,
    pub arguments_cut: u32,
    pub stdio: [u8; 4],
    pub comm: [u8; 16],
}

impl Reader<'_> {
    pub fn process_body(&mut self) -> ProcessBody {
        let start = self.at;
        let body = ProcessBody {
            parent_start_ns: self.u64(),
            capabilities: self.u64(),
            exe_inode: self.u64(),
            parent_pid: self.u32(),
            namespace_pid: self.u32(),
            gid: self.u32(),
            login_uid: self.u32(),
            session_id: self.u32(),
            group_id: self.u32(),
            tty: self.u32(),
            arguments_cut: self.u32(),
            stdio: self.take(),
            comm: self.take(),
        };
        self.at = start + PROCESS_BODY_SIZE;
        body
    }

    pub fn fork_body(&mut self) -> ForkBody {
        let start = self.at;
        let body = ForkBody {
            child_start_ns: self.u64(),
            child_cgroup: self.u64(),
            child_pid: self.u32(),
            namespace_pid: self.u32(),
            parent_start_ns: self.u64(),
            parent_pid: self.u32(),
        };
        self.at = start + FORK_BODY_SIZE;
        body
    }

    pub fn socket_body(&mut self) -> SocketBody {
        let start = self.at;
        let body = SocketBody {
            local: self.take(),
            remote: self.take(),
            local_port: self.u16(),
            remote_port: self.u16(),
            family: self.u16(),
            protocol: self.u16(),
            socket_type: self.u16(),
            sent: {
                self.at += 6;
                self.u64()
            },
            received: self.u64(),
        };
        self.at = start + SOCKET_BODY_SIZE;
        body
    }
}

/// `struct fork_body`.
#[derive(Debug, Default, Clone)]
pub struct ForkBody {
    pub child_start_ns: u64,
    pub child_cgroup: u64,
    pub child_pid: u32,
    pub namespace_pid: u32,
    pub parent_start_ns: u64,
    pub parent_pid: u32,
}

/// `struct socket_body`.
#[derive(Debug, Default, Clone)]
pub struct SocketBody {
    pub local: [u8; 16],
    pub remote: [u8; 16],
    pub local_port: u16,
    pub remote_port: u16,
    pub family: u16,
    pub protocol: u16,
    pub socket_type: u16,
    pub sent: u64,
    pub received: u64,
}

/// Bytes of the kernel as text: what is not UTF-8 is written as \xNN, a backslash stays one.
///
/// `text(b"a\xff")` is `a\xff` in four characters of escape.
pub fn text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Zero-separated arguments, the last zero left out.
pub fn arguments(bytes: &[u8]) -> Vec<String> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    bytes.split(|byte| *byte == 0).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_item_is_refused_and_a_short_text_is_cut() {
        assert!(read(&[0; 50]).is_none());
        let mut bytes = vec![0u8; RECORD_SIZE];
        bytes[USED_AT] = 4;
        bytes.extend([200, 0, b'a', b'b']);
        let (_, mut reader) = read(&bytes).expect("long enough");
        assert_eq!(reader.text(), b"ab");
        assert_eq!(reader.text(), b"");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_written_out() {
        assert_eq!(text(b"ok\xff\xfe\nx"), "ok\\xff\\xfe\nx");
    }

    #[test]
    fn empty_arguments_are_kept() {
        assert_eq!(arguments(b"sh\0\0-c\0"), ["sh", "", "-c"]);
        assert!(arguments(b"").is_empty());
    }
}

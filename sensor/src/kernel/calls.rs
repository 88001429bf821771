//! Which system calls are looked at, and which of their arguments is what. The kernel half gets this table by number,
//! so that one program serves every call, architecture and width.
use std::collections::HashMap;

use crate::wire::EventType as E;

const NONE: u8 = 7;

/// Handlers of bpf/call.h.
const NUMBERS: u8 = 1;
const PATHS: u8 = 2;
const OPENED: u8 = 3;
const DESCRIPTOR: u8 = 4;
const SOCKET: u8 = 5;
const ACCEPTED: u8 = 6;
const DUPLICATED: u8 = 7;
const SENT: u8 = 8;
const SOCKETCALL: u8 = 9;

/// `struct call` of bpf/call.h.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelCall {
    handler: u8,
    kind: u8,
    folder: u8,
    path: u8,
    new_folder: u8,
    new_path: u8,
    flags: u8,
    mode: u8,
    argument: u8,
    target: u8,
    text: u8,
    descriptor: u8,
    index: u16,
    failed_only: u8,
    moves: u8,
    wanted: u64,
    blocks: u64,
}

// SAFETY: plain numbers without padding.
unsafe impl aya::Pod for KernelCall {}

/// A call, its numbers, and what its arguments mean.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub name: &'static str,
    /// x86-64, arm64, i386; -1 where the architecture has no such call.
    numbers: [i32; 3],
    row: KernelCall,
}

const fn call(name: &'static str, kind: E, handler: u8, numbers: [i32; 3]) -> Call {
    let row = KernelCall {
        handler,
        kind: kind as u8,
        folder: NONE,
        path: NONE,
        new_folder: NONE,
        new_path: NONE,
        flags: NONE,
        mode: NONE,
        argument: NONE,
        target: NONE,
        text: NONE,
        descriptor: NONE,
        index: 0,
        failed_only: 0,
        moves: 0,
        wanted: 0,
        blocks: 0,
    };
    Call { name, numbers, row }
}

macro_rules! setter {
    ($($name:ident),*) => { $(const fn $name(mut self, argument: u8) -> Self { self.row.$name = argument; self })* };
}

impl Call {
    setter!(folder, path, new_folder, new_path, flags, mode, argument, target, text, descriptor);
    const fn wanted(mut self, operations: u64) -> Self {
        self.row.wanted = operations;
        self
    }
    /// Names or mounts are not what they were.
    const fn moves(mut self) -> Self {
        self.row.moves = 1;
        self
    }
    const fn failed_only(mut self) -> Self {
        self.row.failed_only = 1;
        self
    }
}

/// Operations of prctl(2) that change what a process may do or seems to be.
const PRCTL: u64 = 1 << 4 | 1 << 8 | 1 << 15 | 1 << 22 | 1 << 24 | 1 << 35 | 1 << 38 | 1 << 47;

pub const CALLS: &[Call] = &[
    // x86-64, arm64, i386
    call("execve", E::Execve, PATHS, [59, 221, 11]).path(0).failed_only(),
    call("execveat", E::Execve, PATHS, [322, 281, 358]).folder(0).path(1).flags(4).failed_only(),
    call("open", E::Open, OPENED, [2, -1, 5]).path(0).flags(1).mode(2),
    call("openat", E::Open, OPENED, [257, 56, 295]).folder(0).path(1).flags(2).mode(3),
    call("openat2", E::Open, OPENED, [437, 437, 437]).folder(0).path(1),
    call("creat", E::Open, OPENED, [85, -1, 8]).path(0).mode(1),
    call("open_by_handle_at", E::OpenByHandleAt, OPENED, [304, 265, 342]).flags(2),
    call("rename", E::Rename, PATHS, [82, -1, 38]).path(0).new_path(1).moves(),
    call("renameat", E::Rename, PATHS, [264, 38, 302]).folder(0).path(1).new_folder(2).new_path(3).moves(),
    call("renameat2", E::Rename, PATHS, [316, 276, 353]).folder(0).path(1).new_folder(2).new_path(3).flags(4).moves(),
    call("unlink", E::Unlink, PATHS, [87, -1, 10]).path(0),
    call("unlinkat", E::Unlink, PATHS, [263, 35, 301]).folder(0).path(1).flags(2),
    call("link", E::Link, PATHS, [86, -1, 9]).path(0).new_path(1),
    call("linkat", E::Link, PATHS, [265, 37, 303]).folder(0).path(1).new_folder(2).new_path(3).flags(4),
    call("symlink", E::Symlink, PATHS, [88, -1, 83]).text(0).new_path(1),
    call("symlinkat", E::Symlink, PATHS, [266, 36, 304]).text(0).new_folder(1).new_path(2),
    call("mkdir", E::Mkdir, PATHS, [83, -1, 39]).path(0).mode(1),
    call("mkdirat", E::Mkdir, PATHS, [258, 34, 296]).folder(0).path(1).mode(2),
    call("rmdir", E::Rmdir, PATHS, [84, -1, 40]).path(0),
    call("chmod", E::Chmod, PATHS, [90, -1, 15]).path(0).mode(1),
    call("fchmod", E::Chmod, DESCRIPTOR, [91, 52, 94]).descriptor(0).mode(1),
    call("fchmodat", E::Chmod, PATHS, [268, 53, 306]).folder(0).path(1).mode(2),
    call("fchmodat2", E::Chmod, PATHS, [452, 452, 452]).folder(0).path(1).mode(2).flags(3),
    call("chown", E::Chown, PATHS, [92, -1, 212]).path(0).argument(1).target(2),
    call("lchown", E::Chown, PATHS, [94, -1, 198]).path(0).argument(1).target(2),
    call("fchown", E::Chown, DESCRIPTOR, [93, 55, 207]).descriptor(0).argument(1).target(2),
    call("fchownat", E::Chown, PATHS, [260, 54, 298]).folder(0).path(1).argument(2).target(3).flags(4),
    call("truncate", E::Truncate, PATHS, [76, 45, 193]).path(0).argument(1),
    call("ftruncate", E::Truncate, DESCRIPTOR, [77, 46, 194]).descriptor(0).argument(1),
    call("mknod", E::Mknod, PATHS, [133, -1, 14]).path(0).mode(1).target(2),
    call("mknodat", E::Mknod, PATHS, [259, 33, 297]).folder(0).path(1).mode(2).target(3),
    call("setxattr", E::Setxattr, PATHS, [188, 5, 226]).path(0).text(1).flags(4),
    call("lsetxattr", E::Setxattr, PATHS, [189, 6, 227]).path(0).text(1).flags(4),
    call("mount", E::Mount, PATHS, [165, 40, 21]).path(0).new_path(1).text(2).flags(3).moves(),
    call("umount2", E::Umount, PATHS, [166, 39, 52]).path(0).flags(1).moves(),
    call("pivot_root", E::PivotRoot, PATHS, [155, 41, 217]).path(0).new_path(1).moves(),
    call("chroot", E::Chroot, PATHS, [161, 51, 61]).path(0),
    call("move_mount", E::MoveMount, PATHS, [429, 429, 429]).folder(0).path(1).new_folder(2).new_path(3).flags(4).moves(),
    call("open_tree", E::Syscall, PATHS, [428, 428, 428]).folder(0).path(1).flags(2),
    call("mount_setattr", E::Syscall, PATHS, [442, 442, 442]).folder(0).path(1).flags(2),
    call("fsopen", E::Fsopen, PATHS, [430, 430, 430]).text(0).flags(1),
    call("fsmount", E::Syscall, NUMBERS, [432, 432, 432]).flags(1),
    call("swapon", E::Swapon, PATHS, [167, 224, 87]).path(0).flags(1),
    call("acct", E::Syscall, PATHS, [163, 89, 51]).path(0),
    call("quotactl", E::Syscall, PATHS, [179, 60, 131]).path(1).argument(0),
    call("name_to_handle_at", E::Syscall, PATHS, [303, 264, 341]).folder(0).path(1).flags(4),
    call("unshare", E::Unshare, NUMBERS, [272, 97, 310]).flags(0),
    call("setns", E::Setns, NUMBERS, [308, 268, 346]).descriptor(0).flags(1).argument(1),
    call("ptrace", E::Ptrace, NUMBERS, [101, 117, 26]).argument(0).target(1),
    call("process_vm_writev", E::ProcessVmWritev, NUMBERS, [311, 271, 348]).target(0),
    call("process_vm_readv", E::Syscall, NUMBERS, [310, 270, 347]).target(0),
    call("init_module", E::InitModule, NUMBERS, [175, 105, 128]),
    call("finit_module", E::FinitModule, DESCRIPTOR, [313, 273, 350]).descriptor(0).flags(2),
    call("delete_module", E::DeleteModule, PATHS, [176, 106, 129]).text(0).flags(1),
    call("bpf", E::Bpf, NUMBERS, [321, 280, 357]).argument(0),
    call("kexec_load", E::KexecLoad, NUMBERS, [246, 104, 283]).flags(3),
    call("kexec_file_load", E::KexecLoad, DESCRIPTOR, [320, 294, -1]).descriptor(0).flags(4),
    call("perf_event_open", E::PerfEventOpen, NUMBERS, [298, 241, 336]).target(1).flags(4),
    call("keyctl", E::Keyctl, NUMBERS, [250, 219, 288]).argument(0),
    call("add_key", E::AddKey, PATHS, [248, 217, 286]).text(0),
    call("userfaultfd", E::Userfaultfd, NUMBERS, [323, 282, 374]).flags(0),
    call("io_uring_setup", E::IoUringSetup, NUMBERS, [425, 425, 425]).argument(0),
    call("memfd_create", E::MemfdCreate, PATHS, [319, 279, 356]).text(0).flags(1),
    call("memfd_secret", E::Syscall, NUMBERS, [447, 447, 447]).flags(0),
    call("setuid", E::Setuid, NUMBERS, [105, 146, 213]).argument(0),
    call("setreuid", E::Setuid, NUMBERS, [113, 145, 203]).argument(1),
    call("setresuid", E::Setuid, NUMBERS, [117, 147, 208]).argument(1),
    call("setfsuid", E::Syscall, NUMBERS, [122, 151, 215]).argument(0),
    call("setgid", E::Setgid, NUMBERS, [106, 144, 214]).argument(0),
    call("setregid", E::Setgid, NUMBERS, [114, 143, 204]).argument(1),
    call("setresgid", E::Setgid, NUMBERS, [119, 149, 210]).argument(1),
    call("capset", E::Capset, NUMBERS, [126, 91, 185]),
    call("prctl", E::Prctl, NUMBERS, [157, 167, 172]).argument(0).wanted(PRCTL),
    call("kill", E::Kill, NUMBERS, [62, 129, 37]).target(0).argument(1),
    call("tkill", E::Kill, NUMBERS, [200, 130, 238]).target(0).argument(1),
    call("tgkill", E::Kill, NUMBERS, [234, 131, 270]).target(0).argument(2),
    call("pidfd_send_signal", E::Kill, NUMBERS, [424, 424, 424]).descriptor(0).argument(1),
    call("pidfd_getfd", E::Syscall, NUMBERS, [438, 438, 438]).argument(1),
    call("personality", E::Personality, NUMBERS, [135, 92, 136]).argument(0),
    call("reboot", E::Reboot, NUMBERS, [169, 142, 88]).argument(2),
    call("settimeofday", E::Settimeofday, NUMBERS, [164, 170, 79]),
    call("clock_settime", E::Settimeofday, NUMBERS, [227, 112, 264]).argument(0),
    call("adjtimex", E::Syscall, NUMBERS, [159, 171, 124]),
    call("modify_ldt", E::ModifyLdt, NUMBERS, [154, -1, 123]).argument(0),
    call("iopl", E::Ioperm, NUMBERS, [172, -1, 110]).argument(0),
    call("ioperm", E::Ioperm, NUMBERS, [173, -1, 101]).argument(2),
    call("mprotect", E::Mprotect, NUMBERS, [10, 226, 125]).flags(2),
    call("fanotify_init", E::Syscall, NUMBERS, [300, 262, 338]).flags(0),
    call("lookup_dcookie", E::Syscall, NUMBERS, [212, 18, 253]),
    call("sethostname", E::Syscall, PATHS, [170, 161, 74]).text(0),
    call("syslog", E::Syscall, NUMBERS, [103, 116, 103]).argument(0),
    call("connect", E::Connect, SOCKET, [42, 203, 362]).descriptor(0).text(1),
    call("bind", E::Bind, SOCKET, [49, 200, 361]).descriptor(0).text(1),
    call("listen", E::Listen, SOCKET, [50, 201, 363]).descriptor(0).argument(1),
    call("accept", E::Accept, ACCEPTED, [43, 202, -1]),
    call("accept4", E::Accept, ACCEPTED, [288, 242, 364]),
    call("socket", E::Socket, ACCEPTED, [41, 198, 359]).argument(2),
    call("dup2", E::Dup, DUPLICATED, [33, -1, 63]).descriptor(0),
    call("dup3", E::Dup, DUPLICATED, [292, 24, 330]).descriptor(0),
    call("dup", E::Dup, DUPLICATED, [32, 23, 41]).descriptor(0),
    call("fcntl", E::Dup, DUPLICATED, [72, 25, 221]).descriptor(0).argument(1).wanted(1),
    call("socketcall", E::Connect, SOCKETCALL, [-1, -1, 102]),
    // `mode` says what the second argument is, see `enum sent` of bpf/name.h. Wanted by the kernel half itself, for moments; those that
    // write also when a policy asks for that.
    call("write", E::Write, SENT, [1, 64, 4]).mode(0),
    call("writev", E::Write, SENT, [20, 66, 146]).mode(1),
    call("pwrite64", E::Write, SENT, [18, 68, 181]),
    call("pwritev", E::Write, SENT, [296, 70, 334]),
    call("pwritev2", E::Write, SENT, [328, 287, 379]),
    call("sendto", E::Dns, SENT, [44, 206, -1]).mode(0),
    call("sendmsg", E::Dns, SENT, [46, 211, -1]).mode(2),
    call("sendmmsg", E::Dns, SENT, [307, 269, -1]).mode(3),
];

/// Where the numbers of 32-bit programs begin in the kernel's table.
const COMPAT_BASE: u32 = 512;
/// Calls have lower numbers than this.
pub const NUMBERS_MAX: usize = 512;

/// Bits of `struct wanted` of bpf/call.h.
const WANTED_NATIVE: u8 = 1;
const WANTED_COMPAT: u8 = 2;
const WANTED_FROM_HOST: u8 = 4;

/// Which numbers deserve a second look, for what is selected of each call and where; `moves` says that renames and mounts matter
/// whoever makes them, `blocks` which calls are forbidden.
pub fn wanted(selected: impl Fn(&Call) -> Option<Place>, moves: bool, blocks: &HashMap<&'static str, u64>) -> [u8; NUMBERS_MAX] {
    let mut table = [0; NUMBERS_MAX];
    let native = if cfg!(target_arch = "aarch64") { 1 } else { 0 };
    for call in CALLS {
        let place = if call.kind() == E::Dns { None } else { selected(call) };
        let everywhere = (moves && call.row.moves != 0) || blocks.contains_key(call.name);
        if place.is_none() && !everywhere {
            continue;
        }
        let host = if everywhere || place == Some(Place::Everywhere) { WANTED_FROM_HOST } else { 0 };
        for (width, bit) in [(native, WANTED_NATIVE), (2, WANTED_COMPAT)] {
            if width == 2 && native != 0 {
                continue;
            }
            if let Some(entry) = usize::try_from(call.numbers[width]).ok().and_then(|number| table.get_mut(number)) {
                *entry |= bit | host;
            }
        }
    }
    table
}

/// Whose calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Containers,
    Everywhere,
}

impl Call {
    /// The event that it makes.
    pub fn kind(&self) -> E {
        E::try_from(i32::from(self.row.kind)).unwrap_or_default()
    }
}

/// The rows of the kernel's table, by key.
pub fn rows() -> Vec<(u32, KernelCall)> {
    rows_with_blocks(&HashMap::new())
}

/// The same with the bits of the blocks that forbid a call, by its name.
pub fn rows_with_blocks(blocks: &HashMap<&'static str, u64>) -> Vec<(u32, KernelCall)> {
    let native = if cfg!(target_arch = "aarch64") { 1 } else { 0 };
    let mut rows = Vec::new();
    for (index, call) in CALLS.iter().enumerate() {
        let mut row = call.row;
        row.index = index as u16;
        row.blocks = blocks.get(call.name).copied().unwrap_or_default();
        if call.numbers[native] >= 0 {
            rows.push((call.numbers[native] as u32, row));
        }
        if native == 0 && call.numbers[2] >= 0 {
            rows.push((COMPAT_BASE + call.numbers[2] as u32, row));
        }
    }
    rows
}

/// Names of what io_uring does without a system call, by its operation's number.
pub fn ring_operation(number: i64) -> &'static str {
    match number {
        9 => "io_uring:sendmsg",
        10 => "io_uring:recvmsg",
        13 => "io_uring:accept",
        16 => "io_uring:connect",
        18 => "io_uring:openat",
        28 => "io_uring:openat2",
        35 => "io_uring:renameat",
        36 => "io_uring:unlinkat",
        37 => "io_uring:mkdirat",
        38 => "io_uring:symlinkat",
        39 => "io_uring:linkat",
        45 => "io_uring:socket",
        _ => "io_uring",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_number_is_claimed_twice() {
        let mut seen = HashSet::new();
        for (key, row) in rows() {
            assert!(seen.insert(key), "{} shares its number", CALLS[row.index as usize].name);
        }
    }

    #[test]
    fn calls_that_send_are_known_to_the_kernel_half_by_the_same_numbers() {
        let asks = |call: &&Call| call.row.handler == SENT && call.row.mode != NONE;
        let sending = |column: usize| CALLS.iter().filter(asks).map(move |call| call.numbers[column]);
        let header = include_str!("../../bpf/call.h");
        for column in [0, 1] {
            let mut numbers: Vec<i32> = sending(column).collect();
            numbers.sort_unstable();
            let lists = header.lines().filter_map(|line| line.strip_prefix("static const u16 SENDING_CALLS[] = { ")?.strip_suffix(" };"));
            let mut listed: Vec<i32> = lists.skip(column).take(1).flat_map(|list| list.split(", ").flat_map(str::parse)).collect();
            listed.sort_unstable();
            assert_eq!(listed, numbers);
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn only_numbers_of_wanted_calls_get_a_second_look() {
        let containers = |call: &Call| (call.name == "openat").then_some(Place::Containers);
        let blocks = HashMap::from([("unshare", 1)]);
        let table = wanted(containers, true, &blocks);
        assert_eq!(table[257], WANTED_NATIVE);
        assert_eq!(table[295], WANTED_COMPAT);
        assert_eq!(table[272], WANTED_NATIVE | WANTED_FROM_HOST, "a forbidden call");
        assert_eq!(table[82], WANTED_NATIVE | WANTED_FROM_HOST, "rename, which moves");
        assert_eq!(table[0], 0);
        assert_eq!(wanted(containers, false, &HashMap::new())[82], 0);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn numbers_are_those_of_the_c_library() {
        for (name, number) in [("openat", libc::SYS_openat), ("setns", libc::SYS_setns), ("bpf", libc::SYS_bpf)] {
            let call = CALLS.iter().find(|call| call.name == name).expect("listed");
            assert_eq!(i64::from(call.numbers[0]), number);
        }
    }
}

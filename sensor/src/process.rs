//! The processes of the node with their lineage: made by fork, renamed by exec, gone by exit.
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use crate::container::ContainerHandle;
use crate::kernel::record::{self, ForkBody, ProcessBody, Record, flag};

/// Ancestors that outlive their own end are kept this deep.
pub const LINEAGE_DEPTH: usize = 8;
/// Ended processes that late events may still refer to.
const ENDED_LIMIT: usize = 1024;
/// Of a process's name, without its zero.
const COMM_BYTES: usize = 15;
const ENDED_KEEP_NS: u64 = 3_000_000_000;

/// What a process executes and as whom; shared by a process and what it forked until one of them changes.
#[derive(Debug, Default, Clone)]
pub struct Image {
    pub name: String,
    /// As the kernel has it; `name` says more where a program was executed by a name that says nothing.
    pub comm: String,
    pub exe: String,
    pub arguments: Vec<String>,
    pub arguments_cut: u32,
    pub cwd: String,
    pub uid: u32,
    pub gid: u32,
    pub effective_uid: u32,
    pub login_uid: u32,
    pub user_name: String,
    pub session_id: u32,
    pub group_id: u32,
    pub tty: u32,
    pub capabilities: u64,
    pub interpreter: String,
    pub in_memory: bool,
    pub deleted: bool,
    pub drifted: bool,
    pub writable: bool,
    pub stdio: [u8; 3],
    pub exe_inode: u64,
    pub exe_digest: Vec<u8>,
}

/// What follows the fixed part of an exec's record.
#[derive(Debug, Default, Clone, Copy)]
pub struct ExecTexts<'a> {
    pub exe: &'a [u8],
    pub asked: &'a [u8],
    pub interpreter: &'a [u8],
    pub cwd: &'a [u8],
    pub arguments: &'a [u8],
}

#[derive(Debug)]
pub struct Process {
    pub pid: u32,
    pub namespace_pid: u32,
    pub start_ns: u64,
    pub cgroup: Cell<u64>,
    pub image: RefCell<Rc<Image>>,
    pub parent: RefCell<Option<Rc<Process>>>,
    pub container: RefCell<Option<Rc<ContainerHandle>>>,
    /// Changes with every change of the above, so that a dictionary knows what it has said already.
    pub version: Cell<u32>,
    ended: Cell<bool>,
}

/// One after the other: a long line of ancestors that goes at once would need a stack as deep as it is long.
impl Drop for Process {
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(parent) = next {
            next = Rc::into_inner(parent).and_then(|last| last.parent.take());
        }
    }
}

impl Process {
    pub fn start_us(&self) -> u64 {
        self.start_ns / 1000
    }

    fn touch(&self) {
        self.version.set(self.version.get() + 1);
    }

    /// The process's own facts, apart from lineage and container.
    pub fn image(&self) -> Rc<Image> {
        self.image.borrow().clone()
    }

    pub fn set_image(&self, image: Image) {
        *self.image.borrow_mut() = Rc::new(image);
        self.touch();
    }
}

/// Names of users, read again when the file changes.
#[derive(Debug, Default)]
pub struct Users {
    names: HashMap<u32, String>,
    changed: Option<std::time::SystemTime>,
}

impl Users {
    pub fn refresh(&mut self) {
        let Ok(meta) = std::fs::metadata("/etc/passwd") else { return };
        if meta.modified().ok() == self.changed {
            return;
        }
        self.changed = meta.modified().ok();
        let text = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        self.names = parse_users(&text);
    }

    pub fn name(&self, uid: u32) -> String {
        self.names.get(&uid).cloned().unwrap_or_default()
    }
}

/// passwd(5): the first name of a uid counts.
pub fn parse_users(text: &str) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(_), Some(Ok(uid))) = (fields.next(), fields.next(), fields.next().map(str::parse)) {
            names.entry(uid).or_insert_with(|| name.to_string());
        }
    }
    names
}

#[derive(Debug, Default)]
pub struct ProcessTable {
    running: HashMap<u32, Rc<Process>>,
    ended: HashMap<(u32, u64), Rc<Process>>,
    ended_order: VecDeque<(u64, u32, u64)>,
    pub users: Users,
    /// Processes that were gone before anything could be learned of them.
    pub undescribed: u64,
}

impl ProcessTable {
    pub fn all(&self) -> impl Iterator<Item = &Rc<Process>> {
        self.running.values()
    }

    pub fn by_pid(&self, pid: u32) -> Option<&Rc<Process>> {
        self.running.get(&pid)
    }

    /// The process of that number and start, whether it runs or has ended lately.
    pub fn find(&self, pid: u32, start_ns: u64) -> Option<Rc<Process>> {
        match self.running.get(&pid) {
            Some(found) if found.start_ns == start_ns => Some(found.clone()),
            _ => self.ended.get(&(pid, start_ns)).cloned(),
        }
    }

    fn insert(&mut self, process: Process) -> Rc<Process> {
        let process = Rc::new(process);
        forget_far_ancestors(&process);
        if let Some(old) = self.running.insert(process.pid, process.clone()) {
            // Its end was lost: the number is in use again.
            old.ended.set(true);
            forget_far_ancestors(&old);
        }
        process
    }

    /// A new process: what `caller` is, below `parent` (another one after CLONE_PARENT).
    pub fn forked(&mut self, caller: Option<Rc<Process>>, parent: Option<Rc<Process>>, body: &ForkBody) -> Rc<Process> {
        let image = caller.as_ref().map_or_else(Rc::default, |caller| caller.image());
        let container = caller.as_ref().and_then(|caller| caller.container.borrow().clone());
        self.insert(Process {
            pid: body.child_pid,
            namespace_pid: body.namespace_pid,
            start_ns: body.child_start_ns,
            cgroup: Cell::new(body.child_cgroup),
            image: RefCell::new(image),
            parent: RefCell::new(parent),
            container: RefCell::new(container),
            version: Cell::new(0),
            ended: Cell::new(false),
        })
    }

    /// A process that was never announced: what is left of it in /proc, or nothing but its number.
    pub fn unknown(&mut self, record: &Record) -> Rc<Process> {
        let (image, parent_pid) = crate::proc_files::describe(record.pid).unwrap_or_else(|| {
            self.undescribed += 1;
            (
                Image {
                    name: record.name(),
                    comm: record.name(),
                    uid: record.uid,
                    effective_uid: record.euid,
                    login_uid: u32::MAX,
                    ..Image::default()
                },
                0,
            )
        });
        let image = Image { user_name: self.users.name(image.uid), ..image };
        let parent = self.running.get(&parent_pid).cloned();
        self.insert(Process {
            pid: record.pid,
            namespace_pid: 0,
            start_ns: record.start_ns,
            cgroup: Cell::new(record.cgroup),
            image: RefCell::new(Rc::new(image)),
            parent: RefCell::new(parent),
            container: RefCell::new(None),
            version: Cell::new(0),
            ended: Cell::new(false),
        })
    }

    /// What exec, or the list of running processes, tells of a process.
    pub fn executed(&mut self, record: &Record, body: &ProcessBody, image: Image) -> Rc<Process> {
        let image = Image { user_name: self.users.name(image.uid), ..image };
        if let Some(process) = self.find(record.pid, record.start_ns) {
            process.cgroup.set(record.cgroup);
            process.set_image(image);
            return process;
        }
        let parent = self.find(body.parent_pid, body.parent_start_ns);
        self.insert(Process {
            pid: record.pid,
            namespace_pid: body.namespace_pid,
            start_ns: record.start_ns,
            cgroup: Cell::new(record.cgroup),
            image: RefCell::new(Rc::new(image)),
            parent: RefCell::new(parent),
            container: RefCell::new(None),
            version: Cell::new(0),
            ended: Cell::new(false),
        })
    }

    /// Parents of listed processes, once all of them are known.
    pub fn adopt(&self, pid: u32, parent_pid: u32) {
        if let (Some(child), Some(parent)) = (self.running.get(&pid), self.running.get(&parent_pid))
            && child.parent.borrow().is_none()
            && pid != parent_pid
        {
            *child.parent.borrow_mut() = Some(parent.clone());
        }
    }

    /// A user's name where the process is.
    fn user_name(&self, process: &Process, uid: u32) -> String {
        let own = process.container.borrow().as_ref().map(|container| container.user_name(uid));
        own.map_or_else(|| self.users.name(uid), Option::unwrap_or_default)
    }

    /// Names the user of a process whose container is known now.
    pub fn name_user(&self, process: &Rc<Process>) {
        let image = process.image();
        let name = self.user_name(process, image.uid);
        if name != image.user_name {
            process.set_image(Image { user_name: name, ..(*image).clone() });
        }
    }

    /// Notes a change of user or name that no exec announced; gives the effective uid of before.
    pub fn user_changed(&self, process: &Rc<Process>, record: &Record) -> u32 {
        let image = process.image();
        let old = image.effective_uid;
        let renamed = record.comm[0] != 0 && !same_name(&record.comm, &image.comm);
        if renamed || image.uid != record.uid || image.effective_uid != record.euid {
            process.set_image(Image {
                name: if renamed { record.name() } else { image.name.clone() },
                comm: if renamed { record.name() } else { image.comm.clone() },
                uid: record.uid,
                effective_uid: record.euid,
                user_name: self.user_name(process, record.uid),
                ..(*image).clone()
            });
        }
        old
    }

    pub fn ended(&mut self, process: &Rc<Process>, time_ns: u64) {
        process.ended.set(true);
        // At its beginning the far ones may still have run: of processes that outlive many below them, only this sees the end.
        forget_far_ancestors(process);
        if self.running.get(&process.pid).is_some_and(|running| running.start_ns == process.start_ns) {
            self.running.remove(&process.pid);
        }
        self.ended.insert((process.pid, process.start_ns), process.clone());
        self.ended_order.push_back((time_ns, process.pid, process.start_ns));
        while let Some((ended, pid, start)) = self.ended_order.front().copied() {
            if self.ended_order.len() <= ENDED_LIMIT && time_ns.saturating_sub(ended) < ENDED_KEEP_NS {
                break;
            }
            self.ended_order.pop_front();
            self.ended.remove(&(pid, start));
        }
    }
}

/// Without making a string, since nearly every event asks.
fn same_name(comm: &[u8; 16], name: &str) -> bool {
    let length = comm.iter().position(|byte| *byte == 0).unwrap_or(comm.len());
    comm[..length] == *name.as_bytes() || name.contains("\\x")
}

/// Chains of processes that fork and end would keep each other for ever.
fn forget_far_ancestors(process: &Rc<Process>) {
    let mut at = process.clone();
    for _ in 0..LINEAGE_DEPTH {
        let Some(parent) = at.parent.borrow().clone() else { return };
        at = parent;
    }
    if at.ended.get() {
        *at.parent.borrow_mut() = None;
    }
}

/// What a program that was executed by /proc/self/exe calls itself: the kernel names it `exe`, as it does every applet of busybox that
/// busybox starts.
fn own_name(asked: &[u8], arguments: &[u8]) -> Option<String> {
    let inner = asked.strip_prefix(b"/proc/")?.strip_suffix(b"/exe")?;
    if inner != b"self" && inner != b"thread-self" && !inner.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let first = arguments.split(|byte| *byte == 0).next()?;
    let name = first.rsplit(|byte| *byte == b'/').next()?;
    let name = name.strip_prefix(b"-").unwrap_or(name);
    (!name.is_empty()).then(|| record::text(&name[..name.len().min(COMM_BYTES)]))
}

/// The image that an exec record describes.
pub fn image_of(record: &Record, body: &ProcessBody, texts: &ExecTexts) -> Image {
    let ExecTexts { exe, asked, interpreter, cwd, arguments } = *texts;
    let comm = record::text(body.comm.split(|byte| *byte == 0).next().unwrap_or_default());
    Image {
        name: own_name(asked, arguments).unwrap_or_else(|| comm.clone()),
        comm,
        exe: record::text(exe),
        arguments: record::arguments(arguments),
        arguments_cut: body.arguments_cut,
        cwd: record::text(cwd),
        uid: record.uid,
        gid: body.gid,
        effective_uid: record.euid,
        login_uid: body.login_uid,
        user_name: String::new(),
        session_id: body.session_id,
        group_id: body.group_id,
        tty: body.tty,
        capabilities: body.capabilities,
        interpreter: record::text(interpreter),
        in_memory: record.has(flag::IN_MEMORY),
        deleted: record.has(flag::DELETED),
        drifted: record.has(flag::UPPER_LAYER),
        writable: record.has(flag::WRITABLE),
        stdio: [body.stdio[0], body.stdio[1], body.stdio[2]],
        exe_inode: body.exe_inode,
        exe_digest: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fork(pid: u32, start: u64) -> ForkBody {
        ForkBody { child_pid: pid, child_start_ns: start, ..ForkBody::default() }
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let mut table = ProcessTable::default();
        let first = table.forked(None, None, &fork(7, 100));
        first.set_image(Image { name: "first".into(), ..Image::default() });
        table.ended(&first, 1);
        table.forked(None, None, &fork(7, 200));
        assert_eq!(table.find(7, 100).expect("kept a while").image().name, "first");
        assert_eq!(table.find(7, 200).expect("runs").image().name, "");
        assert!(table.find(7, 300).is_none());
    }

    #[test]
    fn thousands_of_layers_of_forks_do_not_pile_up() {
        let mut table = ProcessTable::default();
        let mut parent = table.forked(None, None, &fork(1, 1));
        let first = Rc::downgrade(&parent);
        for pid in 2..20_000 {
            let child = table.forked(None, Some(parent.clone()), &fork(pid, u64::from(pid)));
            table.ended(&parent, u64::from(pid) * ENDED_KEEP_NS);
            parent = child;
        }
        assert!(first.upgrade().is_none());
        assert_eq!(table.all().count(), 1);
    }

    #[test]
    fn layers_of_forks_that_outlive_many_others_do_not_pile_up_either() {
        const ALIVE: usize = 3 * LINEAGE_DEPTH;
        let mut table = ProcessTable::default();
        let (mut window, mut seen) = (VecDeque::new(), Vec::new());
        for pid in 1..200_000 {
            let child = table.forked(None, window.back().cloned(), &fork(pid, u64::from(pid)));
            seen.push(Rc::downgrade(&child));
            window.push_back(child);
            if window.len() > ALIVE
                && let Some(oldest) = window.pop_front()
            {
                table.ended(&oldest, u64::from(pid) * ENDED_KEEP_NS);
            }
        }
        let kept = seen.iter().filter(|process| process.strong_count() > 0).count();
        assert!(kept <= ALIVE + 2 * LINEAGE_DEPTH, "{kept} processes are kept");
    }

    #[test]
    fn a_very_long_line_of_ancestors_is_let_go_without_using_up_the_stack() {
        let mut table = ProcessTable::default();
        let mut last = table.forked(None, None, &fork(1, 1));
        let first = Rc::downgrade(&last);
        for pid in 2..200_000 {
            last = table.forked(None, Some(last), &fork(pid, u64::from(pid)));
        }
        drop(table);
        assert!(first.upgrade().is_some(), "a running process has its ancestors");
        drop(last);
        assert!(first.upgrade().is_none());
    }

    #[test]
    fn an_applet_that_was_executed_by_the_programs_own_link_has_its_own_name() {
        for (asked, arguments, name) in [
            ("/proc/self/exe", "wget\0http://x\0", Some("wget")),
            ("/proc/71/exe", "-/bin/sh\0", Some("sh")),
            ("/proc/self/exe", "a-very-long-applet-name\0", Some("a-very-long-app")),
            ("/proc/self/exe", "", None),
            ("/proc/self/fd/exe", "x\0", None),
            ("/bin/exe", "x\0", None),
        ] {
            assert_eq!(own_name(asked.as_bytes(), arguments.as_bytes()).as_deref(), name, "{asked} {arguments}");
        }
    }

    #[test]
    fn the_first_name_of_a_uid_counts() {
        let names = parse_users("root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\nbroken\nd:x:zz:1\nweb:x:33:33::/:/x\n");
        assert_eq!((names[&0].as_str(), names[&33].as_str(), names.len()), ("root", "web", 2));
    }
}

//! From records of the kernel half to events of the contract: keeps processes and containers, decides nothing.
use std::rc::Rc;

use crate::clock::Clock;
use crate::container::{ContainerHandle, Registry};
use crate::file_guard::Refused;
use crate::kernel::record::{self, Reader, Record, flag, internal};
use crate::kernel::select::{Candidate, Selector};
use crate::process::{self, ExecTexts, Image, Process, ProcessTable};
use crate::translate;
use crate::wire::{Event, EventType};

/// An event with what it refers to.
#[derive(Debug)]
pub struct Seen {
    pub event: Event,
    pub process: Option<Rc<Process>>,
    /// The process as it was then: it may have become something else before the event goes out.
    pub image: Option<Rc<Image>>,
    pub container: Option<Rc<ContainerHandle>>,
    pub taken_ns: u64,
}

#[derive(Debug, Default)]
pub struct Engine {
    pub clock: Clock,
    pub processes: ProcessTable,
    pub containers: Registry,
    pub selector: Selector,
    pub cgroup_v1: bool,
    pub sensor_pid: u32,
    /// Ids of the blocks in force, by their bit.
    pub block_ids: Vec<String>,
    pub out: Vec<Seen>,
    /// Containers whose first program was executed since this was emptied last.
    pub started: Vec<String>,
    /// Containers that began to ask for names since this was emptied last.
    pub asking: Vec<Rc<ContainerHandle>>,
    /// Attempts on the sensor since they were reported last.
    pub tampered: Vec<String>,
    /// Sums of executed files.
    pub digests: crate::digest::Digests,
    /// Records that could not be read.
    pub torn: u64,
}

impl Engine {
    /// Takes one item of the ring buffer.
    pub fn take(&mut self, bytes: &[u8]) {
        let Some((record, mut reader)) = record::read(bytes) else {
            self.torn += 1;
            return;
        };
        match record.kind {
            internal::CGROUP_MADE => {
                let path = record::text(reader.text());
                let maker = self.process_of(&record);
                self.containers.judge(record.inode, &path, maker.as_deref());
            }
            internal::CGROUP_GONE => self.cgroup_gone(&record),
            internal::IO_URING => self.ring_request(&record),
            internal::NAMES_ASKED => {
                let container = self.process_of(&record).and_then(|process| process.container.borrow().clone());
                self.asking.extend(container);
            }
            internal::ROOT_MADE => self.root_made(&record),
            internal::FILE_REFUSED => self.refused(&record, &mut reader, "file"),
            internal::EXEC_REFUSED => self.refused(&record, &mut reader, "exec"),
            internal::NETWORK_BLOCKED => self.network_blocked(&record, &mut reader),
            kind => match EventType::try_from(kind as i32) {
                Ok(EventType::Execve) if record.call == 0 && record.result == 0 => self.executed(&record, &mut reader),
                Ok(EventType::Blocked) => self.call_blocked(&record),
                Ok(EventType::Clone) => self.forked(&record, &mut reader),
                Ok(EventType::Procexit) => self.exited(&record),
                Ok(kind) => self.other(kind, &record, &mut reader),
                Err(_) => self.torn += 1,
            },
        }
    }

    /// The list of running processes that the kernel half wrote: u32 length and a record each.
    pub fn take_list(&mut self, mut list: &[u8]) {
        let mut parents = Vec::new();
        while let Some((size, rest)) = list.split_first_chunk::<4>() {
            let size = (u32::from_ne_bytes(*size) as usize).min(rest.len());
            let (item, rest) = rest.split_at(size);
            list = rest;
            let Some((record, mut reader)) = record::read(item) else { break };
            let body = reader.process_body();
            let exe = reader.text();
            let mut image = process::image_of(&record, &body, &ExecTexts { exe, ..ExecTexts::default() });
            (image.arguments, image.arguments_cut) = crate::proc_files::command_line(record.pid);
            image.cwd = crate::proc_files::cwd(record.pid);
            let process = self.processes.executed(&record, &body, image);
            self.place(&process, record.cgroup);
            parents.push((record.pid, body.parent_pid));
        }
        for (pid, parent) in parents {
            self.processes.adopt(pid, parent);
        }
        // What runs already has started before; that is no news.
        for handle in self.containers.all() {
            handle.announced.set(true);
            let inside = |process: &&Rc<Process>| process.container.borrow().as_ref().is_some_and(|own| Rc::ptr_eq(own, &handle));
            let first = self.processes.all().filter(inside).min_by_key(|process| (process.namespace_pid != 1, process.start_ns));
            let Some(first) = first else { continue };
            *handle.root.borrow_mut() = crate::resolve::root_of(first.pid).ok();
            let (pid, started_us) = (first.pid, self.clock.wall_us(first.start_ns));
            let addresses = crate::proc_files::addresses(pid);
            handle.update(|facts| {
                facts.pid = pid;
                facts.started_us = started_us;
                facts.addresses = addresses;
            });
        }
        for process in self.processes.all().filter(|process| process.container.borrow().is_some()) {
            self.processes.name_user(process);
        }
        // Old times must not hold back the clock of what is new.
        self.clock = Clock::default();
        self.clock.refresh();
    }

    fn process_of(&mut self, record: &Record) -> Option<Rc<Process>> {
        if record.pid == 0 {
            return None;
        }
        let process = self.processes.find(record.pid, record.start_ns).unwrap_or_else(|| self.processes.unknown(record));
        self.place(&process, record.cgroup);
        Some(process)
    }

    /// Notes which container a process is in now.
    fn place(&mut self, process: &Rc<Process>, cgroup: u64) {
        let known = self.containers.known(cgroup);
        if process.cgroup.get() == cgroup
            && known.is_some()
            && process.container.borrow().is_some() == known.as_ref().is_some_and(Option::is_some)
        {
            return;
        }
        process.cgroup.set(cgroup);
        let container = known.unwrap_or_else(|| {
            let path = crate::proc_files::cgroup_path(process.pid, self.cgroup_v1)?;
            self.containers.judge(cgroup, &path, None)
        });
        process.version.set(process.version.get() + 1);
        *process.container.borrow_mut() = container;
    }

    fn executed(&mut self, record: &Record, reader: &mut Reader) {
        let body = reader.process_body();
        let (exe, asked, interpreter) = (reader.text(), reader.text(), reader.text());
        let (cwd, arguments) = (reader.text(), reader.text());
        let mut image = process::image_of(record, &body, &ExecTexts { exe, asked, interpreter, cwd, arguments });
        image.in_memory &= !image.exe.starts_with('/') || !image.deleted || image.exe.starts_with("/dev/shm/");
        image.exe_digest = self.digests.of(record.pid);
        // Of a process that was never seen before, nothing is known to have changed.
        let known = self.processes.find(record.pid, record.start_ns).map(|process| process.image());
        let (old_uid, old_capabilities) = known.map_or((record.euid, body.capabilities), |old| (old.effective_uid, old.capabilities));
        let process = self.processes.executed(record, &body, image);
        self.place(&process, record.cgroup);
        if process.parent.borrow().is_none() {
            let parent = self.processes.find(body.parent_pid, body.parent_start_ns);
            *process.parent.borrow_mut() = parent;
        }
        self.announce(&process, record);
        self.processes.name_user(&process);
        let event =
            Event { path: record::text(asked), inode: record.inode, old_uid, old_capabilities, ..self.event(EventType::Execve, record) };
        if record.bits != 0 {
            let block_id = self.block_id(record.bits);
            let path = process.image().exe.clone();
            let blocked = Event { path, block_id, detail: "exec".into(), ..self.event(EventType::Blocked, record) };
            self.emit(event, Some(process.clone()), record, false);
            self.emit(blocked, Some(process), record, false);
            return;
        }
        self.emit(event, Some(process), record, false);
    }

    pub fn block_id(&self, bits: u64) -> String {
        self.block_ids.get(bits.trailing_zeros() as usize).cloned().unwrap_or_default()
    }

    /// The first program of a container that is not its runtime's own.
    fn announce(&mut self, process: &Rc<Process>, record: &Record) {
        let Some(container) = process.container.borrow().clone() else { return };
        let image = process.image();
        let runtimes = image.name.starts_with("runc") || image.exe.ends_with("/runc") || image.exe.ends_with("/crun");
        if container.announced.get() || runtimes {
            return;
        }
        container.announced.set(true);
        *container.root.borrow_mut() = crate::resolve::root_of(process.pid).ok();
        let addresses = crate::proc_files::addresses(process.pid);
        let (pid, time_us) = (process.pid, self.clock.wall_us(record.time_ns));
        container.update(|facts| {
            facts.pid = pid;
            facts.started_us = time_us;
            facts.addresses = addresses;
        });
        self.started.push(container.facts().id.clone());
        let event = Event { detail: "start".into(), ..self.event(EventType::Container, record) };
        self.emit(event, Some(process.clone()), record, false);
    }

    /// The runtime has put a container's root together; the container's own first program comes next.
    fn root_made(&mut self, record: &Record) {
        let container = self.process_of(record).and_then(|process| process.container.borrow().clone());
        let Some(container) = container.filter(|container| !container.announced.get()) else { return };
        let pid = record.pid;
        container.update(|facts| facts.pid = pid);
        self.started.push(container.facts().id.clone());
    }

    fn forked(&mut self, record: &Record, reader: &mut Reader) {
        let body = reader.fork_body();
        // The caller first, since it may not have been announced; its child may belong to another (CLONE_PARENT).
        let caller = self.process_of(record);
        let parent = self.processes.find(body.parent_pid, body.parent_start_ns).or_else(|| caller.clone());
        let child = self.processes.forked(caller, parent, &body);
        self.place(&child, body.child_cgroup);
        let event = Event { target_pid: body.child_pid, ..self.event(EventType::Clone, record) };
        self.emit(event, Some(child), record, false);
    }

    fn exited(&mut self, record: &Record) {
        let Some(process) = self.process_of(record) else { return };
        let event = self.event(EventType::Procexit, record);
        self.emit(event, Some(process.clone()), record, false);
        self.processes.ended(&process, record.time_ns);
    }

    fn cgroup_gone(&mut self, record: &Record) {
        let Some(container) = self.containers.gone(record.inode) else { return };
        if !container.announced.get() {
            return;
        }
        let event = Event { detail: "stop".into(), ..self.event(EventType::Container, record) };
        self.out.push(Seen { event, process: None, image: None, container: Some(container), taken_ns: record.time_ns });
    }

    fn ring_request(&mut self, record: &Record) {
        let process = self.process_of(record);
        let detail = crate::kernel::calls::ring_operation(record.argument).to_string();
        let event = Event { detail, argument: record.argument, ..self.event(EventType::Syscall, record) };
        self.emit(event, process, record, false);
    }

    fn call_blocked(&mut self, record: &Record) {
        let process = self.process_of(record);
        let detail = crate::kernel::calls::CALLS.get(record.call as usize).map_or("", |call| call.name).to_string();
        let event = Event { detail, block_id: self.block_id(record.bits), ..self.event(EventType::Blocked, record) };
        self.emit(event, process, record, false);
    }

    /// A file or a program that a security hook refused.
    fn refused(&mut self, record: &Record, reader: &mut Reader, what: &str) {
        let process = self.process_of(record);
        let path = record::text(reader.text());
        let event = Event { path, detail: what.into(), block_id: self.block_id(record.bits), ..self.event(EventType::Blocked, record) };
        self.emit(event, process, record, false);
    }

    /// An open that the guard of files refused.
    pub fn file_refused(&mut self, refused: &Refused) {
        let process = self.processes.by_pid(refused.pid).cloned();
        let container = process.as_ref().and_then(|process| process.container.borrow().clone());
        let now = refused.time_ns;
        let event = Event {
            r#type: EventType::Blocked as i32,
            time_us: self.clock.wall_us(now),
            thread_id: refused.pid,
            result: -i64::from(libc::EPERM),
            path: refused.path.clone(),
            detail: "file".into(),
            block_id: refused.block_id.clone(),
            ..Event::default()
        };
        let image = process.as_ref().map(|process| process.image());
        self.out.push(Seen { event, process, image, container, taken_ns: now });
    }

    fn network_blocked(&mut self, record: &Record, reader: &mut Reader) {
        let process = self.process_of(record);
        let mut event = Event { detail: "connect".into(), block_id: self.block_id(record.bits), ..self.event(EventType::Blocked, record) };
        translate::socket(&mut event, &reader.socket_body(), b"", b"");
        self.emit(event, process, record, false);
    }

    fn other(&mut self, kind: EventType, record: &Record, reader: &mut Reader) {
        // A connection may outlive who made it; of a process that has ended long ago there is nothing to be found any more.
        let process = match kind {
            EventType::Flow => self.processes.find(record.pid, record.start_ns),
            _ => self.process_of(record),
        };
        let Some(process) = process else {
            if matches!(kind, EventType::Dns | EventType::Flow) {
                let mut event = self.event(kind, record);
                translate::fill(&mut event, kind, record, reader, None);
                self.emit(event, None, record, false);
            }
            return;
        };
        let mut event = self.event(kind, record);
        let old = process.image();
        if kind != EventType::Flow {
            let old_uid = self.processes.user_changed(&process, record);
            if matches!(kind, EventType::Setuid | EventType::Setgid | EventType::Capset) {
                event.old_uid = old_uid;
                event.old_capabilities = old.capabilities;
                process.set_image(process::Image { capabilities: record.inode, ..(*process.image()).clone() });
            }
        }
        translate::fill(&mut event, kind, record, reader, Some(&process));
        if let Some(tampering) = self.tampering(&event, kind) {
            let word = format!("{} by {} ({})", tampering.detail, process.image().name, process.pid);
            self.tampered.push(word);
            self.emit(tampering, Some(process.clone()), record, false);
        }
        self.emit(event, Some(process), record, record.has(flag::ABOUT_READ));
    }

    /// Whether a call was aimed at the sensor. Its end by SIGKILL is not among them: the server sees that by the silence.
    fn tampering(&self, event: &Event, kind: EventType) -> Option<Event> {
        let aimed = matches!(kind, EventType::Kill | EventType::Ptrace | EventType::ProcessVmWritev) && event.target_pid == self.sensor_pid;
        // Signal 0 only asks whether somebody is there.
        if !aimed || (kind == EventType::Kill && event.argument == 0) {
            return None;
        }
        let detail = if kind == EventType::Kill { format!("signal {}", event.argument) } else { kind.as_str_name().to_lowercase() };
        Some(Event { r#type: EventType::Tamper as i32, detail, ..event.clone() })
    }

    fn event(&mut self, kind: EventType, record: &Record) -> Event {
        Event {
            r#type: kind as i32,
            time_us: self.clock.wall_us(record.time_ns),
            thread_id: record.tid,
            result: record.result,
            ..Event::default()
        }
    }

    fn emit(&mut self, event: Event, process: Option<Rc<Process>>, record: &Record, read: bool) {
        if record.pid == self.sensor_pid {
            return;
        }
        let container = match &process {
            Some(process) => process.container.borrow().clone(),
            None => self.containers.known(record.cgroup).flatten(),
        };
        let kind = EventType::try_from(event.r#type).unwrap_or_default();
        let call = if kind == EventType::Syscall { event.detail.as_str() } else { "" };
        let failed = record.result < 0 && record.result != -i64::from(libc::EINPROGRESS);
        let taken = self.selector.takes(&Candidate {
            kind,
            in_container: container.is_some(),
            failed: failed && kind != EventType::Procexit,
            read,
            path: &event.path,
            new_path: &event.new_path,
            call,
        });
        if taken {
            let image = process.as_ref().map(|process| process.image());
            self.out.push(Seen { event, process, image, container, taken_ns: record.time_ns });
        }
    }
}

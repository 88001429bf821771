//! Events become batches that are complete in themselves: what they refer to is in them once.
use std::collections::HashMap;
use std::rc::Rc;

use crate::container::ContainerHandle;
use crate::engine::Seen;
use crate::process::{Image, LINEAGE_DEPTH, Process};
use crate::wire::{self, EventBatch, Loss};

/// A batch in the making. Sequence and epoch are the spool's.
#[derive(Debug, Default)]
pub struct Builder {
    batch: EventBatch,
    processes: HashMap<(*const Process, *const Image), u32>,
    containers: HashMap<(*const ContainerHandle, u32), u32>,
    /// Keeps what the pointers above point to, so that no address is used twice.
    kept: Vec<(Rc<Process>, Rc<Image>)>,
    kept_containers: Vec<Rc<ContainerHandle>>,
}

impl Builder {
    pub fn add(&mut self, seen: &Seen) {
        let mut event = seen.event.clone();
        event.process = match (&seen.process, &seen.image) {
            (Some(process), Some(image)) => self.process(process, image, LINEAGE_DEPTH),
            _ => 0,
        };
        event.container = seen.container.as_ref().map_or(0, |container| self.container(container));
        self.batch.events.push(event);
    }

    pub fn process(&mut self, process: &Rc<Process>, image: &Rc<Image>, depth: usize) -> u32 {
        let key = (Rc::as_ptr(process), Rc::as_ptr(image));
        if let Some(index) = self.processes.get(&key) {
            return *index;
        }
        let parent = process.parent.borrow().clone();
        let parent = match parent {
            Some(parent) if depth > 0 => self.process(&parent, &parent.image(), depth - 1),
            _ => 0,
        };
        let container = process.container.borrow().clone();
        let container = container.map_or(0, |container| self.container(&container));
        self.batch.processes.push(wire::Process { parent, container, ..describe(process, image) });
        let index = self.batch.processes.len() as u32;
        self.processes.insert(key, index);
        self.kept.push((process.clone(), image.clone()));
        index
    }

    pub fn container(&mut self, handle: &Rc<ContainerHandle>) -> u32 {
        let key = (Rc::as_ptr(handle), handle.version.get());
        if let Some(index) = self.containers.get(&key) {
            return *index;
        }
        self.batch.containers.push((*handle.facts()).clone());
        let index = self.batch.containers.len() as u32;
        self.containers.insert(key, index);
        self.kept_containers.push(handle.clone());
        index
    }

    pub fn finish(self, losses: Vec<Loss>) -> EventBatch {
        EventBatch { losses, ..self.batch }
    }
}

/// A process without its references.
pub fn describe(process: &Process, image: &Image) -> wire::Process {
    wire::Process {
        pid: process.pid,
        namespace_pid: process.namespace_pid,
        start_us: process.start_us(),
        name: image.name.clone(),
        exe: image.exe.clone(),
        arguments: image.arguments.clone(),
        arguments_cut: image.arguments_cut,
        cwd: image.cwd.clone(),
        uid: image.uid,
        gid: image.gid,
        effective_uid: image.effective_uid,
        login_uid: image.login_uid,
        user_name: image.user_name.clone(),
        session_id: image.session_id,
        tty: image.tty,
        effective_capabilities: image.capabilities,
        interpreter: image.interpreter.clone(),
        exe_in_memory: image.in_memory,
        exe_deleted: image.deleted,
        exe_drifted: image.drifted,
        exe_writable: image.writable,
        stdin: i32::from(image.stdio[0]),
        stdout: i32::from(image.stdio[1]),
        stderr: i32::from(image.stdio[2]),
        exe_inode: image.exe_inode,
        exe_digest: image.exe_digest.clone(),
        group_leader_pid: image.group_id,
        ..wire::Process::default()
    }
}

//! Which cgroup is whose container, and what is known of it.
pub mod containerd;
pub mod docker;
pub mod locate;
pub mod oci;
pub mod users;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use crate::process::Process;
use crate::wire::Container;

/// A container for as long as somebody refers to it. Its facts grow while runtimes are asked.
#[derive(Debug)]
pub struct ContainerHandle {
    pub facts: RefCell<Rc<Container>>,
    pub cgroup_path: String,
    pub cgroup_id: u64,
    /// False while a runtime is still being asked; events wait for it, within a bound.
    pub described: Cell<bool>,
    /// Whether its start was reported.
    pub announced: Cell<bool>,
    pub version: Cell<u32>,
    /// Its root folder, held open so that names can be looked up when its processes have ended; let go when it stops.
    pub root: RefCell<Option<OwnedFd>>,
    pub users: RefCell<users::Users>,
}

impl ContainerHandle {
    pub fn facts(&self) -> Rc<Container> {
        self.facts.borrow().clone()
    }

    /// The container's own name for a user; `None` before its root is known.
    pub fn user_name(&self, uid: u32) -> Option<String> {
        self.root.borrow().as_ref().map(|root| self.users.borrow_mut().name(root, uid))
    }

    pub fn update(&self, change: impl FnOnce(&mut Container)) {
        let mut facts = (*self.facts()).clone();
        change(&mut facts);
        *self.facts.borrow_mut() = Rc::new(facts);
        self.version.set(self.version.get() + 1);
    }
}

#[derive(Debug, Clone)]
enum Owner {
    Host,
    Container(Rc<ContainerHandle>),
}

/// Cgroups that were seen, by the number that the kernel half reports.
#[derive(Debug, Default)]
pub struct Registry {
    owners: HashMap<u64, Owner>,
    /// Newly found containers: to be described, and their cgroups to be made known to the kernel half.
    pub found: Vec<Rc<ContainerHandle>>,
    /// Cgroups that were judged since the kernel half was told last, with whether a container owns them.
    pub judged: Vec<(u64, Option<Rc<ContainerHandle>>)>,
    /// Cgroups that went since then.
    pub forgotten: Vec<u64>,
}

impl Registry {
    pub fn all(&self) -> Vec<Rc<ContainerHandle>> {
        let mut all: Vec<Rc<ContainerHandle>> = Vec::new();
        for owner in self.owners.values() {
            if let Owner::Container(handle) = owner
                && !all.iter().any(|known| Rc::ptr_eq(known, handle))
            {
                all.push(handle.clone());
            }
        }
        all.sort_by_key(|handle| handle.cgroup_id);
        all
    }

    pub fn by_id(&self, id: &str) -> Option<Rc<ContainerHandle>> {
        self.all().into_iter().find(|handle| handle.facts().id == id)
    }

    /// Every cgroup of a container: its own and those that it made inside.
    pub fn cgroups_of(&self, handle: &Rc<ContainerHandle>) -> Vec<u64> {
        let of = |owner: &Owner| matches!(owner, Owner::Container(found) if Rc::ptr_eq(found, handle));
        self.owners.iter().filter(|(_, owner)| of(owner)).map(|(id, _)| *id).collect()
    }

    /// All cgroups that were judged, with the container that owns them.
    pub fn every_cgroup(&self) -> Vec<(u64, Option<Rc<ContainerHandle>>)> {
        self.owners.keys().map(|cgroup| (*cgroup, self.known(*cgroup).flatten())).collect()
    }

    /// Whose a cgroup is that is known already.
    pub fn known(&self, cgroup: u64) -> Option<Option<Rc<ContainerHandle>>> {
        match self.owners.get(&cgroup)? {
            Owner::Host => Some(None),
            Owner::Container(handle) => Some(Some(handle.clone())),
        }
    }

    /// Judges a cgroup by its path and, when it was just made, by who made it.
    pub fn judge(&mut self, cgroup: u64, path: &str, maker: Option<&Process>) -> Option<Rc<ContainerHandle>> {
        if let Some(known) = self.known(cgroup) {
            return known;
        }
        let inside = self.all().into_iter().find(|handle| {
            path == handle.cgroup_path || path.strip_prefix(handle.cgroup_path.as_str()).is_some_and(|rest| rest.starts_with('/'))
        });
        let owner = match inside {
            Some(handle) => Owner::Container(handle),
            None => match locate::locate(path, maker) {
                Some(found) => Owner::Container(self.begin(cgroup, found)),
                None => Owner::Host,
            },
        };
        let answer = match &owner {
            Owner::Host => None,
            Owner::Container(handle) => Some(handle.clone()),
        };
        self.owners.insert(cgroup, owner);
        self.judged.push((cgroup, answer.clone()));
        answer
    }

    fn begin(&mut self, cgroup: u64, found: locate::Found) -> Rc<ContainerHandle> {
        let mut facts = oci::read_bundle(&found.bundle);
        facts.id.clone_from(&found.id);
        if facts.name.is_empty() {
            facts.name.clone_from(&found.id);
        }
        facts.runtime = oci::runtime_of(&found.bundle, &facts).into();
        facts.runtime_namespace = found.namespace;
        facts.cgroup_id = cgroup;
        facts.state = "running".into();
        facts.started_us = crate::clock::now_us();
        docker::describe(&mut facts);
        let ask = facts.runtime == "containerd" && facts.image_digest.is_empty();
        let handle = Rc::new(ContainerHandle {
            facts: RefCell::new(Rc::new(facts)),
            cgroup_path: found.cgroup_path,
            cgroup_id: cgroup,
            described: Cell::new(!ask),
            announced: Cell::new(false),
            version: Cell::new(0),
            root: RefCell::new(None),
            users: RefCell::default(),
        });
        self.found.push(handle.clone());
        handle
    }

    /// Forgets a cgroup; gives the container back when it was the container's own.
    pub fn gone(&mut self, cgroup: u64) -> Option<Rc<ContainerHandle>> {
        self.forgotten.push(cgroup);
        match self.owners.remove(&cgroup)? {
            Owner::Container(handle) if handle.cgroup_id == cgroup => {
                handle.update(|facts| facts.state = "stopped".into());
                *handle.root.borrow_mut() = None;
                Some(handle)
            }
            _ => None,
        }
    }
}

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

/// A container and how many of the cgroups that were seen are its own or lie in it.
#[derive(Debug)]
struct Kept {
    handle: Rc<ContainerHandle>,
    cgroups: usize,
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
    /// Containers by the paths of their own cgroups.
    containers: HashMap<String, Kept>,
    /// Newly found containers: to be described, and their cgroups to be made known to the kernel half.
    pub found: Vec<Rc<ContainerHandle>>,
    /// Cgroups that were judged since the kernel half was told last, with whether a container owns them.
    pub judged: Vec<(u64, Option<Rc<ContainerHandle>>)>,
    /// Cgroups that went since then.
    pub forgotten: Vec<u64>,
}

impl Registry {
    pub fn all(&self) -> Vec<Rc<ContainerHandle>> {
        let mut all: Vec<Rc<ContainerHandle>> = self.containers.values().map(|kept| kept.handle.clone()).collect();
        all.sort_by_key(|handle| handle.cgroup_id);
        all
    }

    pub fn by_id(&self, id: &str) -> Option<Rc<ContainerHandle>> {
        self.containers.values().map(|kept| &kept.handle).find(|handle| handle.facts().id == id).cloned()
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
        let inside = self.around(path);
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
        if let Some(handle) = &answer {
            let kept = self.containers.entry(handle.cgroup_path.clone());
            kept.or_insert_with(|| Kept { handle: handle.clone(), cgroups: 0 }).cgroups += 1;
        }
        self.owners.insert(cgroup, owner);
        self.judged.push((cgroup, answer.clone()));
        answer
    }

    /// The container that a path lies in: its own cgroup's, or one that it made inside.
    fn around(&self, path: &str) -> Option<Rc<ContainerHandle>> {
        let mut at = path;
        loop {
            if let Some(kept) = self.containers.get(at) {
                return Some(kept.handle.clone());
            }
            at = &at[..at.rfind('/')?];
        }
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
        let Owner::Container(handle) = self.owners.remove(&cgroup)? else { return None };
        if let Some(kept) = self.containers.get_mut(&handle.cgroup_path) {
            kept.cgroups -= 1;
            if kept.cgroups == 0 {
                self.containers.remove(&handle.cgroup_path);
            }
        }
        if handle.cgroup_id != cgroup {
            return None;
        }
        handle.update(|facts| facts.state = "stopped".into());
        *handle.root.borrow_mut() = None;
        Some(handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Image, Process, ProcessTable};

    /// What calls itself a runtime, at making a container with this id.
    fn maker(id: &str) -> Rc<Process> {
        let process = ProcessTable::default().forked(None, None, &crate::kernel::record::ForkBody::default());
        let arguments = ["runc", "run", "--bundle", "/nowhere", id].map(String::from).to_vec();
        process.set_image(Image { exe: "/usr/bin/runc".into(), arguments, ..Image::default() });
        process
    }

    #[test]
    fn what_lies_in_a_containers_cgroup_is_the_containers_as_long_as_any_of_it_is_there() {
        let mut registry = Registry::default();
        let web = registry.judge(1, "/pods/web", Some(&maker("web"))).expect("a container");
        assert!(Rc::ptr_eq(&web, &registry.judge(2, "/pods/web/a/b", None).expect("inside")));
        assert!(registry.judge(3, "/pods/web-2", None).is_none() && registry.judge(4, "/pods", None).is_none());
        assert_eq!((registry.all().len(), registry.by_id("web").is_some()), (1, true));
        let mut own = registry.cgroups_of(&web);
        own.sort_unstable();
        assert_eq!(own, [1, 2]);
        assert!(registry.gone(2).is_none() && registry.gone(3).is_none());
        assert_eq!(registry.all().len(), 1);
        assert!(Rc::ptr_eq(&web, &registry.gone(1).expect("its own")));
        assert!(registry.all().is_empty() && registry.judge(5, "/pods/web/c", None).is_none());
    }

    #[test]
    fn cgroups_by_the_ten_thousand_are_judged_without_looking_at_each_container_for_each() {
        let mut registry = Registry::default();
        for number in 0..2_000 {
            let id = format!("c{number}");
            registry.judge(number, &format!("/pods/{id}"), Some(&maker(&id))).expect("a container");
        }
        let began = std::time::Instant::now();
        for number in 0..10_000 {
            assert!(registry.judge(10_000 + number, &format!("/pods/c7/{number}"), None).is_some());
        }
        let took = began.elapsed();
        assert!(took.as_secs() < 2, "{took:?}");
        assert_eq!((registry.all().len(), registry.every_cgroup().len()), (2_000, 12_000));
    }
}

//! What the kernel half was told of cgroups. Its table has an end, and anybody on the host with a cgroup of his own can make cgroups by the
//! ten thousand: those of the host have a share of it, so that a container always finds room, and what finds none ends nothing.
use std::collections::HashSet;

/// Of the table's 16384 entries (`cgroups` in bpf/maps.h). A cgroup of the host that has none is judged by the pid namespace of whoever is
/// in it: right for all but the few that have one of their own without being containers.
const HOST_MAX: usize = 8192;

#[derive(Debug, Default)]
pub struct Told {
    hosts: HashSet<u64>,
    /// Without an entry: those of the host, beyond their share, and those of containers, with why.
    left_out: HashSet<u64>,
    refused: HashSet<u64>,
    why: String,
}

impl Told {
    /// Tells of one cgroup by `insert`, as far as there is room for it.
    pub fn tell<Error: std::fmt::Display>(&mut self, cgroup: u64, is_host: bool, insert: impl FnOnce() -> Result<(), Error>) {
        if is_host && self.hosts.len() >= HOST_MAX && !self.hosts.contains(&cgroup) {
            self.left_out.insert(cgroup);
            return;
        }
        match insert() {
            Ok(()) => {
                self.forget(cgroup);
                if is_host {
                    self.hosts.insert(cgroup);
                }
            }
            Err(error) => {
                self.refused.insert(cgroup);
                self.why = error.to_string();
            }
        }
    }

    /// A cgroup that is gone.
    pub fn forget(&mut self, cgroup: u64) {
        self.hosts.remove(&cgroup);
        self.left_out.remove(&cgroup);
        self.refused.remove(&cgroup);
    }

    /// What holds for less than it should, in plain words; empty when nothing does.
    pub fn trouble(&self) -> String {
        let (left_out, refused) = (self.left_out.len(), self.refused.len());
        match (left_out, refused) {
            (0, 0) => String::new(),
            (_, 0) => format!("{left_out} cgroups of the host are beyond the {HOST_MAX} that the kernel half is told of"),
            _ => format!(
                "blocks with a scope do not hold in {refused} cgroups: the kernel half takes no more ({}); {left_out} of the host are left out too",
                self.why
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::HashMap;

    #[test]
    fn cgroups_of_the_host_by_the_ten_thousand_leave_room_for_containers_and_are_counted() {
        let table: RefCell<HashMap<u64, bool>> = RefCell::default();
        let insert = |cgroup: u64, is_host: bool| {
            let mut table = table.borrow_mut();
            if table.len() >= 16_384 && !table.contains_key(&cgroup) {
                return Err("Argument list too long");
            }
            table.insert(cgroup, is_host);
            Ok(())
        };
        let mut told = Told::default();
        for cgroup in 0..17_000 {
            told.tell(cgroup, true, || insert(cgroup, true));
        }
        assert!(told.trouble().starts_with("8808 cgroups of the host"), "{}", told.trouble());
        for cgroup in 20_000..21_000 {
            told.tell(cgroup, false, || insert(cgroup, false));
            assert!(table.borrow().contains_key(&cgroup), "a container found no room");
        }
        // Told again, as with a new policy, what has an entry keeps it.
        told.tell(5, true, || insert(5, true));
        // Those that go make room for the next.
        for cgroup in 0..10_000 {
            told.forget(cgroup);
            table.borrow_mut().remove(&cgroup);
        }
        told.tell(30_000, true, || insert(30_000, true));
        assert!(table.borrow().contains_key(&30_000));
        for cgroup in 10_000..17_000 {
            told.forget(cgroup);
        }
        assert_eq!(told.trouble(), "");
    }

    #[test]
    fn what_the_kernel_does_not_take_is_said_until_it_does_or_is_gone() {
        let mut told = Told::default();
        told.tell(1, false, || Err("full"));
        told.tell(2, false, || Err("full"));
        assert!(told.trouble().contains("do not hold in 2 cgroups") && told.trouble().contains("full"));
        told.tell(1, false, || Ok::<(), String>(()));
        told.forget(2);
        assert_eq!(told.trouble(), "");
    }
}

//! Programs on packets, for questions and answers of names. Each packet costs a tenth of a microsecond: they are attached to the
//! containers that ask for names, when they begin to; to the root only where the host's own questions are wanted.
use aya::programs::cgroup_skb::CgroupSkbLink;
use aya::programs::{CgroupAttachMode, CgroupSkb, CgroupSkbAttachType};
use std::collections::HashMap;
use std::fs::File;

use crate::doctor::Cgroups;
use crate::kernel::load::{Kernel, chain};
use crate::wire::{EventType, Policy};

/// Where packets are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Where {
    #[default]
    Nowhere,
    OnDemand,
    Everywhere,
}

/// Where a policy needs them looked at.
pub fn needed(policy: &Policy) -> Where {
    let mut needed = Where::Nowhere;
    for selection in policy.selections.iter().filter(|selection| selection.r#type == EventType::Dns as i32) {
        if selection.from_host {
            return Where::Everywhere;
        }
        if selection.from_containers {
            needed = Where::OnDemand;
        }
    }
    needed
}

#[derive(Default)]
pub struct Packets {
    pub place: Where,
    root: Vec<CgroupSkbLink>,
    /// By the path of the container's cgroup.
    containers: HashMap<String, Vec<CgroupSkbLink>>,
}

impl Packets {
    /// Attaches and lets go as the place says; a link that is let go detaches its program.
    pub fn settle(&mut self, kernel: &mut Kernel, cgroups: &Cgroups, place: Where) -> Result<(), String> {
        self.place = place;
        if place != Where::OnDemand {
            self.containers.clear();
        }
        if place != Where::Everywhere {
            self.root.clear();
        } else if self.root.is_empty() {
            self.root = attach(kernel, cgroups, "")?;
        }
        Ok(())
    }

    /// Looks at the packets of a container from now on.
    pub fn watch(&mut self, kernel: &mut Kernel, cgroups: &Cgroups, path: &str) -> Result<(), String> {
        if self.place != Where::OnDemand || self.containers.contains_key(path) {
            return Ok(());
        }
        let links = attach(kernel, cgroups, path)?;
        self.containers.insert(path.into(), links);
        Ok(())
    }

    pub fn watches(&self, path: &str) -> bool {
        self.containers.contains_key(path)
    }

    /// Forgets containers that are gone.
    pub fn keep_only(&mut self, alive: impl Fn(&str) -> bool) {
        self.containers.retain(|path, _| alive(path));
    }
}

/// Links allow other programs beside them whatever the mode says.
fn attach(kernel: &mut Kernel, cgroups: &Cgroups, path: &str) -> Result<Vec<CgroupSkbLink>, String> {
    let place = cgroups.unified.as_ref().ok_or("no cgroup version 2 is mounted")?;
    let folder = format!("{place}{path}");
    let cgroup = File::open(&folder).map_err(|error| format!("{folder}: {error}"))?;
    let mut links = Vec::new();
    for (name, way) in [("packet_out", CgroupSkbAttachType::Egress), ("packet_in", CgroupSkbAttachType::Ingress)] {
        let program = kernel.object.program_mut(name).ok_or("a program is missing")?;
        let program: &mut CgroupSkb = program.try_into().map_err(|error: aya::programs::ProgramError| chain(&error))?;
        let link = program.attach(&cgroup, way, CgroupAttachMode::Single).map_err(|error| chain(&error))?;
        links.push(program.take_link(link).map_err(|error| chain(&error))?);
    }
    Ok(links)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::EventSelection;

    #[test]
    fn packets_are_looked_at_where_names_are_wanted() {
        let dns = |from_containers, from_host| EventSelection {
            r#type: EventType::Dns as i32,
            from_containers,
            from_host,
            ..EventSelection::default()
        };
        let of = |selections| needed(&Policy { selections, ..Policy::default() });
        assert_eq!(of(vec![]), Where::Nowhere);
        assert_eq!(of(vec![dns(true, false)]), Where::OnDemand);
        assert_eq!(of(vec![dns(true, false), dns(false, true)]), Where::Everywhere);
    }
}

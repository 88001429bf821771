//! What runs here: containers, processes, listening ports.
use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::batch::Builder;
use crate::container::ContainerHandle;
use crate::engine::Engine;
use crate::process::Process;
use crate::wire::{Inventory, ListeningPort, SocketFact};

const TCP_LISTEN: &str = "0A";
/// A UDP socket that is bound and not connected.
const UDP_OPEN: &str = "07";
const NETWORK_TABLES: [(&str, &str); 4] = [("tcp", "tcp"), ("tcp6", "tcp"), ("udp", "udp"), ("udp6", "udp")];

#[derive(Debug, PartialEq, Eq)]
struct Bound {
    protocol: &'static str,
    address: String,
    port: u32,
    inode: u64,
}

/// proc(5), /proc/net/tcp and its like: sockets that wait for others.
fn parse_sockets(text: &str, protocol: &'static str) -> Vec<Bound> {
    let wanted = if protocol == "tcp" { TCP_LISTEN } else { UDP_OPEN };
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, port) = fields.get(1)?.split_once(':')?;
        if *fields.get(3)? != wanted {
            return None;
        }
        let port = u32::from_str_radix(port, 16).ok()?;
        Some(Bound { protocol, address: parse_address(address)?, port, inode: fields.get(9)?.parse().ok()? })
    };
    text.lines().skip(1).filter_map(line).filter(|bound| bound.port != 0).collect()
}

/// Words of four bytes, each in the processor's order.
fn parse_address(text: &str) -> Option<String> {
    let words: Vec<[u8; 4]> = (0..text.len() / 8)
        .map(|place| u32::from_str_radix(&text[place * 8..place * 8 + 8], 16).ok().map(u32::to_ne_bytes))
        .collect::<Option<_>>()?;
    match words.as_slice() {
        [word] => Some(Ipv4Addr::from(*word).to_string()),
        [_, _, _, _] => Some(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?).to_string()),
        _ => None,
    }
}

/// Which process holds which socket.
fn holders(engine: &Engine) -> HashMap<u64, Rc<Process>> {
    let mut holders = HashMap::new();
    for process in engine.processes.all() {
        for entry in fs::read_dir(format!("/proc/{}/fd", process.pid)).into_iter().flatten().flatten() {
            let Ok(target) = fs::read_link(entry.path()) else { continue };
            let target = target.to_string_lossy();
            let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')).and_then(|number| number.parse().ok());
            if let Some(inode) = inode {
                holders.entry(inode).or_insert_with(|| process.clone());
            }
        }
    }
    holders
}

/// One process in each network namespace.
fn namespaces(engine: &Engine) -> Vec<u32> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    // The first process may not let itself be looked at; the sensor is on the host too.
    let firsts =
        [1, std::process::id()].into_iter().chain(engine.containers.all().iter().map(|handle| handle.facts().pid).collect::<Vec<_>>());
    for pid in firsts {
        if let Ok(link) = fs::read_link(format!("/proc/{pid}/ns/net")) {
            seen.entry(link.to_string_lossy().into_owned()).or_insert(pid);
        }
    }
    seen.into_values().collect()
}

/// What listens in the network namespace of the calling thread.
pub fn listening() -> Result<Vec<SocketFact>, String> {
    let mut all = Vec::new();
    for (file, protocol) in NETWORK_TABLES {
        let path = format!("/proc/thread-self/net/{file}");
        match fs::read_to_string(&path) {
            Ok(text) => all.extend(parse_sockets(&text, protocol)),
            // A kernel without IPv6 has no table of it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.ends_with('6') => {}
            Err(error) => return Err(format!("{path}: {error}")),
        }
    }
    Ok(all.into_iter().map(|bound| SocketFact { protocol: bound.protocol.into(), address: bound.address, port: bound.port }).collect())
}

/// Everything.
pub fn complete(engine: &Engine) -> Inventory {
    let mut builder = Builder::default();
    for handle in engine.containers.all() {
        builder.container(&handle);
    }
    for process in engine.processes.all() {
        builder.process(process, &process.image(), 0);
    }
    let holders = holders(engine);
    let mut ports = Vec::new();
    for pid in namespaces(engine) {
        for (file, protocol) in NETWORK_TABLES {
            let text = fs::read_to_string(format!("/proc/{pid}/net/{file}")).unwrap_or_default();
            for bound in parse_sockets(&text, protocol) {
                let holder = holders.get(&bound.inode);
                let process = holder.map_or(0, |process| builder.process(process, &process.image(), 0));
                let container =
                    holder.and_then(|process| process.container.borrow().clone()).map_or(0, |handle| builder.container(&handle));
                ports.push(ListeningPort { protocol: bound.protocol.into(), address: bound.address, port: bound.port, process, container });
            }
        }
    }
    let batch = builder.finish(Vec::new());
    Inventory { complete: true, containers: batch.containers, stopped_containers: Vec::new(), processes: batch.processes, ports }
}

/// Containers whose facts changed since the last call, and those that stopped.
#[derive(Debug, Default)]
pub struct Changes {
    said: HashMap<String, u32>,
}

impl Changes {
    pub fn since_last(&mut self, all: &[Rc<ContainerHandle>]) -> Option<Inventory> {
        let mut inventory = Inventory::default();
        for handle in all {
            let facts = handle.facts();
            if self.said.insert(facts.id.clone(), handle.version.get()) != Some(handle.version.get()) {
                inventory.containers.push((*facts).clone());
            }
        }
        let stopped: Vec<String> = self.said.keys().filter(|id| !all.iter().any(|handle| handle.facts().id == **id)).cloned().collect();
        for id in &stopped {
            self.said.remove(id);
        }
        inventory.stopped_containers = stopped;
        (!inventory.containers.is_empty() || !inventory.stopped_containers.is_empty()).then_some(inventory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_that_wait_for_others_are_ports() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 77 1 0 100\n\
            1: 0100007F:1F91 0100007F:0050 01 00000000:00000000 00:00000000 00000000  0 0 78 1 0 100\n  2: broken\n";
        let found = parse_sockets(text, "tcp");
        assert_eq!(found, [Bound { protocol: "tcp", address: "127.0.0.1".into(), port: 8080, inode: 77 }]);
        assert_eq!(parse_address("00000000000000000000000001000000").as_deref(), Some("::1"));
    }
}

//! Blocks of a policy as the kernel half needs them: a bit for each, tables of names, paths, networks and calls, and per cgroup the
//! bits that hold there.
use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{Array, HashMap as BpfMap};
use std::collections::{BTreeMap, HashMap};

use crate::kernel::calls;
use crate::kernel::hooks::Needed;
use crate::kernel::load::{Kernel, Settings};
use crate::kernel::select::{PathValue, Tries};
use crate::network::{self, Network};
use crate::wire::{Block, Container, FileBlock, Gap, Scope, block::What, path_pattern::Kind};

/// Bits in a word of the kernel half.
const BLOCKS_MAX: usize = 64;
const NAME_BYTES: usize = 32;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// `struct cgroup_state` of bpf/maps.h.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CgroupState {
    pub flags: u32,
    pub reserved: u32,
    pub blocks: u64,
}

/// `struct network_value` of bpf/network.h.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct NetworkValue {
    closed: u64,
    open: u64,
}

// SAFETY: plain numbers without padding.
unsafe impl aya::Pod for CgroupState {}
// SAFETY: plain numbers without padding.
unsafe impl aya::Pod for NetworkValue {}

/// A policy's blocks, compiled.
#[derive(Debug, Default)]
pub struct Blocks {
    pub ids: Vec<String>,
    scopes: Vec<Scope>,
    names: HashMap<[u8; NAME_BYTES], u64>,
    networks: BTreeMap<(bool, u32, [u8; 16]), NetworkValue>,
    ports: HashMap<u32, u64>,
    pub calls: HashMap<&'static str, u64>,
    /// Judged by the file guard and not in the kernel.
    pub files: Vec<(String, Scope, FileBlock)>,
    drifted: u64,
    /// Of files, by the kernel itself.
    reads: u64,
    writes: u64,
    programs: u64,
    connect: u64,
    memory: u64,
    socket: u64,
    pub gaps: Vec<Gap>,
}

/// What this node has to block with: why it has no programs on the network, or no answers to opens of files, and whether security hooks
/// refuse.
pub struct Can<'a> {
    pub network: &'a Result<(), String>,
    pub guard: &'a Result<(), String>,
    pub refuses: bool,
}

/// Whether a file block must be judged outside the kernel: whole, or for patterns that the kernel half cannot compare.
pub fn needs_guard(block: &FileBlock, refuses: bool) -> bool {
    !refuses || block.paths.iter().any(|pattern| pattern.kind() == Kind::Contains)
}

/// Whether a glob of `*` and `?` fits all of a text.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star, mut mark) = (0, 0, None, 0);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some(p);
            mark = t;
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some(place) = star {
            p = place + 1;
            mark += 1;
            t = mark;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

/// Whether a block's scope takes a container.
pub fn holds_for(scope: &Scope, container: &Container) -> bool {
    let any = |globs: &[String], text: &str| globs.is_empty() || globs.iter().any(|pattern| glob(pattern, text));
    any(&scope.images, &container.image)
        && any(&scope.namespaces, &container.namespace)
        && (any(&scope.container_names, &container.name) || any(&scope.container_names, &container.kubernetes_container))
        && (scope.container_ids.is_empty() || scope.container_ids.contains(&container.id))
        && scope.labels.iter().all(|(key, value)| container.labels.get(key) == Some(value))
        && !scope.host
}

/// A scope that takes every container, also one that nothing is known of yet.
fn is_open(scope: &Scope) -> bool {
    !scope.host
        && scope.images.is_empty()
        && scope.namespaces.is_empty()
        && scope.container_names.is_empty()
        && scope.container_ids.is_empty()
        && scope.labels.is_empty()
}

impl Blocks {
    /// Compiles blocks; those that cannot be done are gaps. Paths go into the tries that selections share.
    pub fn compile(blocks: &[Block], tries: &mut Tries, can: &Can) -> Self {
        let mut compiled = Self::default();
        for block in blocks {
            if compiled.ids.len() == BLOCKS_MAX {
                compiled.gap(block, &format!("this sensor holds {BLOCKS_MAX} blocks"));
                continue;
            }
            let bit = 1u64 << compiled.ids.len();
            if let Err(why) = compiled.add(block, bit, tries, can) {
                compiled.gap(block, &why);
                continue;
            }
            compiled.ids.push(block.id.clone());
            compiled.scopes.push(block.scope.clone().unwrap_or_default());
        }
        compiled.inherit_networks();
        compiled
    }

    fn gap(&mut self, block: &Block, why: &str) {
        self.gaps.push(Gap { block_id: block.id.clone(), why: why.into() });
    }

    fn add(&mut self, block: &Block, bit: u64, tries: &mut Tries, can: &Can) -> Result<(), String> {
        match &block.what {
            Some(What::Exec(exec)) => {
                self.programs |= bit;
                for name in &exec.names {
                    let mut key = [0; NAME_BYTES];
                    let length = name.len().min(NAME_BYTES - 1);
                    key[..length].copy_from_slice(&name.as_bytes()[..length]);
                    *self.names.entry(key).or_default() |= bit;
                }
                for pattern in &exec.paths {
                    if !tries.add(pattern, PathValue { types: 0, blocks: bit }) {
                        self.gap(
                            block,
                            &format!(
                                "`{}`: a path can be blocked by its whole, its beginning or its end, not by what it contains",
                                pattern.value
                            ),
                        );
                    }
                }
                self.drifted |= if exec.drifted { bit } else { 0 };
                self.memory |= if exec.in_memory { bit } else { 0 };
                self.socket |= if exec.socket_stdio { bit } else { 0 };
                Ok(())
            }
            Some(What::Connect(connect)) => {
                can.network.clone()?;
                self.connect |= bit;
                self.add_connect(connect, bit)
            }
            Some(What::Syscall(syscall)) => {
                for name in &syscall.calls {
                    match calls::CALLS.iter().find(|call| call.name == name.as_str()) {
                        Some(call) => *self.calls.entry(call.name).or_default() |= bit,
                        None => self.gap(block, &format!("`{name}` is no call that this sensor watches")),
                    }
                }
                let lacking = if can.refuses {
                    "calls without a security hook end their process when they return: they may have been carried out"
                } else {
                    "the process is killed when the call returns: the call itself may have been carried out"
                };
                self.gap(block, lacking);
                Ok(())
            }
            Some(What::File(file)) => {
                if block.scope.as_ref().is_some_and(|scope| scope.host) {
                    return Err("access to files is blocked in containers only".into());
                }
                let mut left = file.clone();
                if can.refuses {
                    left.paths.retain(|pattern| !tries.add(pattern, PathValue { types: 0, blocks: bit }));
                    self.reads |= if file.reads { bit } else { 0 };
                    self.writes |= if file.writes { bit } else { 0 };
                }
                if needs_guard(file, can.refuses) {
                    can.guard.clone()?;
                    self.files.push((block.id.clone(), block.scope.clone().unwrap_or_default(), left));
                }
                Ok(())
            }
            None => Err("the block says not what it blocks".into()),
        }
    }

    fn add_connect(&mut self, connect: &crate::wire::ConnectBlock, bit: u64) -> Result<(), String> {
        let parse = |text: &String| network::parse(text).ok_or_else(|| format!("`{text}` is no network"));
        let mut closed: Vec<Network> = connect.networks.iter().map(parse).collect::<Result<_, _>>()?;
        if closed.is_empty() {
            closed.extend(["0.0.0.0/0", "::/0"].iter().filter_map(|text| network::parse(text)));
        }
        let open: Vec<Network> = connect.except.iter().map(parse).collect::<Result<_, _>>()?;
        for (networks, is_open) in [(closed, false), (open, true)] {
            for network in networks {
                let value = self.networks.entry((network.is_v6, network.bits, network.address)).or_default();
                *(if is_open { &mut value.open } else { &mut value.closed }) |= bit;
            }
        }
        for port in if connect.ports.is_empty() { &[0][..] } else { &connect.ports } {
            *self.ports.entry(*port).or_default() |= bit;
        }
        Ok(())
    }

    /// A look-up finds the narrowest network only: it must say what the wider ones say too.
    fn inherit_networks(&mut self) {
        let all: Vec<_> = self.networks.iter().map(|(key, value)| (*key, *value)).collect();
        for ((is_v6, bits, address), value) in &mut self.networks {
            for ((other_v6, other_bits, other), above) in &all {
                if other_v6 == is_v6 && other_bits < bits && covers(other, *other_bits, address) {
                    value.closed |= above.closed;
                    value.open |= above.open;
                }
            }
        }
    }

    /// The blocks that hold for a container; without one, for the host.
    pub fn of(&self, container: Option<&Container>) -> u64 {
        let holds = |scope: &Scope| container.map_or(scope.host, |container| holds_for(scope, container));
        self.scopes.iter().enumerate().filter(|(_, scope)| holds(scope)).fold(0, |bits, (place, _)| bits | 1 << place)
    }

    pub fn settings(&self, settings: &mut Settings) {
        settings.default_blocks =
            self.scopes.iter().enumerate().filter(|(_, scope)| is_open(scope)).fold(0, |bits, (place, _)| bits | 1 << place);
        settings.host_blocks = self.of(None);
        settings.drifted_blocks = self.drifted;
        settings.memory_blocks = self.memory;
        settings.socket_blocks = self.socket;
        settings.connect_blocks = self.connect;
        settings.read_blocks = self.reads;
        settings.write_blocks = self.writes;
    }

    /// What security hooks have to refuse.
    pub fn needed(&self) -> Needed {
        Needed { files: self.reads | self.writes != 0, programs: self.programs != 0, calls: !self.calls.is_empty() }
    }

    /// Fills the kernel's tables; what is not in force any more goes first, so that a bit never means the wrong block.
    pub fn apply(&self, kernel: &mut Kernel) -> Result<(), String> {
        let failed = |error: aya::maps::MapError| format!("blocks: {error}");
        let map = kernel.object.map_mut("blocked_names").ok_or("the object has no map `blocked_names`")?;
        let mut names: BpfMap<_, [u8; NAME_BYTES], u64> = BpfMap::try_from(map).map_err(failed)?;
        for old in names.keys().filter_map(Result::ok).collect::<Vec<_>>() {
            names.remove(&old).map_err(failed)?;
        }
        for (name, bits) in &self.names {
            names.insert(name, bits, 0).map_err(failed)?;
        }
        let map = kernel.object.map_mut("blocked_ports").ok_or("the object has no map `blocked_ports`")?;
        let mut ports: BpfMap<_, u32, u64> = BpfMap::try_from(map).map_err(failed)?;
        for old in ports.keys().filter_map(Result::ok).collect::<Vec<_>>() {
            ports.remove(&old).map_err(failed)?;
        }
        for (port, bits) in &self.ports {
            ports.insert(port, bits, 0).map_err(failed)?;
        }
        let map = kernel.object.map_mut("networks").ok_or("the object has no map `networks`")?;
        let mut trie: LpmTrie<_, [u8; 20], NetworkValue> = LpmTrie::try_from(map).map_err(failed)?;
        for old in trie.keys().filter_map(Result::ok).collect::<Vec<_>>() {
            trie.remove(&old).map_err(failed)?;
        }
        for ((is_v6, bits, address), value) in &self.networks {
            let mut data = [0; 20];
            data[0] = if *is_v6 { AF_INET6 } else { AF_INET };
            data[4..].copy_from_slice(address);
            trie.insert(&Key::new(32 + bits, data), value, 0).map_err(failed)?;
        }
        let map = kernel.object.map_mut("calls").ok_or("the object has no map `calls`")?;
        let mut table: Array<_, calls::KernelCall> = Array::try_from(map).map_err(failed)?;
        for (key, row) in calls::rows_with_blocks(&self.calls) {
            table.set(key, row, 0).map_err(failed)?;
        }
        Ok(())
    }
}

fn covers(wide: &[u8; 16], bits: u32, address: &[u8; 16]) -> bool {
    (0..bits as usize).all(|bit| (wide[bit / 8] ^ address[bit / 8]) & (0x80 >> (bit % 8)) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ConnectBlock, ExecBlock};

    fn block(id: &str, scope: Scope, what: What) -> Block {
        Block { id: id.into(), rule: String::new(), scope: Some(scope), what: Some(what) }
    }

    #[test]
    fn globs_fit_whole_texts() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a?c", "ac", false),
            ("docker.io/*/x:*", "docker.io/l/x:1", true),
            ("a", "ab", false),
            ("*b", "aab", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn scopes_choose_containers_and_unconditional_ones_hold_at_once() {
        let images = Scope { images: vec!["web:*".into()], ..Scope::default() };
        let host = Scope { host: true, ..Scope::default() };
        let exec = || What::Exec(ExecBlock { names: vec!["nc".into()], drifted: true, ..ExecBlock::default() });
        let list = [
            block("a", images, exec()),
            block("b", Scope::default(), exec()),
            block("c", host, exec()),
            block("d", Scope::default(), What::File(FileBlock::default())),
        ];
        let can = Can { network: &Ok(()), guard: &Err("no fanotify".into()), refuses: false };
        let blocks = Blocks::compile(&list, &mut Tries::default(), &can);
        assert_eq!(blocks.ids, ["a", "b", "c"]);
        assert_eq!(blocks.gaps[0].block_id, "d");
        let web = Container { image: "web:1".into(), ..Container::default() };
        assert_eq!((blocks.of(Some(&web)), blocks.of(Some(&Container::default())), blocks.of(None)), (0b011, 0b010, 0b100));
        let mut settings = Settings::default();
        blocks.settings(&mut settings);
        assert_eq!((settings.default_blocks, settings.host_blocks, settings.drifted_blocks), (0b010, 0b100, 0b111));
    }

    #[test]
    fn security_hooks_refuse_files_that_the_kernel_can_compare_and_leave_the_rest_to_the_guard() {
        let path = |kind: Kind, value: &str| crate::wire::PathPattern { kind: kind as i32, value: value.into() };
        let whole = FileBlock { paths: vec![path(Kind::Prefix, "/etc/")], writes: true, ..FileBlock::default() };
        let part = FileBlock { paths: vec![path(Kind::Exact, "/a"), path(Kind::Contains, "secret")], reads: true, ..FileBlock::default() };
        let list = [block("a", Scope::default(), What::File(whole)), block("b", Scope::default(), What::File(part))];
        let mut tries = Tries::default();
        let can = Can { network: &Ok(()), guard: &Ok(()), refuses: true };
        let blocks = Blocks::compile(&list, &mut tries, &can);
        assert_eq!((tries.prefixes[&b"/etc/".to_vec()].blocks, tries.prefixes[&b"/a\0".to_vec()].blocks), (1, 2));
        assert_eq!((blocks.reads, blocks.writes, blocks.needed().files), (2, 1, true));
        let left: Vec<_> = blocks.files.iter().map(|(id, _, file)| (id.as_str(), file.paths.len())).collect();
        assert_eq!(left, [("b", 1)]);
    }

    #[test]
    fn exceptions_within_a_closed_network_stay_open() {
        let connect = ConnectBlock { networks: vec!["10.0.0.0/8".into()], ports: vec![], except: vec!["10.1.0.0/16".into()] };
        let can = Can { network: &Ok(()), guard: &Ok(()), refuses: false };
        let blocks = Blocks::compile(&[block("a", Scope::default(), What::Connect(connect))], &mut Tries::default(), &can);
        let narrow = blocks.networks.iter().find(|((_, bits, _), _)| *bits == 16).expect("there").1;
        assert_eq!((narrow.closed, narrow.open), (1, 1));
        assert_eq!(blocks.ports[&0], 1);
    }
}

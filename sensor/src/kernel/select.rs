//! Compiles a policy's selections: to a superset that the kernel half can judge cheaply, and to the exact judgement that
//! the sensor makes of what comes through.
use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{Array, MapData};
use std::collections::BTreeMap;

use super::calls;
use super::load::Kernel;
use crate::policy::block::Blocks;
use crate::wire::{EventSelection, EventType, PathPattern, Policy, path_pattern::Kind};

const SELECT_CONTAINERS: u32 = 1;
const SELECT_HOST: u32 = 2;
const SELECT_FAILURES: u32 = 4;
const SELECT_EVERY_PATH: u32 = 8;
const SELECT_EVERY_READ: u32 = 16;
const SELECT_PATHS: u32 = 32;
const SELECT_UNDECIDED: u32 = 64;
const READ_BIT: u64 = 1 << 63;
/// WRITE lies beyond the bits of other kinds that have paths.
const WRITE_BIT: u64 = 1 << 62;
const TYPES: usize = 128;
const TRIE_BYTES: usize = 128;

/// `struct path_value` of bpf/maps.h.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathValue {
    pub types: u64,
    pub blocks: u64,
}

// SAFETY: plain numbers without padding.
unsafe impl aya::Pod for PathValue {}

/// What the two tries hold, by the bytes of their keys.
#[derive(Debug, Default)]
pub struct Tries {
    pub prefixes: BTreeMap<Vec<u8>, PathValue>,
    pub suffixes: BTreeMap<Vec<u8>, PathValue>,
}

impl Tries {
    /// Adds a pattern. False when the kernel half cannot judge it.
    pub fn add(&mut self, pattern: &PathPattern, value: PathValue) -> bool {
        let mut bytes = pattern.value.clone().into_bytes();
        let table = match pattern.kind() {
            Kind::Exact => {
                bytes.push(0);
                &mut self.prefixes
            }
            Kind::Prefix => &mut self.prefixes,
            Kind::Suffix => {
                bytes.reverse();
                &mut self.suffixes
            }
            Kind::Contains | Kind::Unspecified => return false,
        };
        bytes.truncate(TRIE_BYTES);
        let entry = table.entry(bytes).or_default();
        entry.types |= value.types;
        entry.blocks |= value.blocks;
        true
    }

    /// A look-up finds the longest key only: it must say what all shorter ones say too.
    pub fn inherit(&mut self) {
        for table in [&mut self.prefixes, &mut self.suffixes] {
            let mut open: Vec<(Vec<u8>, PathValue)> = Vec::new();
            for (key, value) in table.iter_mut() {
                while open.last().is_some_and(|(prefix, _)| !key.starts_with(prefix)) {
                    open.pop();
                }
                if let Some((_, above)) = open.last() {
                    value.types |= above.types;
                    value.blocks |= above.blocks;
                }
                open.push((key.clone(), *value));
            }
        }
    }
}

/// Bits per type, and the paths, of a list of selections.
pub fn compile(selections: &[EventSelection], tries: &mut Tries) -> [u32; TYPES] {
    let mut bits = [0u32; TYPES];
    for selection in selections {
        let kind = selection.r#type as usize & (TYPES - 1);
        let of = &mut bits[kind];
        if selection.from_containers {
            *of |= SELECT_CONTAINERS;
        }
        if selection.from_host {
            *of |= SELECT_HOST;
        }
        if selection.failures {
            *of |= SELECT_FAILURES;
        }
        if selection.paths.is_empty() {
            *of |= SELECT_EVERY_PATH | if selection.reads { SELECT_EVERY_READ } else { 0 };
        }
        for pattern in &selection.paths {
            let of_kind = if kind == EventType::Write as usize { WRITE_BIT } else { 1 << (kind & 63) };
            let value = PathValue { types: of_kind | if selection.reads { READ_BIT } else { 0 }, blocks: 0 };
            *of |= if tries.add(pattern, value) {
                SELECT_PATHS
            } else {
                SELECT_UNDECIDED | if selection.reads { SELECT_EVERY_READ } else { 0 }
            };
        }
    }
    bits
}

/// Whose calls of a kind are looked at, and of which names where a selection tells calls by name.
fn place_of(policy: &Policy, bits: &[u32; TYPES], call: &calls::Call) -> Option<calls::Place> {
    let kind = call.kind();
    // The opens of files that it makes are told as `creat`.
    let of = match call.name {
        // One call for all that the sockets of 32-bit programs do.
        "socketcall" => [EventType::Connect, EventType::Accept, EventType::Listen, EventType::Bind, EventType::Socket]
            .iter()
            .fold(0, |all, kind| all | bits[*kind as usize]),
        _ => bits[kind as usize] | if kind == EventType::Open { bits[EventType::Creat as usize] } else { 0 },
    };
    // Programs that were started are told by another tracepoint.
    if kind == EventType::Execve && of & SELECT_FAILURES == 0 {
        return None;
    }
    // A signal to the sensor is told whoever sends it.
    if kind == EventType::Kill || of & SELECT_HOST != 0 {
        return Some(calls::Place::Everywhere);
    }
    let named = |selection: &EventSelection| {
        selection.r#type == kind as i32 && (selection.calls.is_empty() || selection.calls.iter().any(|name| name == call.name))
    };
    let taken = of & SELECT_CONTAINERS != 0 && (kind != EventType::Syscall || policy.selections.iter().any(named));
    taken.then_some(calls::Place::Containers)
}

type Trie<'a> = LpmTrie<&'a mut MapData, [u8; TRIE_BYTES], PathValue>;

fn fill_trie(kernel: &mut Kernel, name: &str, entries: &BTreeMap<Vec<u8>, PathValue>) -> Result<(), String> {
    let map = kernel.object.map_mut(name).ok_or_else(|| format!("the object has no map `{name}`"))?;
    let mut trie: Trie = LpmTrie::try_from(map).map_err(|error| error.to_string())?;
    let wanted: Vec<Key<[u8; TRIE_BYTES]>> = entries.keys().map(|bytes| key(bytes)).collect();
    let stale: Vec<_> = trie.keys().filter_map(Result::ok).filter(|old| !wanted.iter().any(|new| same(new, old))).collect();
    for (key, value) in wanted.iter().zip(entries.values()) {
        trie.insert(key, value, 0).map_err(|error| format!("{name}: {error}"))?;
    }
    for old in stale {
        trie.remove(&old).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn key(bytes: &[u8]) -> Key<[u8; TRIE_BYTES]> {
    let mut data = [0; TRIE_BYTES];
    data[..bytes.len()].copy_from_slice(bytes);
    Key::new(bytes.len() as u32 * 8, data)
}

fn same(a: &Key<[u8; TRIE_BYTES]>, b: &Key<[u8; TRIE_BYTES]>) -> bool {
    a.prefix_len() == b.prefix_len() && a.data() == b.data()
}

/// Hands selections and paths to the kernel half; new ones are in place before old ones go.
pub fn apply(kernel: &mut Kernel, policy: &Policy, mut tries: Tries, blocks: &Blocks) -> Result<(), String> {
    let bits = compile(&policy.selections, &mut tries);
    tries.inherit();
    fill_trie(kernel, "path_prefixes", &tries.prefixes)?;
    fill_trie(kernel, "path_suffixes", &tries.suffixes)?;
    let map = kernel.object.map_mut("selections").ok_or("the object has no map `selections`")?;
    let mut array: Array<_, u32> = Array::try_from(map).map_err(|error| error.to_string())?;
    for (index, value) in bits.iter().enumerate() {
        array.set(index as u32, value, 0).map_err(|error| format!("selections: {error}"))?;
    }
    let by_path = [EventType::Open, EventType::Creat, EventType::Write].iter().any(|kind| bits[*kind as usize] & SELECT_PATHS != 0);
    let selected = |kind: EventType| bits[kind as usize] & (SELECT_CONTAINERS | SELECT_HOST) != 0;
    // A container's root, which blocks on files wait for, moves too.
    let roots = !blocks.files.is_empty();
    let mut table = calls::wanted(|call| place_of(policy, &bits, call), by_path || roots, &blocks.calls);
    // Signals to the sensor alone are not worth the long way of every call.
    let asked_for =
        |call: &calls::Call| (call.kind() != EventType::Kill || selected(EventType::Kill)) && place_of(policy, &bits, call).is_some();
    let looks = calls::CALLS.iter().any(|call| call.kind() != EventType::Dns && asked_for(call)) || !blocks.calls.is_empty() || roots;
    if !looks {
        table = [0; calls::NUMBERS_MAX];
    }
    kernel.want(table)?;
    // The first question of a container is taken from the call that sends it.
    kernel.keep_calls_attached(looks || selected(EventType::Dns))?;
    kernel.keep_attached("ring_request", by_path || selected(EventType::Syscall))?;
    kernel.keep_attached("socket_state", selected(EventType::Flow) || selected(EventType::Connect))?;
    kernel.forget_paths()
}

/// Whether a path fits a pattern, exactly.
pub fn fits(pattern: &PathPattern, path: &str) -> bool {
    match pattern.kind() {
        Kind::Exact => path == pattern.value,
        Kind::Prefix => path.starts_with(&pattern.value),
        Kind::Suffix => path.ends_with(&pattern.value),
        Kind::Contains => path.contains(&pattern.value),
        Kind::Unspecified => false,
    }
}

/// What is judged of an event.
pub struct Candidate<'a> {
    pub kind: EventType,
    pub in_container: bool,
    pub failed: bool,
    pub read: bool,
    pub path: &'a str,
    pub new_path: &'a str,
    pub call: &'a str,
}

/// The exact judgement.
#[derive(Debug, Default)]
pub struct Selector {
    by_kind: BTreeMap<i32, Vec<EventSelection>>,
}

impl Selector {
    pub fn new(policy: &Policy) -> Self {
        let mut by_kind: BTreeMap<i32, Vec<EventSelection>> = BTreeMap::new();
        for selection in &policy.selections {
            by_kind.entry(selection.r#type).or_default().push(selection.clone());
            if selection.r#type == EventType::Open as i32 && !selection.reads {
                by_kind.entry(EventType::Creat as i32).or_default().push(selection.clone());
            }
        }
        Self { by_kind }
    }

    pub fn takes(&self, candidate: &Candidate) -> bool {
        let Some(selections) = self.by_kind.get(&(candidate.kind as i32)) else {
            // Of what the sensor itself says, nothing is left out.
            return matches!(candidate.kind, EventType::Container | EventType::Blocked | EventType::Tamper);
        };
        selections.iter().any(|selection| takes(selection, candidate))
    }
}

fn takes(selection: &EventSelection, candidate: &Candidate) -> bool {
    (if candidate.in_container { selection.from_containers } else { selection.from_host })
        && (!candidate.failed || selection.failures)
        && (!candidate.read || selection.reads)
        && (selection.calls.is_empty() || selection.calls.iter().any(|call| call == candidate.call))
        && (selection.paths.is_empty()
            || selection
                .paths
                .iter()
                .any(|pattern| fits(pattern, candidate.path) || (!candidate.new_path.is_empty() && fits(pattern, candidate.new_path))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(kind: Kind, value: &str) -> PathPattern {
        PathPattern { kind: kind as i32, value: value.into() }
    }

    #[test]
    fn a_longer_key_says_what_the_shorter_ones_say() {
        let mut tries = Tries::default();
        tries.add(&pattern(Kind::Prefix, "/etc/"), PathValue { types: 1, blocks: 0 });
        tries.add(&pattern(Kind::Exact, "/etc/shadow"), PathValue { types: 2, blocks: 0 });
        tries.add(&pattern(Kind::Prefix, "/opt"), PathValue { types: 4, blocks: 0 });
        tries.inherit();
        assert_eq!(tries.prefixes[&b"/etc/shadow\0".to_vec()].types, 3);
        assert_eq!(tries.prefixes[&b"/opt".to_vec()].types, 4);
    }

    #[test]
    fn what_the_kernel_cannot_judge_is_let_through_to_the_sensor() {
        let selection = EventSelection {
            r#type: EventType::Open as i32,
            from_containers: true,
            reads: true,
            paths: vec![pattern(Kind::Contains, "secret")],
            ..EventSelection::default()
        };
        let bits = compile(std::slice::from_ref(&selection), &mut Tries::default());
        assert_ne!(bits[EventType::Open as usize] & SELECT_EVERY_READ, 0);
        let policy = Policy { selections: vec![selection], ..Policy::default() };
        let selector = Selector::new(&policy);
        let mut candidate =
            Candidate { kind: EventType::Open, in_container: true, failed: false, read: true, path: "/a/secret/b", new_path: "", call: "" };
        assert!(selector.takes(&candidate));
        candidate.path = "/a/b";
        assert!(!selector.takes(&candidate));
        candidate.path = "/a/secret";
        candidate.in_container = false;
        assert!(!selector.takes(&candidate));
    }
}

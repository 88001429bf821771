//! What the kernel half counted since it was loaded, by kind: seen, filtered, lost, sampled.
use aya::maps::{MapData, PerCpuArray};
use std::collections::HashMap;

use crate::wire::EventType;

const TYPES: usize = 128;
const COUNTS: usize = 4;

#[derive(Debug, Default, Clone)]
pub struct Counts {
    pub seen: HashMap<String, u64>,
    pub filtered: HashMap<String, u64>,
    pub lost: HashMap<String, u64>,
    pub sampled: HashMap<String, u64>,
}

/// `struct counts` of bpf/maps.h.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Words([u64; TYPES * COUNTS]);

// SAFETY: plain numbers without padding.
unsafe impl aya::Pod for Words {}

/// A kind's name on the wire: lower case, as in the contract.
pub fn kind_name(kind: u32) -> String {
    match kind {
        100 => "cgroup_made".into(),
        101 => "cgroup_gone".into(),
        102 => "io_uring".into(),
        103 => "network_blocked".into(),
        _ => EventType::try_from(kind as i32).map_or_else(|_| format!("kind_{kind}"), |kind| kind.as_str_name().to_lowercase()),
    }
}

/// Sums the processors' shares; a map that cannot be read counts as an error of the caller's, not as zero.
pub fn read(map: &PerCpuArray<MapData, Words>) -> Result<Counts, aya::maps::MapError> {
    let mut counts = Counts::default();
    let words = map.get(&0, 0)?;
    for what in 0..COUNTS {
        for kind in 0..TYPES {
            let sum: u64 = words.iter().map(|words| words.0[what * TYPES + kind]).sum();
            if sum == 0 {
                continue;
            }
            let table = match what {
                0 => &mut counts.seen,
                1 => &mut counts.filtered,
                2 => &mut counts.lost,
                _ => &mut counts.sampled,
            };
            table.insert(kind_name(kind as u32), sum);
        }
    }
    Ok(counts)
}

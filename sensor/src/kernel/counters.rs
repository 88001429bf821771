//! What the kernel half counted since it was loaded, by kind: seen, filtered, lost, sampled.
use aya::maps::{HashMap as BpfMap, MapData, PerCpuArray};
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

/// `struct loss_key` of bpf/maps.h.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LossKey {
    pub cgroup: u64,
    what: u32,
    kind: u32,
}

// SAFETY: plain numbers without padding.
unsafe impl aya::Pod for LossKey {}

const SAMPLED: u32 = 3;

/// Events of one kind that one cgroup lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnLoss {
    pub cgroup: u64,
    pub kind: String,
    pub sampled: bool,
    pub count: u64,
}

/// What each cgroup lost since the last look; the kernel half forgets who lost longest ago when there are too many.
pub fn own_losses(map: &BpfMap<&mut MapData, LossKey, u64>, before: &mut HashMap<LossKey, u64>) -> Vec<OwnLoss> {
    let now: HashMap<LossKey, u64> = map.iter().filter_map(Result::ok).collect();
    let grown = grown(&now, before);
    *before = now;
    grown
}

fn grown(now: &HashMap<LossKey, u64>, before: &HashMap<LossKey, u64>) -> Vec<OwnLoss> {
    let since = |key: &LossKey, count: u64| match before.get(key) {
        // Forgotten in between, it counts from the beginning.
        Some(old) if *old <= count => count - old,
        _ => count,
    };
    now.iter()
        .map(|(key, count)| OwnLoss {
            cgroup: key.cgroup,
            kind: kind_name(key.kind),
            sampled: key.what == SAMPLED,
            count: since(key, *count),
        })
        .filter(|loss| loss.count > 0)
        .collect()
}

/// A kind's name on the wire: lower case, as in the contract.
pub fn kind_name(kind: u32) -> String {
    match kind {
        100 => "cgroup_made".into(),
        101 => "cgroup_gone".into(),
        102 => "io_uring".into(),
        103 => "network_blocked".into(),
        104 => "names_asked".into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_counted_since_the_last_look_also_after_they_were_forgotten() {
        let key = |cgroup| LossKey { cgroup, what: SAMPLED, kind: EventType::Open as u32 };
        let before = HashMap::from([(key(1), 5), (key(2), 9)]);
        let now = HashMap::from([(key(1), 7), (key(2), 2), (key(3), 4)]);
        let mut found: Vec<(u64, u64)> = grown(&now, &before).iter().map(|loss| (loss.cgroup, loss.count)).collect();
        found.sort_unstable();
        assert_eq!(found, [(1, 2), (2, 2), (3, 4)]);
        assert!(grown(&before, &before).is_empty());
    }
}

//! Repeats of one event by one process, folded into one with a count.
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use crate::engine::Seen;
use crate::wire::EventType;

fn key(seen: &Seen) -> Option<u64> {
    let event = &seen.event;
    let kind = EventType::try_from(event.r#type).unwrap_or_default();
    if matches!(kind, EventType::Execve | EventType::Clone | EventType::Procexit | EventType::Container | EventType::Flow) {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    seen.process.as_ref().map(|process| Rc::as_ptr(process) as usize).hash(&mut hasher);
    seen.image.as_ref().map(|image| Rc::as_ptr(image) as usize).hash(&mut hasher);
    // Writes are told apart by their file, not by how much each was.
    (event.r#type, event.result.min(0), event.flags, event.mode, event.argument, event.target_pid).hash(&mut hasher);
    (&event.path, &event.new_path, &event.detail, &event.block_id, &event.dns_name, &event.dns_answers).hash(&mut hasher);
    (&event.remote_address, event.remote_port, event.family, event.target_fd, event.inode).hash(&mut hasher);
    Some(hasher.finish())
}

/// Folds a list in place; the first of each kind stays where it is.
pub fn fold(list: Vec<Seen>) -> Vec<Seen> {
    let mut places: HashMap<u64, usize> = HashMap::new();
    let mut out: Vec<Seen> = Vec::with_capacity(list.len());
    for seen in list {
        if let Some(key) = key(&seen) {
            if let Some(place) = places.get(&key) {
                let event = &mut out[*place].event;
                event.count = event.count.max(1) + seen.event.count.max(1);
                if event.r#type == EventType::Write as i32 {
                    event.bytes_sent += seen.event.bytes_sent;
                }
                continue;
            }
            places.insert(key, out.len());
        }
        out.push(seen);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Event;

    fn seen(path: &str, kind: EventType) -> Seen {
        let event = Event { r#type: kind as i32, path: path.into(), ..Event::default() };
        Seen { event, process: None, image: None, container: None, taken_ns: 0 }
    }

    #[test]
    fn writes_to_one_file_are_one_event_with_all_their_bytes() {
        let write = |path: &str, bytes: u64| {
            let mut seen = seen(path, EventType::Write);
            (seen.event.bytes_sent, seen.event.result) = (bytes, bytes as i64);
            seen
        };
        let folded = fold(vec![write("/a", 10), write("/b", 1), write("/a", 32)]);
        let told: Vec<_> = folded.iter().map(|seen| (seen.event.path.as_str(), seen.event.count, seen.event.bytes_sent)).collect();
        assert_eq!(told, [("/a", 2, 42), ("/b", 0, 1)]);
    }

    #[test]
    fn repeats_are_counted_and_processes_are_not_folded() {
        let list = vec![
            seen("/a", EventType::Open),
            seen("/b", EventType::Open),
            seen("/a", EventType::Open),
            seen("/a", EventType::Execve),
            seen("/a", EventType::Execve),
        ];
        let counts: Vec<u32> = fold(list).iter().map(|seen| seen.event.count).collect();
        assert_eq!(counts, [2, 0, 0, 0]);
    }
}

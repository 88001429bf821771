//! What is secured before anything is done to a container.
use serde_json::{Value, json};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Report, result};
use crate::container::ContainerHandle;
use crate::engine::Engine;
use crate::kernel::record::text;
use crate::patient;
use crate::process::Process;
use crate::wire::{CollectEvidence, EvidenceChunk, OrderResult, order_result::Outcome};

const CHUNK: usize = 256 * 1024;
const DEFAULT_LIMIT: u64 = 16 << 20;
const ENVIRONMENT_LIMIT: u64 = 1 << 20;
const DIFF_ENTRIES_MAX: usize = 100_000;
const EVERYTHING: [&str; 6] = ["process-tree", "open-files", "connections", "file-system-diff", "mounts", "environment-names"];

/// Collects the parts that were asked for (all when none were) within the limit on bytes.
pub fn collect(engine: &Engine, id: &str, order: &CollectEvidence, container: &Rc<ContainerHandle>) -> (OrderResult, Vec<EvidenceChunk>) {
    let inside = |process: &&Rc<Process>| process.container.borrow().as_ref().is_some_and(|own| Rc::ptr_eq(own, container));
    let mut processes: Vec<Rc<Process>> = engine.processes.all().filter(inside).cloned().collect();
    processes.sort_by_key(|process| process.start_ns);
    let names: Vec<&str> = if order.parts.is_empty() { EVERYTHING.to_vec() } else { order.parts.iter().map(String::as_str).collect() };
    let mut left = if order.limit_bytes == 0 { DEFAULT_LIMIT } else { order.limit_bytes };
    let (mut chunks, mut missing, mut sizes) = (Vec::new(), Vec::new(), serde_json::Map::new());
    for name in names {
        let value = match part(name, &processes, container) {
            Ok(value) => value,
            Err(why) => {
                missing.push((name.to_string(), why));
                continue;
            }
        };
        let bytes = value.to_string().into_bytes();
        sizes.insert(name.into(), json!(bytes.len()));
        let taken = bytes.len().min(left as usize);
        left -= taken as u64;
        chunks.extend(cut(id, name, &bytes[..taken], (bytes.len() - taken) as u64));
    }
    let report = conclude(processes.len(), chunks.is_empty(), &missing).with(json!({
        "bytes": sizes,
        "missing": missing.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "reasons": missing.iter().map(|(name, why)| (name.clone(), json!(why))).collect::<serde_json::Map<_, _>>(),
    }));
    (result(id, report), chunks)
}

/// What is there is worth having: only an order that gave nothing at all has failed.
fn conclude(processes: usize, nothing: bool, missing: &[(String, String)]) -> Report {
    let lacking: Vec<String> = missing.iter().map(|(name, why)| format!("{name} ({why})")).collect();
    let lacking = lacking.join(", ");
    match (nothing, missing.is_empty()) {
        (_, true) => Report::new(Outcome::Done, format!("{processes} processes described")),
        (false, false) => Report::new(Outcome::Done, format!("{processes} processes described; missing: {lacking}")),
        (true, false) => Report::new(Outcome::Failed, format!("nothing could be collected: {lacking}")),
    }
}

fn cut(id: &str, name: &str, bytes: &[u8], cut_bytes: u64) -> Vec<EvidenceChunk> {
    let count = bytes.len().div_ceil(CHUNK).max(1);
    (0..count)
        .map(|place| EvidenceChunk {
            order_id: id.into(),
            name: name.into(),
            offset: (place * CHUNK) as u64,
            content: bytes[place * CHUNK..((place + 1) * CHUNK).min(bytes.len())].to_vec(),
            last: place + 1 == count,
            cut_bytes: if place + 1 == count { cut_bytes } else { 0 },
        })
        .collect()
}

/// One part, or why it cannot be had here.
fn part(name: &str, processes: &[Rc<Process>], container: &ContainerHandle) -> Result<Value, String> {
    match name {
        "process-tree" => Ok(Value::Array(processes.iter().map(|process| describe(process)).collect())),
        "open-files" => Ok(Value::Array(processes.iter().map(|process| open_files(process.pid)).collect())),
        "connections" => Ok(connections(container.facts().pid)),
        "mounts" => Ok(json!(mounts(container.facts().pid)?)),
        "environment-names" => Ok(Value::Array(processes.iter().map(|process| environment(process.pid)).collect())),
        "file-system-diff" => difference(container.facts().pid),
        _ => Err("this sensor knows no such evidence".into()),
    }
}

fn mounts(pid: u32) -> Result<String, String> {
    fs::read_to_string(format!("/proc/{pid}/mountinfo")).map_err(|error| format!("its mounts cannot be read: {error}"))
}

fn describe(process: &Process) -> Value {
    let image = process.image();
    json!({
        "pid": process.pid, "namespacePid": process.namespace_pid, "startUs": process.start_us(),
        "parentPid": process.parent.borrow().as_ref().map(|parent| parent.pid), "name": image.name, "exe": image.exe,
        "arguments": image.arguments, "cwd": image.cwd, "uid": image.uid, "drifted": image.drifted, "inMemory": image.in_memory,
    })
}

fn open_files(pid: u32) -> Value {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let files: Vec<Value> = entries
        .map(|entry| json!({"fd": entry.file_name().to_string_lossy(), "target": fs::read_link(entry.path()).map(|target| text(target.as_os_str().as_bytes())).unwrap_or_default()}))
        .collect();
    json!({"pid": pid, "files": files})
}

fn connections(pid: u32) -> Value {
    let table = |name: &str| fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
    json!({"tcp": table("tcp"), "tcp6": table("tcp6"), "udp": table("udp"), "udp6": table("udp6"), "unix": table("unix")})
}

/// Names only: values are where passwords are.
fn environment(pid: u32) -> Value {
    let bytes = match patient::read(&format!("/proc/{pid}/environ"), ENVIRONMENT_LIMIT) {
        Ok(bytes) => bytes,
        // Its memory is on pages that do not answer, which is worth knowing.
        Err(error) => return json!({"pid": pid, "names": [], "missing": error.to_string()}),
    };
    let names: Vec<String> = bytes
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
        .map(|entry| text(entry.split(|byte| *byte == b'=').next().unwrap_or_default()))
        .collect();
    json!({"pid": pid, "names": names})
}

/// The writable layer of the container's root, from the options of its overlay mount.
fn upper_folder(mounts: &str) -> Option<PathBuf> {
    let line = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/") && line.contains(" - overlay "))?;
    let upper = line.rsplit(' ').next()?.split(',').find_map(|option| option.strip_prefix("upperdir="))?;
    Some(PathBuf::from(upper))
}

/// What the container added, changed or (as overlay's 0:0 devices) removed.
fn difference(pid: u32) -> Result<Value, String> {
    let upper = upper_folder(&mounts(pid)?).ok_or("the container's root is no overlay, so nothing tells its own files from the image's")?;
    let (mut entries, mut open, mut cut) = (Vec::new(), vec![upper.clone()], false);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entries.len() >= DIFF_ENTRIES_MAX {
                cut = true;
                break;
            }
            let Ok(meta) = fs::symlink_metadata(entry.path()) else { continue };
            if meta.is_dir() {
                open.push(entry.path());
            }
            entries.push(entry_value(&upper, &entry.path(), &meta));
        }
    }
    Ok(json!({"layer": upper.to_string_lossy(), "entries": entries, "cut": cut}))
}

fn entry_value(upper: &Path, path: &Path, meta: &fs::Metadata) -> Value {
    let inner = path.strip_prefix(upper).unwrap_or(path);
    let removed = meta.file_type().is_char_device() && meta.rdev() == 0;
    json!({
        "path": format!("/{}", text(inner.as_os_str().as_bytes())), "removed": removed, "mode": meta.mode(),
        "size": meta.size(), "uid": meta.uid(), "modifiedSeconds": meta.mtime(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_cut_into_chunks_and_says_what_is_missing() {
        let chunks = cut("o", "x", &vec![1; CHUNK + 5], 7);
        assert_eq!(
            chunks.iter().map(|chunk| (chunk.offset, chunk.content.len(), chunk.last, chunk.cut_bytes)).collect::<Vec<_>>(),
            [(0, CHUNK, false, 0), (CHUNK as u64, 5, true, 7)]
        );
        assert_eq!(cut("o", "x", &[], 0).len(), 1);
    }

    #[test]
    fn a_part_that_cannot_be_had_costs_only_itself() {
        let missing = [("file-system-diff".to_string(), "no overlay".to_string())];
        let some = conclude(2, false, &missing);
        assert_eq!((some.outcome, some.detail.as_str()), (Outcome::Done, "2 processes described; missing: file-system-diff (no overlay)"));
        assert_eq!(conclude(2, true, &missing).outcome, Outcome::Failed);
        assert_eq!(conclude(2, false, &[]).outcome, Outcome::Done);
    }

    #[test]
    fn the_writable_layer_is_found_where_the_root_is_an_overlay() {
        let overlay = "36 35 0:30 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/u/fs,workdir=/w\n";
        assert_eq!(upper_folder(overlay), Some(PathBuf::from("/u/fs")));
        assert_eq!(upper_folder("36 35 8:1 /root / rw - ext4 /dev/sda1 rw\n"), None);
    }

    #[test]
    fn environments_give_names_without_values() {
        let names = environment(std::process::id());
        assert!(names["names"].as_array().expect("list").iter().all(|name| !name.as_str().expect("text").contains('=')));
    }
}

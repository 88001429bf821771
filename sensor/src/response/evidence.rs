//! What is secured before anything is done to a container. Whoever made it what it is may have made it large: nothing is put together that
//! would have to be cut afterwards.
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Read, Write};
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
/// Of what is collected and not yet on its way, whatever an order allows. The sensor has 64 MiB, of which it uses 15; 16 may be in the queue
/// of the stream already, and the part at hand is there twice while it is cut into chunks.
pub const LIMIT: usize = 8 << 20;
/// Of one part, so that a container cannot fill the first ones and leave nothing for the others.
const PART_LIMIT: usize = 3 << 20;
/// With less room than this, an order of evidence is worth asking again later.
const ROOM_MIN: usize = 64 * 1024;
/// Of the list of mounts, for finding the container's root in it.
const MOUNTS_LIMIT: usize = 1 << 20;
const ENVIRONMENT_LIMIT: u64 = 1 << 20;
const DIFF_ENTRIES_MAX: usize = 100_000;
const EVERYTHING: [&str; 6] = ["process-tree", "open-files", "connections", "file-system-diff", "mounts", "environment-names"];

/// Text up to a bound: what would go beyond it is counted, and an error, so that whoever writes stops.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    cut: u64,
}

impl Bounded {
    fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, cut: 0 }
    }

    fn json(&mut self, value: &Value) -> io::Result<()> {
        Ok(serde_json::to_writer(self, value)?)
    }

    /// Values in brackets, each asked for only while there is room.
    fn list<Item>(
        &mut self,
        items: impl IntoIterator<Item = Item>,
        mut each: impl FnMut(&mut Self, Item) -> io::Result<()>,
    ) -> io::Result<()> {
        self.write_all(b"[")?;
        for (place, item) in items.into_iter().enumerate() {
            if place > 0 {
                self.write_all(b",")?;
            }
            each(self, item)?;
        }
        self.write_all(b"]")
    }

    /// A file as text, of which no more is read than there is room for.
    fn file(&mut self, path: &str) -> io::Result<()> {
        let bytes = first_bytes(path, self.limit - self.bytes.len() + 1).unwrap_or_default();
        self.json(&json!(String::from_utf8_lossy(&bytes)))
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.limit - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        if taken < bytes.len() {
            self.cut += (bytes.len() - taken) as u64;
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first bytes of what the kernel writes when it is asked, which says nothing of its size before.
fn first_bytes(path: &str, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Collects the parts that were asked for (all when none were) within the order's limit and `room`, which other evidence leaves.
pub fn collect(
    engine: &Engine,
    id: &str,
    order: &CollectEvidence,
    container: &Rc<ContainerHandle>,
    room: usize,
) -> (OrderResult, Vec<EvidenceChunk>) {
    if room < ROOM_MIN {
        let why = "evidence of earlier orders waits to be sent and there is no room for more; ask again when it has arrived";
        return (result(id, Report::new(Outcome::Failed, why)), Vec::new());
    }
    let inside = |process: &&Rc<Process>| process.container.borrow().as_ref().is_some_and(|own| Rc::ptr_eq(own, container));
    let mut processes: Vec<Rc<Process>> = engine.processes.all().filter(inside).cloned().collect();
    processes.sort_by_key(|process| process.start_ns);
    let names: Vec<&str> = if order.parts.is_empty() { EVERYTHING.to_vec() } else { order.parts.iter().map(String::as_str).collect() };
    let allowed = if order.limit_bytes == 0 { u64::MAX } else { order.limit_bytes };
    let mut left = room.min(LIMIT).min(usize::try_from(allowed).unwrap_or(usize::MAX));
    let (mut chunks, mut missing, mut sizes) = (Vec::new(), Vec::new(), serde_json::Map::new());
    for name in names {
        let mut out = Bounded::new(left.min(PART_LIMIT));
        if let Err(why) = part(name, &processes, container, &mut out) {
            missing.push((name.to_string(), why));
            continue;
        }
        left -= out.bytes.len();
        sizes.insert(name.into(), json!(out.bytes.len()));
        chunks.extend(cut(id, name, &out.bytes, out.cut));
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

/// Writes one part, or says why it cannot be had here. That there was no room for all of it, `out` knows.
fn part(name: &str, processes: &[Rc<Process>], container: &ContainerHandle, out: &mut Bounded) -> Result<(), String> {
    let pid = container.facts().pid;
    let written = match name {
        "process-tree" => out.list(processes, |out, process| out.json(&describe(process))),
        "open-files" => out.list(processes, |out, process| open_files(out, process.pid)),
        "connections" => connections(out, pid),
        "mounts" => {
            mounts(pid)?;
            out.file(&mounts_path(pid))
        }
        "environment-names" => out.list(processes, |out, process| environment(out, process.pid)),
        "file-system-diff" => {
            let mounts = mounts(pid)?;
            let upper =
                upper_folder(&mounts).ok_or("the container's root is no overlay, so nothing tells its own files from the image's")?;
            difference(out, &upper)
        }
        _ => return Err("this sensor knows no such evidence".into()),
    };
    match written {
        Err(error) if out.cut == 0 => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn mounts_path(pid: u32) -> String {
    format!("/proc/{pid}/mountinfo")
}

fn mounts(pid: u32) -> Result<String, String> {
    let bytes = first_bytes(&mounts_path(pid), MOUNTS_LIMIT).map_err(|error| format!("its mounts cannot be read: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn describe(process: &Process) -> Value {
    let image = process.image();
    json!({
        "pid": process.pid, "namespacePid": process.namespace_pid, "startUs": process.start_us(),
        "parentPid": process.parent.borrow().as_ref().map(|parent| parent.pid), "name": image.name, "exe": image.exe,
        "arguments": image.arguments, "cwd": image.cwd, "uid": image.uid, "drifted": image.drifted, "inMemory": image.in_memory,
    })
}

fn open_files(out: &mut Bounded, pid: u32) -> io::Result<()> {
    write!(out, "{{\"pid\":{pid},\"files\":")?;
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    out.list(entries, |out, entry| {
        let target = fs::read_link(entry.path()).map(|target| text(target.as_os_str().as_bytes())).unwrap_or_default();
        out.json(&json!({"fd": entry.file_name().to_string_lossy(), "target": target}))
    })?;
    out.write_all(b"}")
}

fn connections(out: &mut Bounded, pid: u32) -> io::Result<()> {
    for (name, before) in [("tcp", "{"), ("tcp6", ","), ("udp", ","), ("udp6", ","), ("unix", ",")] {
        write!(out, "{before}\"{name}\":")?;
        out.file(&format!("/proc/{pid}/net/{name}"))?;
    }
    out.write_all(b"}")
}

/// Names only: values are where passwords are.
fn environment(out: &mut Bounded, pid: u32) -> io::Result<()> {
    let bytes = match patient::read(&format!("/proc/{pid}/environ"), ENVIRONMENT_LIMIT) {
        Ok(bytes) => bytes,
        // Its memory is on pages that do not answer, which is worth knowing.
        Err(error) => return out.json(&json!({"pid": pid, "names": [], "missing": error.to_string()})),
    };
    write!(out, "{{\"pid\":{pid},\"names\":")?;
    let entries = bytes.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    out.list(entries, |out, entry| out.json(&json!(text(entry.split(|byte| *byte == b'=').next().unwrap_or_default()))))?;
    out.write_all(b"}")
}

/// The writable layer of the container's root, from the options of its overlay mount.
fn upper_folder(mounts: &str) -> Option<PathBuf> {
    let line = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/") && line.contains(" - overlay "))?;
    let upper = line.rsplit(' ').next()?.split(',').find_map(|option| option.strip_prefix("upperdir="))?;
    Some(PathBuf::from(upper))
}

/// What the container added, changed or (as overlay's 0:0 devices) removed.
fn difference(out: &mut Bounded, upper: &Path) -> io::Result<()> {
    out.write_all(b"{\"layer\":")?;
    out.json(&json!(upper.to_string_lossy()))?;
    out.write_all(b",\"entries\":")?;
    let mut looked = 0;
    out.list(Below::new(upper).take(DIFF_ENTRIES_MAX), |out, (path, meta)| {
        looked += 1;
        out.json(&entry_value(upper, &path, &meta))
    })?;
    write!(out, ",\"cut\":{}}}", looked == DIFF_ENTRIES_MAX)
}

/// Everything below a folder, looked at one by one. No more folders wait than there were entries.
struct Below {
    waiting: Vec<PathBuf>,
    open: Option<fs::ReadDir>,
}

impl Below {
    fn new(folder: &Path) -> Self {
        Self { waiting: vec![folder.into()], open: None }
    }
}

impl Iterator for Below {
    type Item = (PathBuf, fs::Metadata);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(entry) = self.open.as_mut().and_then(Iterator::next) else {
                self.open = fs::read_dir(self.waiting.pop()?).ok();
                continue;
            };
            let Ok(path) = entry.map(|entry| entry.path()) else { continue };
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            if meta.is_dir() {
                self.waiting.push(path.clone());
            }
            return Some((path, meta));
        }
    }
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
        let mut out = Bounded::new(LIMIT);
        environment(&mut out, std::process::id()).expect("room");
        let names: Value = serde_json::from_slice(&out.bytes).expect("JSON");
        assert!(names["names"].as_array().expect("list").iter().all(|name| !name.as_str().expect("text").contains('=')));
    }

    fn container() -> Rc<ContainerHandle> {
        let facts = crate::wire::Container { pid: std::process::id(), ..Default::default() };
        Rc::new(ContainerHandle {
            facts: std::cell::RefCell::new(Rc::new(facts)),
            cgroup_path: String::new(),
            cgroup_id: 0,
            described: std::cell::Cell::new(true),
            announced: std::cell::Cell::new(true),
            version: std::cell::Cell::new(0),
            root: std::cell::RefCell::new(None),
            users: std::cell::RefCell::default(),
        })
    }

    /// A container with this many processes, each with a megabyte of arguments.
    fn engine(processes: u32, container: &Rc<ContainerHandle>) -> Engine {
        let mut engine = Engine::default();
        for pid in 1..=processes {
            let body = crate::kernel::record::ForkBody { child_pid: pid, ..Default::default() };
            let process = engine.processes.forked(None, None, &body);
            process.set_image(crate::process::Image { arguments: vec!["a".repeat(1 << 20)], ..Default::default() });
            *process.container.borrow_mut() = Some(container.clone());
        }
        engine
    }

    #[test]
    fn what_is_collected_is_bounded_whatever_the_order_allows() {
        let container = container();
        let engine = engine(20, &container);
        let parts: Vec<String> = ["process-tree", "mounts", "process-tree", "process-tree", "process-tree"].map(String::from).to_vec();
        let order = CollectEvidence { parts, limit_bytes: u64::MAX, ..CollectEvidence::default() };
        let (result, chunks) = collect(&engine, "o", &order, &container, LIMIT);
        assert_eq!(result.outcome, Outcome::Done as i32);
        let size = |name: &str| chunks.iter().filter(|chunk| chunk.name == name).map(|chunk| chunk.content.len()).sum::<usize>();
        assert!(size("process-tree") + size("mounts") <= LIMIT);
        assert!(size("mounts") > 0, "the first part left nothing to the second");
        assert!(chunks.iter().any(|chunk| chunk.name == "process-tree" && chunk.last && chunk.cut_bytes > 0));
        assert!(chunks.iter().all(|chunk| chunk.name != "mounts" || chunk.cut_bytes == 0));
        // Others wait to be sent: there is less room, or none.
        let (_, chunks) = collect(&engine, "o", &order, &container, ROOM_MIN);
        assert!(chunks.iter().map(|chunk| chunk.content.len()).sum::<usize>() <= ROOM_MIN);
        let (result, chunks) = collect(&engine, "o", &order, &container, 0);
        assert_eq!((result.outcome, chunks.len()), (Outcome::Failed as i32, 0));
    }

    #[test]
    fn what_has_no_room_is_not_even_looked_at() {
        let mut looked = 0;
        let mut out = Bounded::new(100);
        out.list(0..1_000_000, |out, number| {
            looked += 1;
            out.json(&json!(number))
        })
        .expect_err("full");
        assert!((out.bytes.len(), looked < 100, out.cut > 0) == (100, true, true));
    }

    #[test]
    fn a_layer_of_many_files_is_walked_as_far_as_there_is_room() {
        let upper = std::env::temp_dir().join(format!("evidence-{}", std::process::id()));
        for folder in 0..10 {
            fs::create_dir_all(upper.join(format!("{folder}/below"))).expect("folder");
            for file in 0..20 {
                fs::write(upper.join(format!("{folder}/below/{file}")), "").expect("file");
            }
        }
        let mut out = Bounded::new(LIMIT);
        difference(&mut out, &upper).expect("room");
        let whole: Value = serde_json::from_slice(&out.bytes).expect("JSON");
        assert_eq!((whole["entries"].as_array().expect("list").len(), &whole["cut"]), (220, &json!(false)));
        let mut out = Bounded::new(1000);
        assert!(difference(&mut out, &upper).is_err());
        assert_eq!(out.bytes.len(), 1000);
        fs::remove_dir_all(upper).expect("clean");
    }
}

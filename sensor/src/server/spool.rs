//! A bounded ring of batches on disk. A batch is written before it is sent and forgotten when the server has stored it.
//!
//! Files hold consecutive batches: u32 length, u64 sequence, u32 events, then the batch. A torn end, as a crash leaves it, is cut off.
use prost::Message;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::identity::remove;
use crate::wire::EventBatch;

const SEGMENT_BYTES: u64 = 1 << 20;
const HEAD_BYTES: u64 = 16;
/// Bound on what is kept in memory while the disk takes nothing.
const MEMORY_LIMIT: u64 = 4 << 20;
/// Between what is found at a start and the next number. After a power cut the last appends and removals may be missing, so that the
/// server may have stored batches of which nothing is known here any more: a number that it knows it takes for the same batch again.
/// It takes any that is higher. More than a run ever gives, and little enough for two million starts within what a double counts.
const SKIP: u64 = 1 << 32;

#[derive(Debug)]
struct Entry {
    sequence: u64,
    events: u32,
    length: u32,
    /// Where it lies: a file and an offset, or here when the disk was full.
    segment: u64,
    offset: u64,
    memory: Option<Vec<u8>>,
}

/// What the bound threw away since it was asked last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Thrown {
    pub batches: u64,
    pub events: u64,
}

#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    pub epoch: String,
    next: u64,
    entries: VecDeque<Entry>,
    writer: Option<(u64, File, u64)>,
    pub limit: u64,
    bytes: u64,
    memory_bytes: u64,
    thrown: Thrown,
    /// Why the disk took nothing lately; empty when it did.
    pub trouble: String,
}

impl Spool {
    /// Opens the folder's spool, or begins a new one with an epoch of its own where nothing waits.
    pub fn open(folder: PathBuf, limit: u64) -> Result<Self, String> {
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut spool = Self {
            folder,
            epoch: String::new(),
            next: 1,
            entries: VecDeque::new(),
            writer: None,
            limit,
            bytes: 0,
            memory_bytes: 0,
            thrown: Thrown::default(),
            trouble: String::new(),
        };
        spool.recover();
        if spool.entries.is_empty() {
            spool.begin()?;
        }
        Ok(spool)
    }

    fn begin(&mut self) -> Result<(), String> {
        for segment in self.segments() {
            remove(&self.path(segment));
        }
        let mut random = [0u8; 16];
        File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut random)).map_err(|error| format!("random: {error}"))?;
        self.epoch = crate::ndjson::hexadecimal(&random);
        self.next = 1;
        let written = File::create(self.folder.join("epoch")).and_then(|mut file| {
            file.write_all(self.epoch.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| format!("{}: {error}", self.folder.display()))
    }

    fn path(&self, segment: u64) -> PathBuf {
        self.folder.join(format!("{segment:020}.batches"))
    }

    fn segments(&self) -> Vec<u64> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let number = |name: String| name.strip_suffix(".batches").and_then(|name| name.parse().ok());
        let mut segments: Vec<u64> = entries.filter_map(|entry| number(entry.file_name().to_string_lossy().into_owned())).collect();
        segments.sort_unstable();
        segments
    }

    /// Finds what an earlier run left.
    fn recover(&mut self) {
        self.epoch = fs::read_to_string(self.folder.join("epoch")).unwrap_or_default();
        if self.epoch.is_empty() {
            return;
        }
        for segment in self.segments() {
            let found = self.entries_of(segment);
            let Some(first) = found.first() else { continue };
            if self.read(first).is_some_and(|batch| batch.epoch != self.epoch) {
                // All of it was stored; it could not be removed then.
                remove(&self.path(segment));
                continue;
            }
            self.bytes += found.iter().map(|entry| HEAD_BYTES + u64::from(entry.length)).sum::<u64>();
            self.entries.extend(found);
        }
        if let Some(last) = self.entries.back() {
            self.next = last.sequence.saturating_add(SKIP);
        }
    }

    /// The batches of a file, as far as it is whole.
    fn entries_of(&self, segment: u64) -> Vec<Entry> {
        let mut found: Vec<Entry> = Vec::new();
        let Ok(mut file) = File::open(self.path(segment)) else { return found };
        let size = file.metadata().map_or(0, |meta| meta.len());
        let mut last = self.entries.back().map_or(0, |entry| entry.sequence);
        let mut offset = 0;
        let mut head = [0u8; HEAD_BYTES as usize];
        while file.seek(SeekFrom::Start(offset)).is_ok() && file.read_exact(&mut head).is_ok() {
            let (length, sequence, events) = parse_head(&head);
            if offset + HEAD_BYTES + u64::from(length) > size || sequence <= last {
                break;
            }
            last = sequence;
            found.push(Entry { sequence, events, length, segment, offset, memory: None });
            offset += HEAD_BYTES + u64::from(length);
        }
        found
    }

    pub fn bytes(&self) -> u64 {
        self.bytes + self.memory_bytes
    }

    /// Gives the batch its place in the sequence and keeps it. What must go to make room is counted.
    pub fn push(&mut self, mut batch: EventBatch) -> u64 {
        batch.epoch.clone_from(&self.epoch);
        batch.sequence = self.next;
        self.next += 1;
        let events = batch.events.iter().map(|event| event.count.max(1)).sum();
        let bytes = batch.encode_to_vec();
        let mut entry = Entry { sequence: batch.sequence, events, length: bytes.len() as u32, segment: 0, offset: 0, memory: None };
        match self.append(&entry, &bytes).or_else(|error| self.append_for_the_oldest(&entry, &bytes, error)) {
            Ok((segment, offset)) => {
                entry.segment = segment;
                entry.offset = offset;
                self.trouble.clear();
            }
            Err(error) => {
                self.trouble = error.to_string();
                self.writer = None;
                self.memory_bytes += bytes.len() as u64;
                entry.memory = Some(bytes);
            }
        }
        self.entries.push_back(entry);
        self.keep_bound();
        batch.sequence
    }

    fn append(&mut self, entry: &Entry, bytes: &[u8]) -> std::io::Result<(u64, u64)> {
        if self.writer.as_ref().is_none_or(|(_, _, size)| *size >= SEGMENT_BYTES) {
            let file = OpenOptions::new().create(true).truncate(true).write(true).open(self.path(entry.sequence))?;
            self.writer = Some((entry.sequence, file, 0));
        }
        let Some((segment, file, size)) = self.writer.as_mut() else { unreachable!("made above") };
        let mut record = Vec::with_capacity(bytes.len() + HEAD_BYTES as usize);
        record.extend(entry.length.to_le_bytes());
        record.extend(entry.sequence.to_le_bytes());
        record.extend(entry.events.to_le_bytes());
        record.extend(bytes);
        let offset = *size;
        if let Err(error) = file.write_all(&record) {
            // Half a record must not stay in front of the next one.
            file.set_len(offset)?;
            return Err(error);
        }
        *size += record.len() as u64;
        self.bytes += record.len() as u64;
        Ok((*segment, offset))
    }

    /// Where the disk is full and memory is too, the oldest file makes room on the disk: that one and no other, since whoever else writes
    /// there may have taken the room before it is used.
    fn append_for_the_oldest(&mut self, entry: &Entry, bytes: &[u8], error: std::io::Error) -> std::io::Result<(u64, u64)> {
        self.writer = None;
        let is_full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        let on_disk = self.entries.front().is_some_and(|oldest| oldest.memory.is_none());
        if !is_full || !on_disk || self.memory_bytes + bytes.len() as u64 <= MEMORY_LIMIT {
            return Err(error);
        }
        self.throw_front();
        self.append(entry, bytes)
    }

    fn keep_bound(&mut self) {
        while self.bytes > self.limit && !self.entries.is_empty() {
            self.throw_front();
        }
        while self.memory_bytes > MEMORY_LIMIT {
            // What lies on the disk costs no memory: to throw it away would gain nothing.
            let Some(place) = self.entries.iter().position(|entry| entry.memory.is_some()) else { return };
            if let Some(entry) = self.entries.remove(place) {
                self.throw(&entry);
            }
        }
    }

    /// Throws away the oldest file, or the oldest batch in memory.
    fn throw_front(&mut self) {
        let Some(oldest) = self.entries.pop_front() else { return };
        self.throw(&oldest);
        let same = |entry: &Entry| oldest.memory.is_none() && entry.memory.is_none() && entry.segment == oldest.segment;
        while let Some(entry) = self.entries.pop_front_if(|entry| same(entry)) {
            self.throw(&entry);
        }
    }

    fn throw(&mut self, entry: &Entry) {
        self.thrown.batches += 1;
        self.thrown.events += u64::from(entry.events);
        self.let_go(entry);
    }

    /// Gives back an entry's room, and its file's when it was the last in it.
    fn let_go(&mut self, entry: &Entry) {
        if let Some(memory) = &entry.memory {
            self.memory_bytes -= memory.len() as u64;
            return;
        }
        self.bytes = self.bytes.saturating_sub(HEAD_BYTES + u64::from(entry.length));
        let used = self.entries.iter().any(|other| other.segment == entry.segment && other.memory.is_none());
        if used {
            return;
        }
        if self.writer.as_ref().is_some_and(|(segment, _, _)| *segment == entry.segment) {
            self.writer = None;
        }
        remove(&self.path(entry.segment));
    }

    /// What the bound threw away since the last call.
    pub fn take_thrown(&mut self) -> Thrown {
        std::mem::take(&mut self.thrown)
    }

    /// The server has stored everything up to here.
    pub fn forget(&mut self, epoch: &str, sequence: u64) {
        if epoch != self.epoch {
            return;
        }
        while self.entries.front().is_some_and(|entry| entry.sequence <= sequence) {
            if let Some(entry) = self.entries.pop_front() {
                self.let_go(&entry);
            }
        }
    }

    /// How many kept batches there are up to `sequence`.
    pub fn up_to(&self, sequence: u64) -> usize {
        self.entries.partition_point(|entry| entry.sequence <= sequence)
    }

    /// The first kept batch after `sequence`; batches that cannot be read any more are counted as thrown away.
    pub fn after(&mut self, sequence: u64) -> Option<(u64, EventBatch)> {
        loop {
            let place = self.up_to(sequence);
            let entry = self.entries.get(place)?;
            if let Some(batch) = self.read(entry) {
                return Some((entry.sequence, batch));
            }
            let entry = self.entries.remove(place)?;
            self.throw(&entry);
        }
    }

    fn read(&self, entry: &Entry) -> Option<EventBatch> {
        if let Some(memory) = &entry.memory {
            return EventBatch::decode(memory.as_slice()).ok();
        }
        let mut file = File::open(self.path(entry.segment)).ok()?;
        file.seek(SeekFrom::Start(entry.offset + HEAD_BYTES)).ok()?;
        let mut bytes = vec![0; entry.length as usize];
        file.read_exact(&mut bytes).ok()?;
        EventBatch::decode(bytes.as_slice()).ok()
    }
}

fn parse_head(head: &[u8; HEAD_BYTES as usize]) -> (u32, u64, u32) {
    let [a, b, c, d, rest @ ..] = head;
    let mut sequence = [0; 8];
    sequence.copy_from_slice(&rest[..8]);
    let mut events = [0; 4];
    events.copy_from_slice(&rest[8..]);
    (u32::from_le_bytes([*a, *b, *c, *d]), u64::from_le_bytes(sequence), u32::from_le_bytes(events))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Event;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("spool-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    fn batch(size: usize) -> EventBatch {
        let event = Event { path: "x".repeat(size), count: 3, ..Event::default() };
        EventBatch { events: vec![event], ..EventBatch::default() }
    }

    fn kept(spool: &mut Spool) -> Vec<u64> {
        std::iter::successors(spool.after(0).map(|found| found.0), |last| spool.after(*last).map(|found| found.0)).collect()
    }

    fn segments_of(folder: &std::path::Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("folder").flatten().map(|entry| entry.path());
        let mut segments: Vec<PathBuf> = entries.filter(|path| path.extension().is_some()).collect();
        segments.sort();
        segments
    }

    #[test]
    fn numbers_that_the_server_may_have_stored_are_not_given_again_after_a_power_cut() {
        let folder = folder("cut");
        let mut spool = Spool::open(folder.clone(), 1 << 20).expect("open");
        let epoch = spool.epoch.clone();
        spool.push(batch(10));
        let segment = segments_of(&folder).remove(0);
        let on_disk = fs::read(&segment).expect("what reached the disk");
        for _ in 0..200 {
            spool.push(batch(10));
        }
        // Sent and stored; then the power fails: neither the last appends nor the removal had reached the disk.
        spool.forget(&epoch, 201);
        drop(spool);
        fs::write(&segment, on_disk).expect("back in time");
        let mut spool = Spool::open(folder.clone(), 1 << 20).expect("open again");
        assert_eq!((spool.epoch.clone(), kept(&mut spool)), (epoch, vec![1]));
        let next = spool.push(batch(10));
        assert!(next > 1_000_000, "batch {next} is stored already, as far as the server knows");
        // A second cut, before anything of the new run had been written, goes further still.
        drop(spool);
        assert!(Spool::open(folder.clone(), 1 << 20).expect("once more").push(batch(10)) > next + 1_000_000);
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn a_file_of_an_earlier_epoch_that_could_not_be_removed_is_not_taken_for_the_new_ones() {
        let folder = folder("left");
        let mut spool = Spool::open(folder.clone(), 1 << 20).expect("open");
        let epoch = spool.epoch.clone();
        spool.push(batch(10));
        spool.forget(&epoch, 1);
        spool.push(batch(10));
        let segment = segments_of(&folder).remove(0);
        let old = fs::read(&segment).expect("batches");
        spool.forget(&epoch, 2);
        drop(spool);
        let mut spool = Spool::open(folder.clone(), 1 << 20).expect("a new epoch");
        let first = spool.push(batch(1));
        drop(spool);
        fs::write(&segment, old).expect("it is there again");
        let mut spool = Spool::open(folder.clone(), 1 << 20).expect("open again");
        assert_eq!(kept(&mut spool), [first]);
        assert!(!segment.exists());
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn a_full_disk_costs_no_more_than_the_room_that_is_needed() {
        let folder = folder("room");
        fs::create_dir_all(&folder).expect("folder");
        let place = std::ffi::CString::new(folder.to_string_lossy().as_bytes()).expect("no zero in it");
        // SAFETY: zero-terminated texts.
        let mounted = unsafe { libc::mount(c"tmpfs".as_ptr(), place.as_ptr(), c"tmpfs".as_ptr(), 0, c"size=12m".as_ptr().cast()) };
        if mounted != 0 {
            return eprintln!("skipped: no file system can be mounted here ({})", std::io::Error::last_os_error());
        }
        let mut spool = Spool::open(folder.join("spool"), 64 << 20).expect("open");
        let mut pushed = 0;
        while spool.trouble.is_empty() {
            pushed = spool.push(batch(100_000));
            assert!(pushed < 200, "twelve megabytes are never full");
        }
        // What fits into memory, and a little more: the oldest file makes room for that.
        for _ in 0..48 {
            pushed = spool.push(batch(100_000));
        }
        let thrown = spool.take_thrown();
        assert!((1..=12).contains(&thrown.batches), "{} batches were thrown away", thrown.batches);
        let kept = kept(&mut spool);
        assert_eq!((kept.len() as u64 + thrown.batches, kept.last()), (pushed, Some(&pushed)));
        assert_eq!(spool.trouble, "", "there is room again");
        drop(spool);
        // SAFETY: a zero-terminated text.
        assert_eq!(unsafe { libc::umount2(place.as_ptr(), libc::MNT_DETACH) }, 0);
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn what_was_not_acknowledged_is_there_after_a_restart() {
        let folder = folder("restart");
        let mut spool = Spool::open(folder.clone(), 1 << 20).expect("open");
        let epoch = spool.epoch.clone();
        for _ in 0..3 {
            spool.push(batch(10));
        }
        spool.forget(&epoch, 1);
        spool.forget("another epoch", 3);
        drop(spool);
        // A crash in the middle of a write.
        let file = fs::read_dir(&folder).expect("dir").flatten().find(|entry| entry.path().extension().is_some()).expect("segment");
        OpenOptions::new().append(true).open(file.path()).expect("file").write_all(&[200, 0, 0, 0, 4, 0, 0]).expect("torn");
        let mut spool = Spool::open(folder.clone(), 1 << 20).expect("open again");
        assert_eq!(spool.epoch, epoch);
        assert_eq!(spool.after(1).expect("second").0, 2);
        let next = spool.push(batch(1));
        // The first is stored, but its file holds others: it comes back, and the server knows it.
        assert_eq!(kept(&mut spool), [1, 2, 3, next]);
        spool.forget(&epoch, next);
        assert_eq!((spool.bytes(), spool.after(0).is_none()), (0, true));
        drop(spool);
        assert_ne!(Spool::open(folder.clone(), 1).expect("empty").epoch, epoch);
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn the_bound_is_kept_and_every_loss_counted() {
        let folder = folder("bound");
        let mut spool = Spool::open(folder.clone(), 3 << 20).expect("open");
        for _ in 0..60 {
            spool.push(batch(100_000));
        }
        assert!(spool.bytes() <= 3 << 20);
        let thrown = spool.take_thrown();
        let mut left = 0;
        let mut last = 0;
        while let Some((sequence, _)) = spool.after(last) {
            last = sequence;
            left += 1;
        }
        assert_eq!((thrown.batches + left, thrown.events), (60, thrown.batches * 3));
        assert_eq!(spool.take_thrown(), Thrown::default());
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn a_disk_that_takes_nothing_does_not_stop_it() {
        let folder = folder("full");
        let mut spool = Spool::open(folder.clone(), 1 << 20).expect("open");
        fs::remove_dir_all(&folder).expect("the disk is gone");
        spool.push(batch(10));
        assert!(!spool.trouble.is_empty());
        assert_eq!(spool.after(0).expect("in memory").0, 1);
        for _ in 0..50 {
            spool.push(batch(100_000));
        }
        assert!(spool.bytes() <= MEMORY_LIMIT && spool.take_thrown().batches > 0);
    }

    #[test]
    fn a_disk_that_fills_up_costs_nothing_that_is_not_counted_and_is_used_again_when_it_has_room() {
        let folder = folder("tmpfs");
        fs::create_dir_all(&folder).expect("folder");
        let place = std::ffi::CString::new(folder.to_string_lossy().as_bytes()).expect("no zero in it");
        // SAFETY: zero-terminated texts.
        let mounted = unsafe { libc::mount(c"tmpfs".as_ptr(), place.as_ptr(), c"tmpfs".as_ptr(), 0, c"size=3m".as_ptr().cast()) };
        if mounted != 0 {
            return eprintln!("skipped: no file system can be mounted here ({})", std::io::Error::last_os_error());
        }
        fs::write(folder.join("somebody else's"), vec![1; 1 << 20]).expect("it fits");
        let mut spool = Spool::open(folder.join("spool"), 64 << 20).expect("open");
        let mut pushed = 0;
        while spool.trouble.is_empty() {
            pushed = spool.push(batch(100_000));
            assert!(pushed < 100, "three megabytes are never full");
        }
        assert!(spool.trouble.contains("No space left"), "{}", spool.trouble);
        for _ in 0..5 {
            pushed = spool.push(batch(100_000));
        }
        fs::remove_file(folder.join("somebody else's")).expect("room again");
        pushed = spool.push(batch(100_000)).max(pushed);
        assert_eq!(spool.trouble, "");
        let mut kept = Vec::new();
        while let Some((sequence, _)) = spool.after(kept.last().copied().unwrap_or(0)) {
            kept.push(sequence);
        }
        let thrown = spool.take_thrown();
        assert_eq!(kept.len() as u64 + thrown.batches, pushed);
        assert_eq!((kept.last(), thrown.events), (Some(&pushed), thrown.batches * 3));
        drop(spool);
        // SAFETY: a zero-terminated text.
        assert_eq!(unsafe { libc::umount2(place.as_ptr(), libc::MNT_DETACH) }, 0);
        fs::remove_dir_all(folder).expect("clean");
    }
}

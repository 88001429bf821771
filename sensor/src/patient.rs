//! Reads that may never end: what /proc tells of a process's own memory lies in pages that the process may have put on a file system of
//! its own (FUSE) or behind userfaultfd. A thread of its own waits for it, for a moment.
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A page that is in memory is there in microseconds, one on a disk in milliseconds.
pub const PATIENCE: Duration = Duration::from_millis(200);
/// Threads that may wait for ever; with more, nothing is read any more until one of them comes back.
const STUCK_MAX: usize = 4;
const STACK_BYTES: usize = 64 * 1024;

/// Whether somebody still waited for what came of it.
type Job = Box<dyn FnOnce() -> bool + Send>;

static STUCK: AtomicUsize = AtomicUsize::new(0);
static READER: Mutex<Option<Sender<Job>>> = Mutex::new(None);

/// The first `limit` bytes of a file; an error of kind `TimedOut` when it does not answer.
pub fn read(path: &str, limit: u64) -> std::io::Result<Vec<u8>> {
    let path = path.to_string();
    wait(PATIENCE, move || {
        let mut bytes = Vec::new();
        std::fs::File::open(&path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// What comes of work that may never end; an error of kind `TimedOut` when it does not within `patience`.
pub fn wait<Answer: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> std::io::Result<Answer> + Send + 'static,
) -> std::io::Result<Answer> {
    let mut reader = READER.lock().unwrap_or_else(PoisonError::into_inner);
    if STUCK.load(Ordering::SeqCst) >= STUCK_MAX {
        return Err(std::io::ErrorKind::TimedOut.into());
    }
    let (answer, answered) = channel();
    // Set by whoever is first: the work that is done, or who waited long enough.
    let settled = Arc::new(AtomicBool::new(false));
    let ours = Arc::clone(&settled);
    let job: Job = Box::new(move || {
        let done = work();
        let waited_for = !ours.swap(true, Ordering::SeqCst);
        // Who waits is there until it has this.
        drop(answer.send(done));
        waited_for
    });
    let sender = match reader.take() {
        Some(sender) => sender,
        None => begin()?,
    };
    // A reader that ended takes nothing: the answer's channel says so at once.
    drop(sender.send(job));
    let answered = match answered.recv_timeout(patience) {
        Err(RecvTimeoutError::Timeout) => {
            // Left alone: it ends when its work does, if ever. The next one gets a thread of its own.
            STUCK.fetch_add(1, Ordering::SeqCst);
            if !settled.swap(true, Ordering::SeqCst) {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            // It was done at this very moment.
            STUCK.fetch_sub(1, Ordering::SeqCst);
            answered.recv().ok()
        }
        other => other.ok(),
    };
    let Some(done) = answered else { return Err(std::io::ErrorKind::TimedOut.into()) };
    *reader = Some(sender);
    done
}

fn begin() -> std::io::Result<Sender<Job>> {
    let (sender, jobs) = channel();
    std::thread::Builder::new().name("patient-reader".into()).stack_size(STACK_BYTES).spawn(move || work(&jobs))?;
    Ok(sender)
}

fn work(jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        if !job() {
            // Nobody waited that long.
            STUCK.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::time::Instant;

    /// Both count what is stuck.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn work_that_ends_as_its_time_does_takes_no_thread_for_good() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = Duration::from_millis(2);
        for round in 0u32..400 {
            // Around the very moment at which patience ends, on either side of it.
            let length = patience - Duration::from_micros(400) + Duration::from_micros(u64::from(round) * 2);
            let _ = wait(patience, move || {
                let began = Instant::now();
                while began.elapsed() < length {
                    std::hint::spin_loop();
                }
                Ok(round)
            })
            .map(|answer| assert_eq!(answer, round));
        }
        let began = Instant::now();
        while STUCK.load(Ordering::SeqCst) > 0 && began.elapsed() < PATIENCE * 50 {
            std::thread::yield_now();
        }
        assert_eq!(STUCK.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_never_answers_holds_nobody_up_and_the_next_read_is_answered() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let place = std::env::temp_dir().join(format!("patient-{}", std::process::id()));
        let name = CString::new(place.to_string_lossy().as_bytes()).expect("no zero in it");
        // A pipe that nobody writes to never opens, as a page that nobody fills is never read.
        // SAFETY: a zero-terminated path.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        for _ in 0..2 {
            let began = Instant::now();
            let error = read(&place.to_string_lossy(), 10).expect_err("nobody writes");
            assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
            assert!(began.elapsed() < PATIENCE * 10);
            assert_eq!(read("/proc/self/comm", 4).expect("answered").len(), 4);
        }
        assert_eq!(STUCK.load(Ordering::Relaxed), 2);
        // Somebody opens the other end: both come back.
        let other = std::fs::OpenOptions::new().write(true).open(&place).expect("opened");
        drop(other);
        let began = Instant::now();
        while STUCK.load(Ordering::Relaxed) > 0 && began.elapsed() < PATIENCE * 50 {
            std::thread::yield_now();
        }
        assert_eq!(STUCK.load(Ordering::Relaxed), 0);
        std::fs::remove_file(place).expect("clean");
    }
}

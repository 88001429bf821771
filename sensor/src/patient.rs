//! Reads that may never end: what /proc tells of a process's own memory lies in pages that the process may have put on a file system of
//! its own (FUSE) or behind userfaultfd. A thread of its own waits for it, for a moment.
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A page that is in memory is there in microseconds, one on a disk in milliseconds.
const PATIENCE: Duration = Duration::from_millis(200);
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
    wait(move || {
        let mut bytes = Vec::new();
        std::fs::File::open(&path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// What comes of work that may never end; an error of kind `TimedOut` when it does not.
pub fn wait<Answer: Send + 'static>(work: impl FnOnce() -> std::io::Result<Answer> + Send + 'static) -> std::io::Result<Answer> {
    let mut reader = READER.lock().unwrap_or_else(PoisonError::into_inner);
    if STUCK.load(Ordering::Relaxed) >= STUCK_MAX {
        return Err(std::io::ErrorKind::TimedOut.into());
    }
    let (answer, answered) = channel();
    let job: Job = Box::new(move || answer.send(work()).is_ok());
    let sender = match reader.take() {
        Some(sender) => sender,
        None => begin()?,
    };
    // A reader that ended takes nothing: the answer's channel says so at once.
    drop(sender.send(job));
    match answered.recv_timeout(PATIENCE) {
        Ok(done) => {
            *reader = Some(sender);
            done
        }
        Err(_) => {
            // Left alone: it ends when its work does, if ever. The next one gets a thread of its own.
            STUCK.fetch_add(1, Ordering::Relaxed);
            Err(std::io::ErrorKind::TimedOut.into())
        }
    }
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
            STUCK.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::time::Instant;

    #[test]
    fn what_never_answers_holds_nobody_up_and_the_next_read_is_answered() {
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

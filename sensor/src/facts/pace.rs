//! Gathering must not be felt on the node: it yields until its share of a processor is small again, and ends by itself.
use std::time::{Duration, Instant};

/// Of one core, over the whole run.
const CPU_SHARE: f64 = 0.014;
/// What is not read by then stays unread.
const DEADLINE: Duration = Duration::from_millis(4_200);
/// Pauses shorter than this cost more than they give.
const WORTH_A_PAUSE: Duration = Duration::from_millis(5);

pub struct Pace {
    began: Instant,
    cpu_at_start: Duration,
}

impl Pace {
    /// Begins to count; the calling thread gives way to everything else from now on.
    pub fn begin() -> Self {
        lower_priority();
        Self { began: Instant::now(), cpu_at_start: thread_cpu() }
    }

    pub fn cpu(&self) -> Duration {
        thread_cpu().saturating_sub(self.cpu_at_start)
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits until the share is kept. Whether there is time left.
    pub fn breathe(&self) -> bool {
        let due = self.cpu().div_f64(CPU_SHARE).min(DEADLINE);
        let early = due.saturating_sub(self.elapsed());
        if early > WORTH_A_PAUSE {
            std::thread::sleep(early);
        }
        self.elapsed() < DEADLINE
    }
}

fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a struct of the kind that the call fills.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// The nicest there is, for processor and disk; a kernel that refuses changes nothing about the share that is kept.
fn lower_priority() {
    const IOPRIO_WHO_PROCESS: i32 = 1;
    const IDLE_CLASS: i32 = 3 << 13;
    // SAFETY: calls on the own thread (0), without pointers.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 19);
        libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IDLE_CLASS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_followed_by_rest_so_that_the_share_is_kept() {
        let pace = std::thread::spawn(|| {
            let pace = Pace::begin();
            let mut sum = 0u64;
            while pace.cpu() < Duration::from_millis(10) {
                sum = std::hint::black_box(sum + 1);
            }
            assert!(pace.breathe());
            pace.elapsed()
        });
        assert!(pace.join().expect("no panic") >= Duration::from_millis(500));
    }
}

//! Boot time, which the kernel half stamps, and wall time, which the contract speaks.
use std::time::{SystemTime, UNIX_EPOCH};

pub fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

pub fn boot_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid struct for the call to fill.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Wall time of events: follows a clock that is set, but never goes back.
#[derive(Debug, Default)]
pub struct Clock {
    offset_us: i64,
    last_us: i64,
}

impl Clock {
    /// To be called now and then, so that a step of the wall clock is followed.
    pub fn refresh(&mut self) {
        self.offset_us = now_us() - (boot_ns() / 1000) as i64;
    }

    pub fn wall_us(&mut self, boot_ns: u64) -> i64 {
        self.last_us = self.last_us.max((boot_ns / 1000) as i64 + self.offset_us);
        self.last_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let mut clock = Clock { offset_us: 1000, last_us: 0 };
        let first = clock.wall_us(5_000_000);
        clock.offset_us = -1000;
        assert!(clock.wall_us(5_000_000) >= first);
    }
}

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
        self.follow(now_us(), boot_ns());
    }

    fn follow(&mut self, wall_us: i64, boot_ns: u64) {
        self.offset_us = wall_us - (boot_ns / 1000) as i64;
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
    fn a_step_forward_is_followed_and_a_step_back_is_waited_out() {
        const HOUR_US: i64 = 3_600_000_000;
        let second = |number: u64| number * 1_000_000_000;
        let mut clock = Clock::default();
        clock.follow(HOUR_US, second(1));
        assert_eq!(clock.wall_us(second(1)), HOUR_US);
        clock.follow(3 * HOUR_US, second(2));
        assert_eq!(clock.wall_us(second(2)), 3 * HOUR_US);
        // Somebody sets the clock back by an hour: times stand still, in order, until the clock is there again.
        clock.follow(2 * HOUR_US, second(3));
        let stopped: Vec<i64> = (3..10).map(|number| clock.wall_us(second(number))).collect();
        assert!(stopped.iter().all(|time| *time == 3 * HOUR_US), "{stopped:?}");
        assert_eq!(clock.wall_us(second(3 + 3600 + 5)), 3 * HOUR_US + 5_000_000);
    }

    #[test]
    fn time_never_goes_back() {
        let mut clock = Clock { offset_us: 1000, last_us: 0 };
        let first = clock.wall_us(5_000_000);
        clock.offset_us = -1000;
        assert!(clock.wall_us(5_000_000) >= first);
    }
}

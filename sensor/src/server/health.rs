//! How the sensor itself is.
use std::fs;

use crate::clock;

/// Reads /proc/self/statm; in bytes.
pub fn resident_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|field| field.parse().ok()).unwrap_or_default();
    pages * 4096
}

/// Processor time of this process so far, in nanoseconds.
fn used_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid struct for the call to fill.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Share of one core since it was asked last.
#[derive(Debug)]
pub struct CpuMeter {
    used_ns: u64,
    at_ns: u64,
}

impl CpuMeter {
    pub fn new() -> Self {
        Self { used_ns: used_ns(), at_ns: clock::boot_ns() }
    }

    pub fn share(&mut self) -> f64 {
        let (used, at) = (used_ns(), clock::boot_ns());
        let share = (used - self.used_ns) as f64 / (at - self.at_ns).max(1) as f64;
        (self.used_ns, self.at_ns) = (used, at);
        share
    }
}

/// Steps of giving up detail, each held for a while before the next is taken or left.
#[derive(Debug, Default)]
pub struct Degradation {
    pub step: u32,
    pub reason: String,
    over: u32,
    under: u32,
}

/// Seconds over the budget before a step is taken, and under two thirds of it before one is left.
const STEP_AFTER: u32 = 3;
const BACK_AFTER: u32 = 15;

impl Degradation {
    /// To be called each second; true when the step changed.
    pub fn judge(&mut self, share: f64, budget: f64) -> bool {
        if budget <= 0.0 {
            return false;
        }
        self.over = if share > budget { self.over + 1 } else { 0 };
        self.under = if share < budget * 0.67 { self.under + 1 } else { 0 };
        if self.over >= STEP_AFTER && self.step < 2 {
            self.step += 1;
            self.reason = format!("{:.0} % of a core for {STEP_AFTER} s, allowed are {:.0} %", share * 100.0, budget * 100.0);
            self.over = 0;
            return true;
        }
        if self.under >= BACK_AFTER && self.step > 0 {
            self.step -= 1;
            self.under = 0;
            if self.step == 0 {
                self.reason.clear();
            }
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_taken_one_by_one_and_left_again() {
        let mut degradation = Degradation::default();
        let steps: Vec<u32> = (0..8)
            .map(|_| {
                degradation.judge(0.5, 0.1);
                degradation.step
            })
            .collect();
        assert_eq!(steps, [0, 0, 1, 1, 1, 2, 2, 2]);
        for _ in 0..BACK_AFTER * 2 {
            degradation.judge(0.01, 0.1);
        }
        assert_eq!((degradation.step, degradation.reason.as_str()), (0, ""));
        assert!(!degradation.judge(9.0, 0.0));
    }
}

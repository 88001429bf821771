//! One run at a time; a thread that never comes back keeps others from being lost in the same place.
use std::sync::atomic::{AtomicBool, Ordering};

static BUSY: AtomicBool = AtomicBool::new(false);

pub struct Busy(());

impl Busy {
    pub fn take() -> Option<Self> {
        (!BUSY.swap(true, Ordering::AcqRel)).then_some(Self(()))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.store(false, Ordering::Release);
    }
}

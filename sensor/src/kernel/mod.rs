//! The kernel half: loading it, telling it what to look at, reading what it hands over.
pub mod calls;
pub mod counters;
pub mod hooks;
pub mod load;
pub mod record;
pub mod select;

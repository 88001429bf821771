//! The sensor on this machine's kernel: real containers, real programs, one sensor at a time.
mod harness;
mod hostile;
mod seen;
mod selected;
mod stopped;

//! Settings and ports of the network are those of the node, not of a container that the sensor may run in: the calling thread enters the
//! first process's network for what is read or written there.
use std::fs::{self, File};
use std::os::fd::AsRawFd;

/// Enters it, where it is another one. An error means that what would be read is not the node's.
pub fn enter() -> Result<(), String> {
    let of = |who: &str| fs::read_link(format!("/proc/{who}/ns/net"));
    // A first process that does not let itself be looked at is one of a machine on which the sensor runs by itself.
    let (Ok(first), Ok(own)) = (of("1"), of("thread-self")) else { return Ok(()) };
    if first == own {
        return Ok(());
    }
    let file = File::open("/proc/1/ns/net").map_err(|error| error.to_string())?;
    // SAFETY: an open descriptor of a namespace; only the calling thread moves.
    match unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) } {
        0 => Ok(()),
        _ => Err(format!("the node's network cannot be looked at: {}", std::io::Error::last_os_error())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_in_another_network_comes_back_to_the_nodes() {
        let done = std::thread::spawn(|| {
            // SAFETY: a call without pointers.
            if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 || fs::read_link("/proc/1/ns/net").is_err() {
                eprintln!("skipped: no network namespace can be made here");
                return;
            }
            let own = || fs::read_link("/proc/thread-self/ns/net").expect("own");
            let other = own();
            enter().expect("entered");
            assert!(own() != other && own() == fs::read_link("/proc/1/ns/net").expect("first"));
        });
        done.join().expect("no panic");
    }
}

//! What the server is told about this node.
use std::collections::HashMap;
use std::fs;
use std::net::UdpSocket;

use crate::wire::Node;

fn line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_string()
}

/// os-release(5).
fn parse_release(text: &str) -> HashMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_string(), value.trim_matches(['"', '\'']).to_string()))
        .collect()
}

fn memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:")).and_then(|rest| rest.trim().strip_suffix("kB"));
    kilobytes.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// Addresses that packets to elsewhere would carry; no packet is sent to find out.
fn addresses() -> Vec<String> {
    [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")]
        .iter()
        .filter_map(|(local, far)| {
            let socket = UdpSocket::bind(local).ok()?;
            socket.connect(far).ok()?;
            Some(socket.local_addr().ok()?.ip().to_string())
        })
        .collect()
}

pub fn describe() -> Node {
    let release = parse_release(&fs::read_to_string("/etc/os-release").unwrap_or_default());
    let of = |key: &str| release.get(key).cloned().unwrap_or_default();
    Node {
        hostname: line("/proc/sys/kernel/hostname"),
        machine_id: line("/etc/machine-id"),
        boot_id: line("/proc/sys/kernel/random/boot_id"),
        kernel_release: line("/proc/sys/kernel/osrelease"),
        architecture: std::env::consts::ARCH.into(),
        os_id: of("ID"),
        os_version: of("VERSION_ID"),
        os_name: of("PRETTY_NAME"),
        cpus: std::thread::available_parallelism().map_or(1, |count| count.get() as u32),
        memory_bytes: memory_bytes(),
        sensor_version: env!("CARGO_PKG_VERSION").into(),
        kubernetes_node: std::env::var("NODE_NAME").unwrap_or_default(),
        addresses: addresses(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_of_os_release_are_left_out() {
        let release = parse_release("ID=debian\nPRETTY_NAME=\"Debian 12\"\nbroken\n");
        assert_eq!((release["ID"].as_str(), release["PRETTY_NAME"].as_str()), ("debian", "Debian 12"));
    }
}

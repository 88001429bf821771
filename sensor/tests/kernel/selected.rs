//! What the policy does not ask for costs nothing, and what it asks for is not missed for that.
use crate::harness;
use crate::needs_kernel;

use std::io::Read;
use std::net::{TcpListener, UdpSocket};

const NAMES: &str = r#"{"selections":[{"type":"dns","fromContainers":true}]}"#;
/// An address of this machine's own that no resolver listens on.
const RESOLVER: &str = "127.0.0.77";

#[test]
fn the_first_name_that_a_container_asks_for_is_seen() {
    needs_kernel!();
    let resolver = UdpSocket::bind((RESOLVER, 53)).expect("port 53");
    let running = harness::start("first-name", NAMES);
    let name = format!("first-name-{}", std::process::id());
    // Answers as late as a resolver on a network does at worst: the question is over before anybody looks at packets.
    let answer = std::thread::spawn(move || {
        let mut buffer = [0; 512];
        let (length, from) = resolver.recv_from(&mut buffer).expect("a question");
        std::thread::sleep(std::time::Duration::from_millis(200));
        buffer[2] |= 0x80;
        resolver.send_to(&buffer[..length], from).expect("answered");
    });
    harness::container_with(&running, &name, &format!("nslookup -type=a first.example {RESOLVER}"), harness::host_network);
    answer.join().expect("resolver");
    let seen = running.stop();
    assert_eq!(seen.lost("dns"), 0);
    let ours = |event: &serde_json::Value| event["container"]["id"] == name.as_str() && event["dnsName"] == "first.example";
    let question = seen.find("dns", |event| ours(event) && event["detail"] == "question");
    assert_eq!((&question["process"]["name"], &question["remoteAddress"]), (&"nslookup".into(), &RESOLVER.into()));
    seen.find("dns", |event| ours(event) && event["detail"] == "answer");
}

#[test]
fn a_name_that_is_asked_for_over_tcp_is_seen() {
    needs_kernel!();
    let resolver = TcpListener::bind((RESOLVER, 53)).expect("port 53");
    let running = harness::start("tcp-name", NAMES);
    let name = format!("tcp-name-{}", std::process::id());
    let answer = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut far, _) = resolver.accept().expect("a connection");
            let mut question = [0; 31];
            far.read_exact(&mut question).expect("a question");
            question[4] |= 0x80;
            std::io::Write::write_all(&mut far, &question).expect("answered");
        }
    });
    // RFC 1035 section 4.2.2: the length in front. The second time the packets themselves are looked at.
    let ask = |letter: &str| {
        format!(
            "printf '\\000\\035\\000\\007\\001\\000\\000\\001\\000\\000\\000\\000\\000\\000\\003tc{letter}\\007example\\000\\000\\020\\000\\001' | nc {RESOLVER} 53 >/dev/null"
        )
    };
    harness::container_with(&running, &name, &format!("{}; sleep 0.3; {}", ask("a"), ask("b")), harness::host_network);
    answer.join().expect("resolver");
    let seen = running.stop();
    for asked in ["tca.example", "tcb.example"] {
        let of = |event: &serde_json::Value, detail: &str| {
            event["container"]["id"] == name.as_str() && event["dnsName"] == asked && event["detail"] == detail
        };
        let question = seen.find("dns", |event| of(event, "question"));
        assert_eq!((&question["protocol"], &question["dnsType"]), (&"tcp".into(), &"TXT".into()));
        // The first answer came before anybody could look at packets.
        if asked == "tcb.example" {
            seen.find("dns", |event| of(event, "answer"));
        }
    }
}

#[test]
fn a_path_that_was_harmless_is_looked_at_again_when_something_moved() {
    needs_kernel!();
    let policy =
        r#"{"selections":[{"type":"open","fromContainers":true,"reads":true,"paths":[{"kind":"prefix","value":"/etc/secret/"}]}]}"#;
    let running = harness::start("moved", policy);
    let name = format!("moved-{}", std::process::id());
    let script = "mkdir -p /tmp/a/b; echo x > /tmp/a/b/f; echo y > /tmp/a/b/other;
        cat /tmp/a/b/f /tmp/a/b/f; mv /tmp/a /etc/secret; cat /etc/secret/b/f; cat /etc/secret/b/f; mv /etc/secret /tmp/a; cat /tmp/a/b/other";
    harness::container(&running, &name, script);
    let seen = running.stop();
    let ours = |event: &&serde_json::Value| event["container"]["id"] == name.as_str();
    let opened: Vec<&str> = seen.of("open").filter(ours).filter_map(|event| event["path"].as_str()).collect();
    let times: u64 = seen.of("open").filter(ours).filter_map(|event| event["count"].as_u64()).sum();
    assert!(opened.iter().all(|path| *path == "/etc/secret/b/f"), "{opened:?}");
    assert_eq!(times, 2);
}

#[test]
fn calls_that_nobody_asked_for_are_not_looked_at() {
    needs_kernel!();
    let running = harness::start("quiet", r#"{"selections":[{"type":"execve","fromContainers":true,"fromHost":true}]}"#);
    // proc(5), /proc/PID/fdinfo: what the sensor's links are attached to.
    let links = std::fs::read_dir(format!("/proc/{}/fdinfo", running.pid())).expect("fdinfo");
    let attached: String = links.flatten().filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).collect();
    let seen = running.stop();
    assert!(seen.counts["seen"]["open"].is_null(), "{}", seen.counts);
    assert!(attached.contains("sched_process_exec") && !attached.contains("sys_exit"), "{attached}");
}

//! What is stopped, and what is never lost without a word.
use crate::harness;
use crate::needs_kernel;

use std::fs;
use std::process::{Command, Stdio};

#[test]
fn a_forbidden_program_ends_before_its_first_instruction() {
    needs_kernel!();
    let policy = r#"{"blocks":[
        {"id":"names","scope":{"host":true},"exec":{"names":["forbidden-tool"]}},
        {"id":"drift","scope":{},"exec":{"paths":[{"kind":"prefix","value":"/tmp/dropped/"}]}},
        {"id":"call","scope":{},"syscall":{"calls":["unshare"]}}]}"#;
    let running = harness::start("blocks", policy);
    let (tool, mark) = (running.folder.join("forbidden-tool"), running.folder.join("mark"));
    fs::copy("/bin/touch", &tool).expect("copied");
    let status = Command::new(&tool).arg(&mark).status().expect("started");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    assert!(!mark.exists(), "it got as far as to make a file");
    let name = format!("blocks-{}", std::process::id());
    let said = harness::container(
        &running,
        &name,
        "mkdir /tmp/dropped; cp /bin/busybox /tmp/dropped/sh; /tmp/dropped/sh -c true; echo $?; unshare -U true; echo $?; echo alive",
    );
    assert_eq!(said.lines().collect::<Vec<_>>(), ["137", "137", "alive"]);
    let seen = running.stop();
    seen.find("blocked", |event| event["blockId"] == "names" && event["container"].is_null());
    seen.find("blocked", |event| {
        event["blockId"] == "drift" && event["path"] == "/tmp/dropped/sh" && event["container"]["id"] == name.as_str()
    });
    seen.find("blocked", |event| event["blockId"] == "call" && event["detail"] == "unshare");
}

#[test]
fn a_forbidden_connection_is_refused_and_its_neighbour_is_not() {
    needs_kernel!();
    let policy = r#"{"blocks":[{"id":"net","scope":{"host":true},"connect":{"networks":["127.0.0.0/8"],"ports":[7771,7772],"except":["127.0.0.2"]}}]}"#;
    let running = harness::start("connect", policy);
    let error = |address: &str| std::net::TcpStream::connect(address).expect_err("nobody listens").raw_os_error();
    assert_eq!(error("127.0.0.1:7771"), Some(libc::EPERM));
    assert_eq!(error("127.0.0.1:7773"), Some(libc::ECONNREFUSED));
    assert_eq!(error("127.0.0.2:7771"), Some(libc::ECONNREFUSED));
    let seen = running.stop();
    let blocked = seen.find("blocked", |event| event["blockId"] == "net");
    assert_eq!((&blocked["remoteAddress"], &blocked["remotePort"]), (&"127.0.0.1".into(), &7771.into()));
}

#[test]
fn a_forbidden_file_stays_shut_by_whatever_name_it_is_opened() {
    needs_kernel!();
    let policy = r#"{"blocks":[
        {"id":"secret","scope":{},"file":{"paths":[{"kind":"exact","value":"/etc/shadow"}],"reads":true,"writes":true}},
        {"id":"config","scope":{},"file":{"paths":[{"kind":"prefix","value":"/etc/"}],"writes":true}}]}"#;
    let running = harness::start("files", policy);
    let name = format!("files-{}", std::process::id());
    let said = harness::container(
        &running,
        &name,
        // On a busy machine the first program may be quicker than the sensor by some milliseconds.
        "n=0; while cat /etc/shadow > /dev/null 2>&1 && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.02; done; cat /etc/shadow; echo $?; ln -s /etc/shadow /tmp/s; cat /proc/self/root/tmp/s; echo $?; touch /tmp/fine; echo $?; ls /etc > /dev/null; echo $?; echo x > /etc/new; echo $?; sleep 0.2",
    );
    assert_eq!(said.lines().collect::<Vec<_>>(), ["1", "1", "0", "0", "1"]);
    assert!(fs::read("/etc/shadow").is_ok(), "the host is none of the block's business");
    let seen = running.stop();
    seen.find("blocked", |event| {
        event["blockId"] == "secret" && event["path"] == "/etc/shadow" && event["container"]["id"] == name.as_str()
    });
    seen.find("blocked", |event| event["blockId"] == "config" && event["process"]["name"] == "sh");
}

const EXEC_ONLY: &str = r#"{"selections":[{"type":"execve","fromContainers":true,"fromHost":true}]}"#;

/// Programs that were started with this argument.
fn started(seen: &harness::Seen, argument: &str) -> u64 {
    let is_ours = |event: &&serde_json::Value| event["process"]["arguments"][1] == argument;
    seen.of("execve").filter(is_ours).map(|event| event["count"].as_u64().unwrap_or(1)).sum()
}

fn storm(count: usize, argument: &str) {
    for _ in 0..count {
        let status = Command::new("/usr/bin/busybox").args([argument, "true"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.is_ok());
    }
}

#[test]
fn a_storm_of_programs_is_seen_or_counted() {
    needs_kernel!();
    let running = harness::start("storm", EXEC_ONLY);
    storm(5000, "storm");
    let seen = running.stop();
    assert_eq!(started(&seen, "storm") + seen.lost("execve"), 5000);
    assert_eq!(seen.lost("execve"), 0, "the buffer was large enough");
    assert_eq!(seen.counts["torn"], 0);
}

#[test]
fn what_does_not_fit_into_the_buffer_is_counted_to_the_last() {
    needs_kernel!();
    let running = harness::start("overrun", EXEC_ONLY);
    running.signal(libc::SIGSTOP);
    let heavy = "y".repeat(10_000);
    storm(1000, &heavy);
    running.signal(libc::SIGCONT);
    let seen = running.stop();
    assert!(seen.lost("execve") > 0, "ten megabytes do not fit into two");
    let others = seen.of("execve").count() as u64 - started(&seen, &heavy);
    let counted = |what: &str| seen.counts[what]["execve"].as_u64().unwrap_or_default();
    // Attempts that failed, as shells make them along their PATH, are seen and filtered.
    let accounted = started(&seen, &heavy) + others + seen.lost("execve") + counted("filtered");
    // Other programs of the machine may start between the last look into the buffer and the count.
    assert!(counted("seen") - accounted <= 5, "{} seen, {accounted} accounted for", counted("seen"));
    assert!(accounted >= 1000);
}

//! What is done on purpose to be overlooked, or to be in the way.
use crate::harness;
use crate::needs_kernel;

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Runs one of the functions below in a container: this very program, which needs no libraries, is put into it.
fn in_container(running: &harness::Running, name: &str, function: &str, script: &str) -> String {
    let folder = running.folder.join(name).join("rootfs/bin");
    fs::create_dir_all(&folder).expect("folder");
    fs::copy(std::env::current_exe().expect("this program"), folder.join("helper")).expect("copied");
    let call = format!("/bin/helper --exact hostile::{function} --ignored --nocapture --test-threads=1");
    harness::container(running, name, &format!("{call} >/tmp/said 2>&1; echo $?; {script}"))
}

#[test]
#[ignore = "for use in a container"]
fn executes_from_memory() {
    // SAFETY: a zero-terminated name; the descriptor is used at once.
    let file = unsafe { libc::memfd_create(c"hidden".as_ptr(), 0) };
    let path = format!("/proc/self/fd/{file}");
    fs::write(&path, fs::read("/bin/busybox").expect("busybox")).expect("written");
    panic!("{}", Command::new(path).arg0("busybox").args(["touch", "/tmp/mark"]).exec());
}

#[test]
#[ignore = "for use in a container"]
fn executes_on_a_socket() {
    let (near, _far) = std::os::unix::net::UnixStream::pair().expect("sockets");
    // SAFETY: open descriptors.
    unsafe {
        libc::dup2(near.as_raw_fd(), 0);
        libc::dup2(near.as_raw_fd(), 1);
    }
    panic!("{}", Command::new("/bin/touch").arg("/tmp/mark").exec());
}

#[test]
fn programs_from_memory_and_on_sockets_end_before_they_begin() {
    needs_kernel!();
    let policy =
        r#"{"blocks":[{"id":"memory","scope":{},"exec":{"inMemory":true}},{"id":"socket","scope":{},"exec":{"socketStdio":true}}]}"#;
    let running = harness::start("disguised", policy);
    for (function, block) in [("executes_from_memory", "memory"), ("executes_on_a_socket", "socket")] {
        let name = format!("{block}-{}", std::process::id());
        let said = in_container(&running, &name, function, "ls /tmp/mark 2>/dev/null; /bin/busybox touch /tmp/mine; ls /tmp/mine");
        assert_eq!(said.lines().collect::<Vec<_>>(), ["137", "/tmp/mine"], "{block}");
    }
    let seen = running.stop();
    for block in ["memory", "socket"] {
        let name = format!("{block}-{}", std::process::id());
        seen.find("blocked", |event| event["blockId"] == block && event["container"]["id"] == name.as_str());
    }
}

/// More cgroups than the kernel half has entries for.
const CGROUPS: u32 = 20_000;

#[test]
fn cgroups_by_the_ten_thousand_end_nothing() {
    needs_kernel!();
    let mounts = fs::read_to_string("/proc/mounts").expect("mounts");
    let Some(place) = mounts.lines().find_map(|line| line.strip_prefix("cgroup2 ")?.split(' ').next()) else {
        return eprintln!("skipped: no cgroup version 2 is mounted");
    };
    let running = harness::start("cgroups", r#"{"selections":[{"type":"execve","fromContainers":true}]}"#);
    let folder = format!("{place}/bulwark-many-{}", std::process::id());
    fs::create_dir(&folder).expect("a cgroup");
    let made = (0..CGROUPS).take_while(|number| fs::create_dir(format!("{folder}/{number}")).is_ok()).count() as u32;
    let name = format!("after-{}", std::process::id());
    let said = harness::container(&running, &name, "echo ran");
    for number in 0..made {
        fs::remove_dir(format!("{folder}/{number}")).expect("clean");
    }
    fs::remove_dir(&folder).expect("clean");
    assert_eq!((made, said.as_str()), (CGROUPS, "ran\n"));
    running.stop().find("execve", |event| event["container"]["id"] == name.as_str());
}

/// How many processes follow each other, each the child of the one before.
const GENERATIONS: u32 = 5_000;

#[test]
#[ignore = "for use in a container"]
fn forks_for_generations() {
    let mut pipe = [0; 2];
    // SAFETY: room for two descriptors; after fork, nothing but calls to the system is made.
    unsafe {
        assert_eq!(libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC), 0);
        if libc::fork() != 0 {
            libc::close(pipe[1]);
            libc::read(pipe[0], [0u8; 1].as_mut_ptr().cast(), 1);
            return;
        }
        for _ in 0..GENERATIONS {
            match libc::fork() {
                0 => {}
                child if child > 0 => libc::_exit(0),
                _ => libc::_exit(1),
            }
        }
        let words = [c"/bin/true".as_ptr(), c"the last of them".as_ptr(), std::ptr::null()];
        libc::execv(words[0], words.as_ptr());
        libc::_exit(2);
    }
}

#[test]
fn thousands_of_generations_of_a_container_neither_hide_it_nor_fill_the_sensor() {
    needs_kernel!();
    let policy = r#"{"selections":[{"type":"execve","fromContainers":true,"fromHost":true}]}"#;
    let running = harness::start("generations", policy);
    let name = format!("generations-{}", std::process::id());
    in_container(&running, &name, "forks_for_generations", "sleep 0.2");
    let resident = fs::read_to_string(format!("/proc/{}/status", running.pid())).expect("it runs");
    let kib: u64 = resident.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok()).expect("VmRSS");
    let seen = running.stop();
    let last = seen.find("execve", |event| event["process"]["arguments"][1] == "the last of them");
    assert_eq!(last["container"]["id"], name.as_str());
    let mut lineage = 0;
    let mut at = &last["process"];
    while !at.is_null() {
        lineage += 1;
        assert_ne!(at["name"], "", "nothing is known of one of them");
        at = &at["parent"];
    }
    assert!((2..=10).contains(&lineage), "{lineage} generations are told of");
    assert!(kib < 40_000, "{kib} KiB");
    assert_eq!(seen.lost("clone"), 0);
}

#[test]
fn a_megabyte_of_arguments_is_cut_and_says_by_how_much() {
    needs_kernel!();
    let running = harness::start("megabyte", r#"{"selections":[{"type":"execve","fromHost":true}]}"#);
    let arguments: Vec<String> = (0..10).map(|number| format!("{number}\n{}", "z".repeat(104_856))).collect();
    assert!(Command::new("/bin/true").args(&arguments).status().expect("runs").success());
    let seen = running.stop();
    let exec = seen.find("execve", |event| event["process"]["arguments"][1].as_str().is_some_and(|text| text.starts_with("0\nzzz")));
    let kept: usize =
        exec["process"]["arguments"].as_array().expect("list").iter().map(|text| text.as_str().expect("text").len() + 1).sum();
    let whole = "/bin/true".len() + 1 + arguments.iter().map(|text| text.len() + 1).sum::<usize>();
    let cut = exec["process"]["argumentsCut"].as_u64().expect("number") as usize;
    // The zero behind the last argument that is kept may itself be what was cut.
    assert!(kept + cut == whole || kept + cut == whole + 1, "{kept} kept and {cut} cut of {whole}");
    assert!(whole > 1 << 20);
}

#[test]
fn a_number_that_is_used_again_is_another_process() {
    needs_kernel!();
    let running = harness::start("reuse", r#"{"selections":[{"type":"execve","fromHost":true},{"type":"procexit","fromHost":true}]}"#);
    let start = |word: &str| {
        let mut child = Command::new("/bin/true").arg(word).spawn().expect("runs");
        let pid = child.id();
        child.wait().expect("ended");
        pid
    };
    let first = start("used first");
    // proc_sys_kernel(5), ns_last_pid: the next process gets the number after it, unless somebody else is faster.
    let again =
        (0..200).find(|_| fs::write("/proc/sys/kernel/ns_last_pid", (first - 1).to_string()).is_ok() && start("used again") == first);
    let seen = running.stop();
    if again.is_none() {
        return eprintln!("skipped: the number could not be had again");
    }
    let of =
        |word: &'static str| move |event: &serde_json::Value| event["process"]["pid"] == first && event["process"]["arguments"][1] == word;
    let (one, two) = (seen.find("execve", of("used first")), seen.find("execve", of("used again")));
    assert_ne!(one["process"]["startUs"], two["process"]["startUs"]);
    seen.find("procexit", |event| of("used first")(event) && event["process"]["startUs"] == one["process"]["startUs"]);
    seen.find("procexit", |event| of("used again")(event) && event["process"]["startUs"] == two["process"]["startUs"]);
}

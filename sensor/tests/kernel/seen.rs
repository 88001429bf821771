//! What is seen: in real containers and on the host, by what the kernel used.
use crate::harness;
use crate::needs_kernel;

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

#[test]
fn a_container_of_milliseconds_is_seen_from_start_to_stop() {
    needs_kernel!();
    let running = harness::start("short", "");
    let name = format!("short-{}", std::process::id());
    harness::container(&running, &name, "cat /etc/shadow");
    let seen = running.stop();
    assert_eq!((seen.lost("execve"), &seen.counts["torn"]), (0, &0.into()));
    let ours = |event: &serde_json::Value| event["container"]["id"] == name.as_str();
    let start = seen.find("container", |event| ours(event) && event["detail"] == "start");
    assert_eq!((&start["container"]["runtime"], &start["process"]["name"]), (&"runc".into(), &"sh".into()));
    seen.find("container", |event| ours(event) && event["detail"] == "stop");
    let exec = seen.find("execve", |event| ours(event) && event["process"]["name"] == "sh");
    assert_eq!((&exec["process"]["namespacePid"], &exec["process"]["exe"]), (&1.into(), &"/bin/busybox".into()));
    assert!(exec["process"]["parent"]["name"].as_str().is_some_and(|name| name.starts_with("runc")));
    seen.find("open", |event| ours(event) && event["path"] == "/etc/shadow");
}

#[test]
fn a_file_is_named_as_the_kernel_opened_it_through_links() {
    needs_kernel!();
    let running = harness::start("links", "");
    let name = format!("links-{}", std::process::id());
    // It lives a moment longer than its last change: what is gone before it is looked at keeps the name that it was given.
    harness::container(
        &running,
        &name,
        "ln -s /etc /tmp/a; ln -s a/../../proc/self/root /tmp/b; cat /tmp/b/etc/shadow; cd /tmp/a; echo x > ../tmp/a/new; mv /tmp/a/new /tmp/a/newer; rm /tmp/a/newer; sleep 1",
    );
    let seen = running.stop();
    let ours = |event: &serde_json::Value| event["container"]["id"] == name.as_str();
    seen.find("open", |event| ours(event) && event["path"] == "/etc/shadow");
    seen.find("creat", |event| ours(event) && event["path"] == "/etc/new");
    seen.find("rename", |event| ours(event) && event["path"] == "/etc/new" && event["newPath"] == "/etc/newer");
    seen.find("unlink", |event| ours(event) && event["path"] == "/etc/newer");
}

#[test]
fn hostile_arguments_arrive_as_they_are() {
    needs_kernel!();
    let running = harness::start("arguments", "");
    let long = "x".repeat(100_000);
    let status = Command::new("/bin/true")
        .args([OsStr::new("a\nb"), OsStr::from_bytes(b"\xff\x1b[31m"), OsStr::new(""), OsStr::new(&long)])
        .status();
    assert!(status.expect("runs").success());
    let seen = running.stop();
    let exec = seen.find("execve", |event| event["process"]["arguments"][1] == "a\nb");
    let arguments = exec["process"]["arguments"].as_array().expect("list");
    assert_eq!((&arguments[2], &arguments[3]), (&"\\xff\u{1b}[31m".into(), &"".into()));
    let kept = arguments[4].as_str().expect("text").len();
    assert_eq!(kept as u64 + exec["process"]["argumentsCut"].as_u64().expect("number"), 100_001);
}

#[test]
fn a_shell_on_a_socket_is_known_by_its_descriptors() {
    needs_kernel!();
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let port = listener.local_addr().expect("address").port();
    let running = harness::start("shell", "");
    let near = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let stdio = || Stdio::from(OwnedFd::from(near.try_clone().expect("copy")));
    Command::new("/bin/sh").args(["-c", "true handed over"]).stdin(stdio()).stdout(stdio()).status().expect("runs");
    let script = format!("exec 5<>/dev/tcp/127.0.0.1/{port}; exec 0<&5 1>&5; exec /bin/true by dup");
    Command::new("bash").args(["-c", &script]).status().expect("runs");
    let seen = running.stop();
    let shell = seen.find("execve", |event| event["process"]["arguments"][2] == "true handed over");
    assert_eq!((&shell["process"]["stdin"], &shell["process"]["stdout"]), (&"socket".into(), &"socket".into()));
    let dup = seen.find("dup", |event| event["remotePort"] == port && event["targetFd"] == 0);
    assert_eq!((&dup["fdKind"], &dup["remoteAddress"]), (&"socket".into(), &"127.0.0.1".into()));
    let last = seen.find("execve", |event| event["process"]["arguments"][1] == "by" && event["process"]["arguments"][2] == "dup");
    assert_eq!(last["process"]["stdin"], "socket");
}

#[test]
fn connections_and_questions_show_their_peers() {
    needs_kernel!();
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let port = listener.local_addr().expect("address").port();
    let running = harness::start("network", "");
    let mut near = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let (mut far, _) = listener.accept().expect("accepted");
    std::io::Write::write_all(&mut near, &[7; 1000]).expect("sent");
    far.read_exact(&mut [0; 1000]).expect("received");
    drop((near, far));
    assert!(TcpStream::connect(("127.0.0.1", 1)).is_err());
    let mut question = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    question.extend(b"\x04evil\x07example\x00\x00\x10\x00\x01");
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(&question, "127.0.0.1:53")).expect("sent");
    let seen = running.stop();
    let mine = |event: &serde_json::Value| event["process"]["pid"] == std::process::id();
    let connect = seen.find("connect", |event| mine(event) && event["remotePort"] == port);
    assert_eq!((&connect["result"], &connect["protocol"], &connect["family"]), (&0.into(), &"tcp".into(), &4.into()));
    seen.find("connect", |event| {
        mine(event) && event["remotePort"] == 1 && event["result"] == -111 && event["remoteAddress"] == "127.0.0.1"
    });
    seen.find("accept", |event| mine(event) && event["localPort"] == port);
    let flow = seen.find("flow", |event| mine(event) && event["remotePort"] == port);
    assert_eq!(flow["bytesSent"], 1000);
    seen.find("sendto", |event| mine(event) && event["remotePort"] == 53);
    let dns = seen.find("dns", |event| mine(event) && event["dnsName"] == "evil.example");
    assert_eq!((&dns["dnsType"], &dns["detail"]), (&"TXT".into(), &"question".into()));
}

#[test]
fn a_program_without_a_file_is_known() {
    needs_kernel!();
    let running = harness::start("memory", "");
    let program = fs::read("/bin/true").expect("read");
    let script =
        "import os,sys; f=os.memfd_create('x'); os.write(f,open('/bin/true','rb').read()); os.execv('/proc/self/fd/%d'%f,['gone'])";
    if Command::new("python3").args(["-c", script]).status().is_err() {
        eprintln!("skipped: python3 is not installed");
    } else {
        assert!(!program.is_empty());
        let seen = running.stop();
        let exec = seen.find("execve", |event| event["process"]["arguments"][0] == "gone");
        assert_eq!((&exec["process"]["exeInMemory"], &exec["process"]["exe"]), (&true.into(), &"memfd:x".into()));
        seen.find("memfd_create", |event| event["path"] == "memfd:x");
    }
}

#[test]
fn scripts_show_their_interpreter_and_what_was_asked_for() {
    needs_kernel!();
    let running = harness::start("script", "");
    let script = running.folder.join("script");
    fs::write(&script, "#!/bin/sh\ntrue\n").expect("script");
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("executable");
    symlink(&script, running.folder.join("link")).expect("link");
    Command::new(running.folder.join("link")).status().expect("runs");
    let link = running.folder.join("link").to_string_lossy().into_owned();
    let seen = running.stop();
    let exec = seen.find("execve", |event| event["path"] == link.as_str());
    assert_eq!(exec["process"]["interpreter"], "/bin/sh");
}

/// Begins a connection that is refused later, and lets go of it.
fn begin_refused(port: u16) {
    // SAFETY: plain calls with a valid address of its own size.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0);
        let mut address: libc::sockaddr_in = std::mem::zeroed();
        address.sin_family = libc::AF_INET as u16;
        address.sin_port = port.to_be();
        address.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        libc::connect(socket, (&raw const address).cast(), std::mem::size_of_val(&address) as u32);
        libc::close(socket);
    }
}

#[test]
fn a_connection_that_fails_at_once_shows_none_of_the_peers_before_it() {
    needs_kernel!();
    let running = harness::start("reused", "");
    for _ in 0..20 {
        for _ in 0..10 {
            begin_refused(9);
        }
        // No connection is made to a group: the kernel says so before it sends anything.
        assert!(TcpStream::connect("224.0.0.9:9").is_err());
    }
    let seen = running.stop();
    let failed = |event: &&serde_json::Value| event["process"]["pid"] == std::process::id() && event["result"] == -101;
    let peers: Vec<_> = seen.of("connect").filter(failed).map(|event| (&event["remoteAddress"], &event["remotePort"])).collect();
    assert!(!peers.is_empty());
    assert!(peers.iter().all(|peer| *peer == (&"224.0.0.9".into(), &9.into())), "{peers:?}");
}

#[test]
fn what_a_process_was_before_it_changed_is_told_with_the_change() {
    needs_kernel!();
    let running = harness::start("before", "");
    let raised = running.folder.join("raised");
    fs::copy("/bin/true", &raised).expect("copied");
    fs::set_permissions(&raised, std::os::unix::fs::PermissionsExt::from_mode(0o4755)).expect("set-user-id");
    let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    Command::new("setpriv").args(nobody).arg(&raised).arg("by nobody").status().expect("setpriv, of util-linux");
    let seen = running.stop();
    let setuid = seen.find("setuid", |event| event["process"]["name"] == "setpriv" && event["result"] == 0);
    assert_eq!((&setuid["oldUid"], &setuid["process"]["effectiveUid"]), (&0.into(), &65534.into()));
    assert_ne!(setuid["oldCapabilities"], 0);
    assert_eq!(setuid["process"]["effectiveCapabilities"], 0);
    let exec = seen.find("execve", |event| event["process"]["arguments"][1] == "by nobody");
    assert_eq!((&exec["oldUid"], &exec["process"]["effectiveUid"]), (&65534.into(), &0.into()));
    // setpriv takes its capabilities back before it executes what it was asked for.
    let capset = seen.find("capset", |event| event["process"]["name"] == "setpriv" && event["oldCapabilities"] == 0);
    assert_ne!(capset["process"]["effectiveCapabilities"], 0);
    assert_eq!(exec["oldCapabilities"], capset["process"]["effectiveCapabilities"]);
}

#[test]
fn what_is_written_to_a_watched_file_is_summed_and_nothing_else_told() {
    needs_kernel!();
    let policy = r#"{"selections":[{"type":"write","fromContainers":true,"paths":[{"kind":"prefix","value":"/etc/watched"}]}]}"#;
    let running = harness::start("writes", policy);
    let name = format!("writes-{}", std::process::id());
    let script = "exec 3>/etc/watched 4>/tmp/other; for i in 1 2 3 4 5 6 7 8 9 10; do echo 0123456 >&3; echo 0123456 >&4; done; echo out";
    harness::container(&running, &name, script);
    let seen = running.stop();
    let writes: Vec<_> = seen.of("write").filter(|event| event["container"]["id"] == name.as_str()).collect();
    let sum = |what: &str| writes.iter().filter_map(|event| event[what].as_u64()).sum::<u64>();
    assert!(writes.iter().all(|event| event["path"] == "/etc/watched" && event["process"]["name"] == "sh"), "{writes:?}");
    assert_eq!((sum("count"), sum("bytesSent")), (10, 80));
}

#[test]
fn a_connection_that_stays_open_is_told_of_while_it_carries_something() {
    needs_kernel!();
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let port = listener.local_addr().expect("address").port();
    let policy = r#"{"selections":[{"type":"flow","fromContainers":true,"fromHost":true},{"type":"accept","fromHost":true}],"limits":{"flowSeconds":1}}"#;
    let running = harness::start("open-flow", policy);
    let mut near = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let (mut far, _) = listener.accept().expect("accepted");
    std::io::Write::write_all(&mut near, &[7; 1000]).expect("sent");
    far.read_exact(&mut [0; 1000]).expect("received");
    let seconds = running.until(|event| event["type"] == "flow" && event["detail"] == "open" && event["remotePort"] == port);
    assert!(seconds < 10.0);
    std::io::Write::write_all(&mut near, &[7; 500]).expect("sent");
    drop((near, far));
    let seen = running.stop();
    let mine = |event: &serde_json::Value, detail: &str| {
        event["process"]["pid"] == std::process::id() && event["remotePort"] == port && event["detail"] == detail
    };
    assert_eq!(seen.find("flow", |event| mine(event, "open"))["bytesSent"], 1000);
    assert_eq!(seen.find("flow", |event| mine(event, ""))["bytesSent"], 1500);
}

#[test]
fn users_of_a_container_have_the_names_that_it_gives_them() {
    needs_kernel!();
    let running = harness::start("users", "");
    let name = format!("users-{}", std::process::id());
    harness::container(&running, &name, "sleep 2; echo 'captain:x:0:0::/:/bin/sh' > /etc/passwd; sleep 6; true; /bin/true");
    let seen = running.stop();
    let ours = |event: &serde_json::Value, argument: &str| {
        event["container"]["id"] == name.as_str() && event["process"]["arguments"][0] == argument
    };
    // Before there is a file root is root, whoever that is on the host.
    assert_eq!(seen.find("execve", |event| ours(event, "/bin/sh"))["process"]["userName"], "root");
    assert_eq!(seen.find("execve", |event| ours(event, "/bin/true"))["process"]["userName"], "captain");
}

#[test]
fn an_applet_that_busybox_starts_by_its_own_link_is_named_as_what_it_is() {
    needs_kernel!();
    let running = harness::start("applet", "");
    let name = format!("applet-{}", std::process::id());
    harness::container(&running, &name, "exec -a /bin/sleep /proc/self/exe 0.1");
    let seen = running.stop();
    let ours = |event: &serde_json::Value| event["container"]["id"] == name.as_str() && event["path"] == "/proc/self/exe";
    let exec = seen.find("execve", |event| ours(event) && event["process"]["arguments"][1] == "0.1");
    assert_eq!(exec["process"]["name"], "sleep");
    let exit = seen.find("procexit", |event| event["container"]["id"] == name.as_str() && event["process"]["arguments"][1] == "0.1");
    assert_eq!(exit["process"]["name"], "sleep");
}

/// A call by `int 0x80`, which every 64-bit process may make; what its arguments point to must lie below 4 GiB.
#[cfg(target_arch = "x86_64")]
fn call_32(number: u32, first: u32, second: u32) -> i32 {
    let result: i32;
    // SAFETY: the kernel's own entry for 32-bit calls; rbx is kept by hand since the compiler reserves it.
    unsafe {
        std::arch::asm!("push rbx", "mov ebx, {first:e}", "int 0x80", "pop rbx", first = in(reg) first, inlateout("eax") number as i32 => result,
            in("ecx") second, in("edx") 0, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    result
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_connection_by_the_call_of_32_bit_programs_is_seen() {
    needs_kernel!();
    let running = harness::start("socketcall", "");
    // SAFETY: a new mapping below 4 GiB, as large as what is written to it.
    let result = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
        let low = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0).cast::<u32>();
        assert_ne!(low as isize, -1);
        // socketcall(SYS_SOCKET, {AF_INET, SOCK_STREAM, 0})
        std::ptr::copy_nonoverlapping([2, 1, 0].as_ptr(), low, 3);
        let socket = call_32(102, 1, low as u32);
        if socket == -libc::ENOSYS {
            eprintln!("skipped: this kernel runs no 32-bit calls");
            return;
        }
        assert!(socket >= 0);
        // socketcall(SYS_CONNECT, {socket, address, 16}), to 127.0.0.1:1
        let address = low.add(16);
        std::ptr::copy_nonoverlapping([u32::from_ne_bytes([2, 0, 0, 1]), u32::from_ne_bytes([127, 0, 0, 1]), 0, 0].as_ptr(), address, 4);
        std::ptr::copy_nonoverlapping([socket as u32, address as u32, 16].as_ptr(), low, 3);
        let result = call_32(102, 3, low as u32);
        libc::close(socket);
        result
    };
    assert_eq!(result, -libc::ECONNREFUSED);
    let seen = running.stop();
    let connect = seen.find("connect", |event| event["process"]["pid"] == std::process::id() && event["remotePort"] == 1);
    assert_eq!((&connect["remoteAddress"], &connect["result"]), (&"127.0.0.1".into(), &(-libc::ECONNREFUSED).into()));
    seen.find("socket", |event| event["process"]["pid"] == std::process::id() && event["family"] == 4);
}

//! A sensor that runs, containers by runC, and what was seen. Everything is real; what is missing is said and skipped.
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Mutex, MutexGuard};

const BUSYBOX: &str = "/usr/bin/busybox";
const APPLETS: [&str; 16] =
    ["sh", "cat", "ls", "ln", "rm", "mv", "cp", "mkdir", "touch", "sleep", "true", "nc", "unshare", "echo", "nslookup", "printf"];

/// One sensor at a time: each sees the whole machine.
static ALONE: Mutex<()> = Mutex::new(());

/// Why tests cannot run here; `None` when they can.
pub fn missing() -> Option<String> {
    // SAFETY: no arguments.
    if unsafe { libc::geteuid() } != 0 {
        return Some("root is needed to load kernel programs".into());
    }
    let doctor = Command::new(sensor()).arg("doctor").output().ok()?;
    if doctor.status.code() == Some(2) {
        return Some(String::from_utf8_lossy(&doctor.stderr).into_owned());
    }
    if Command::new("runc").arg("--version").output().is_err() {
        return Some("runC is not installed (apt-get install runc)".into());
    }
    if !Path::new(BUSYBOX).exists() {
        return Some("busybox-static is not installed".into());
    }
    None
}

/// Ends the test with a word when it cannot run.
#[macro_export]
macro_rules! needs_kernel {
    () => {
        if let Some(why) = $crate::harness::missing() {
            eprintln!("skipped: {why}");
            return;
        }
    };
}

fn sensor() -> &'static str {
    env!("CARGO_BIN_EXE_bulwark-sensor")
}

pub struct Running {
    child: Child,
    errors: BufReader<ChildStderr>,
    pub folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

/// What a sensor wrote.
pub struct Seen {
    pub events: Vec<Value>,
    pub counts: Value,
}

/// Starts a sensor and waits until it has said that it is ready. `policy` is JSON; empty is the default.
pub fn start(name: &str, policy: &str) -> Running {
    let alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = std::env::temp_dir().join(format!("bulwark-sensor-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let mut command = Command::new(sensor());
    command.arg("run").arg("--output").arg(folder.join("events"));
    if !policy.is_empty() {
        fs::write(folder.join("policy"), policy).expect("policy");
        command.arg("--policy").arg(folder.join("policy"));
    }
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the sensor starts");
    let mut errors = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    while line.trim() != "ready" {
        line.clear();
        assert_ne!(errors.read_line(&mut line).expect("standard error"), 0, "the sensor ended before it was ready");
    }
    Running { child, errors, folder, _alone: alone }
}

/// A test that fails leaves no sensor behind.
impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: a process of our own that has not been waited for.
        unsafe { libc::kill(self.child.id() as i32, signal) };
    }

    /// Waits until an event that fits is in the file; the seconds that it took.
    pub fn until(&self, fits: impl Fn(&Value) -> bool) -> f64 {
        let began = std::time::Instant::now();
        loop {
            let text = fs::read_to_string(self.folder.join("events")).expect("events");
            if text.lines().filter_map(|line| serde_json::from_str(line).ok()).any(|event: Value| fits(&event)) {
                return began.elapsed().as_secs_f64();
            }
            assert!(began.elapsed().as_secs() < 60, "no such event came");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// Ends the sensor; what it still had comes out.
    pub fn stop(mut self) -> Seen {
        self.signal(libc::SIGTERM);
        assert!(self.child.wait().expect("ended").success());
        let mut rest = String::new();
        self.errors.read_to_string(&mut rest).expect("standard error");
        let counts = serde_json::from_str(rest.lines().last().unwrap_or_default()).expect("counts");
        let text = fs::read_to_string(self.folder.join("events")).expect("events");
        let events = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
        fs::remove_dir_all(&self.folder).expect("clean");
        Seen { events, counts }
    }
}

/// The network of the machine, as `--net host` does.
pub fn host_network(config: &mut Value) {
    let spaces = config["linux"]["namespaces"].as_array_mut().expect("namespaces");
    spaces.retain(|space| space["type"] != "network");
}

impl Seen {
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["type"] == kind)
    }

    /// The first event of a kind that fits.
    pub fn find<'a>(&'a self, kind: &'a str, fits: impl Fn(&Value) -> bool) -> &'a Value {
        match self.of(kind).find(|event| fits(event)) {
            Some(event) => event,
            None => {
                let told = |event: &Value| {
                    format!("{} {} {} {}", event["container"]["id"], event["process"]["name"], event["path"], event["newPath"])
                };
                let others: Vec<String> = self.of(kind).map(told).collect();
                panic!("no such {kind} among {} events:\n{}", self.events.len(), others.join("\n"))
            }
        }
    }

    pub fn lost(&self, kind: &str) -> u64 {
        self.counts["lost"][kind].as_u64().unwrap_or_default()
    }
}

/// Runs a shell script in a container of that name; gives what it printed.
pub fn container(running: &Running, name: &str, script: &str) -> String {
    container_with(running, name, script, |_| {})
}

/// The same with changes to the OCI configuration.
pub fn container_with(running: &Running, name: &str, script: &str, change: impl FnOnce(&mut Value)) -> String {
    let bundle = running.folder.join(name);
    let root = bundle.join("rootfs");
    for folder in ["bin", "etc", "tmp", "proc", "sys", "dev"] {
        fs::create_dir_all(root.join(folder)).expect("root file system");
    }
    fs::copy(BUSYBOX, root.join("bin/busybox")).expect("busybox");
    for applet in APPLETS {
        symlink("busybox", root.join("bin").join(applet)).expect("applet");
    }
    fs::write(root.join("etc/shadow"), "root:*::\n").expect("shadow");
    let made = Command::new("runc").arg("spec").current_dir(&bundle).status().expect("runc spec");
    assert!(made.success());
    let mut config: Value = serde_json::from_str(&fs::read_to_string(bundle.join("config.json")).expect("config")).expect("JSON");
    config["process"]["terminal"] = Value::Bool(false);
    config["process"]["args"] = serde_json::json!(["/bin/sh", "-c", script]);
    config["root"]["readonly"] = Value::Bool(false);
    change(&mut config);
    fs::write(bundle.join("config.json"), config.to_string()).expect("config");
    let output = Command::new("runc").arg("run").arg(name).current_dir(&bundle).output().expect("runc run");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

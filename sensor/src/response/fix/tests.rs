use super::*;
use ground::write_value;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

struct Place {
    folder: PathBuf,
    state: State,
}

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("fix-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        for inner in ["etc/docker", "etc/ssh", "etc/sysctl.d", "root"] {
            fs::create_dir_all(folder.join(inner)).expect("folder");
        }
        let state = State::open(&folder.join("state").to_string_lossy()).expect("state");
        Self { folder, state }
    }

    fn root(&self) -> OwnedFd {
        fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(&self.folder).expect("root").into()
    }

    fn preview(&self, change: Change) -> Result<Report, String> {
        let order = ApplyFix { fix_id: "f1".into(), change: Some(change), dry_run: true, ..ApplyFix::default() };
        apply_in(self.root(), &self.state, "preview", &order)
    }

    /// As it was previewed just now.
    fn apply(&self, change: Change) -> Result<Report, String> {
        let seen = self.preview(change.clone())?.facts["before"].as_str().unwrap_or_default().to_string();
        self.apply_seen(change, &seen)
    }

    fn apply_seen(&self, change: Change, seen: &str) -> Result<Report, String> {
        let expected_sha256 = (0..seen.len() / 2).map(|at| u8::from_str_radix(&seen[at * 2..at * 2 + 2], 16).expect("digits")).collect();
        let order = ApplyFix { fix_id: "f1".into(), change: Some(change), dry_run: false, expected_sha256 };
        apply_in(self.root(), &self.state, "o1", &order)
    }

    /// What the next sensor tells that starts here.
    fn interrupted(&self) -> Vec<(String, Report)> {
        interrupted_in(&|| Ok(self.root()), &self.state, now_us()).expect("looked at")
    }

    fn ground(&self) -> Ground<'_> {
        Ground { root: self.root(), state: &self.state, id: "f1" }
    }

    fn undo(&self) -> Result<Report, String> {
        undo_in(self.root(), &self.state, "f1")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn sshd(value: &str) -> Change {
    Change::Setting(SettingFix {
        path: "/etc/ssh/sshd_config".into(),
        format: "sshd".into(),
        key: "PermitRootLogin".into(),
        value: value.into(),
    })
}

#[test]
fn a_setting_is_previewed_applied_and_given_back_to_the_byte_and_mode() {
    let place = Place::new("setting");
    let file = place.folder.join("etc/ssh/sshd_config");
    let before = b"# mine\r\nPermitRootLogin yes\n\n\tPort 22".to_vec();
    fs::write(&file, &before).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("mode");
    let preview = place.preview(sshd("no")).expect("previewed");
    assert_eq!(
        (preview.outcome, preview.facts["diff"].as_str()),
        (Outcome::Done, Some("@@ line 2 @@\n-PermitRootLogin yes\n+PermitRootLogin no\n"))
    );
    assert_eq!(fs::read(&file).expect("read"), before);
    assert_eq!(place.apply(sshd("no")).expect("applied").outcome, Outcome::Done);
    assert!(fs::read_to_string(&file).expect("read").contains("PermitRootLogin no\n"));
    assert_eq!(fs::metadata(&file).expect("meta").permissions().mode() & 0o7777, 0o640);
    // Asked again before its answer arrived: it is what it is.
    assert_eq!(place.apply_seen(sshd("no"), "").expect("again").outcome, Outcome::Done);
    assert_eq!(place.undo().expect("undone").outcome, Outcome::Done);
    assert_eq!((fs::read(&file).expect("read"), fs::metadata(&file).expect("meta").permissions().mode() & 0o7777), (before, 0o640));
    assert_eq!(place.undo().expect("again").outcome, Outcome::Unchanged);
    assert_eq!(fs::read_dir(place.folder.join("etc/ssh")).expect("folder").count(), 1);
}

#[test]
fn a_file_that_was_not_there_is_gone_again_and_one_that_somebody_changed_is_left_alone() {
    let place = Place::new("absent");
    let change = || {
        Change::Setting(SettingFix {
            path: "/etc/docker/daemon.json".into(),
            format: "json".into(),
            key: "icc".into(),
            value: "false".into(),
        })
    };
    place.apply(change()).expect("applied");
    let file = place.folder.join("etc/docker/daemon.json");
    assert!(file.exists());
    place.undo().expect("undone");
    assert!(!file.exists());
    place.apply(change()).expect("applied");
    fs::write(&file, "{\"icc\": false, \"mine\": 1}").expect("written");
    assert!(place.undo().expect_err("changed since").contains("changed since"));
    assert!(fs::read_to_string(&file).expect("read").contains("mine"));
}

#[test]
fn links_other_files_and_other_contents_than_agreed_are_refused() {
    let place = Place::new("hostile");
    fs::write(place.folder.join("root/secret"), "PermitRootLogin yes\n").expect("written");
    symlink(place.folder.join("root/secret"), place.folder.join("etc/ssh/sshd_config")).expect("link");
    assert!(place.apply(sshd("no")).is_err());
    assert_eq!(fs::read_to_string(place.folder.join("root/secret")).expect("read"), "PermitRootLogin yes\n");
    fs::remove_file(place.folder.join("etc/ssh/sshd_config")).expect("removed");
    fs::hard_link(place.folder.join("root/secret"), place.folder.join("etc/ssh/sshd_config")).expect("link");
    assert!(place.apply(sshd("no")).is_err());
    let mode = |path: &str| Change::Mode(ModeFix { path: path.into(), mask: 0, own_by_root: false });
    for path in ["/root/secret", "/etc/../root/secret", "/etc/ssh/sshd_config"] {
        assert!(place.apply(mode(path)).is_err(), "{path}");
    }
    let other = Change::Setting(SettingFix { path: "/root/secret".into(), format: "sshd".into(), key: "a".into(), value: "b".into() });
    assert!(place.apply(other).is_err());
    fs::remove_file(place.folder.join("etc/ssh/sshd_config")).expect("removed");
    fs::write(place.folder.join("etc/ssh/sshd_config"), "a b\n").expect("written");
    assert!(place.apply_seen(sshd("no"), &"01".repeat(32)).expect_err("another file").contains("preview again"));
    assert!(undo_in(place.root(), &place.state, "../x").is_err());
}

#[test]
fn permissions_are_only_taken_away_and_come_back() {
    let place = Place::new("mode");
    let file = place.folder.join("etc/docker/daemon.json");
    fs::write(&file, "{}").expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).expect("mode");
    let change = || Change::Mode(ModeFix { path: "/etc/docker/daemon.json".into(), mask: 0o7755, own_by_root: false });
    place.preview(change()).expect("previewed");
    let mode = || fs::metadata(&file).expect("meta").permissions().mode() & 0o7777;
    assert_eq!(mode(), 0o664);
    place.apply(change()).expect("applied");
    assert_eq!(mode(), 0o644);
    place.undo().expect("undone");
    assert_eq!(mode(), 0o664);
}

#[test]
fn a_sysctl_is_set_for_now_and_later_and_given_back() {
    let place = Place::new("sysctl");
    let name = "net.ipv4.conf.lo.log_martians";
    // A network namespace of this thread's own: no setting of the machine is touched.
    // SAFETY: a call without pointers.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 || write_value(&sysctl_path(name).expect("path"), "0").is_err() {
        eprintln!("skipped: no network namespace can be made here");
        return;
    }
    let change = |value: &str| Change::Sysctl(SysctlFix { name: name.into(), value: value.into() });
    assert!(
        place.preview(change("1")).expect("previewed").facts["diff"].as_str().expect("text").contains("+net.ipv4.conf.lo.log_martians = 1")
    );
    place.apply(change("1")).expect("applied");
    let file = place.folder.join("etc/sysctl.d/60-bulwark-net-ipv4-conf-lo-log_martians.conf");
    assert_eq!(
        (sysctl_value(&sysctl_path(name).expect("path")).as_deref(), fs::read_to_string(&file).as_deref().ok()),
        (Ok("1"), Some("net.ipv4.conf.lo.log_martians = 1\n"))
    );
    place.undo().expect("undone");
    assert_eq!((sysctl_value(&sysctl_path(name).expect("path")).as_deref(), file.exists()), (Ok("0"), false));
    for (name, value) in
        [("kernel.core_pattern", "1"), ("net.ipv4.conf.lo.log_martians", "|/bin/sh"), ("net/../../etc", "1"), ("user.max", "1")]
    {
        assert!(place.apply(Change::Sysctl(SysctlFix { name: name.into(), value: value.into() })).is_err());
    }
    // Another value than was previewed, and a file that came into being.
    let seen = place.preview(change("1")).expect("previewed").facts["before"].as_str().expect("text").to_string();
    write_value(&sysctl_path(name).expect("path"), "1").expect("written");
    assert!(place.apply_seen(change("1"), &seen).expect_err("changed").contains("preview again"));
    write_value(&sysctl_path(name).expect("path"), "0").expect("written");
    fs::write(&file, "x = 1\n").expect("written");
    assert!(place.apply_seen(change("1"), &seen).expect_err("changed").contains("preview again"));
    fs::remove_file(&file).expect("removed");
    // The sensor ends between the file and the kernel's value: both are put back.
    let mut facts = facts_of("/etc/sysctl.d/60-bulwark-net-ipv4-conf-lo-log_martians.conf", None, "y = 1\n");
    (facts["sysctl"], facts["value"], facts["wanted"]) = (name.into(), "0".into(), "1".into());
    let ground = place.ground();
    ends(|| {
        ground.carry_out("o1", &facts, None, || {
            ground.replace("/etc/sysctl.d/60-bulwark-net-ipv4-conf-lo-log_martians.conf", b"y = 1\n", None)?;
            panic!("the power is gone")
        })
    });
    assert!(file.exists());
    assert!(place.interrupted()[0].1.detail.contains("as it was") && !file.exists());
    // The kernel does not take it: everything is as it was.
    assert!(place.apply(change("99999999999999")).expect_err("refused").contains("as it was"));
    assert!(!file.exists() && !place.state.path("fixes").join("f1").exists());
}

fn icc() -> Change {
    let (path, format, key, value) = ("/etc/docker/daemon.json", "json", "icc", "false");
    Change::Setting(SettingFix { path: path.into(), format: format.into(), key: key.into(), value: value.into() })
}

fn closed() -> Change {
    Change::Mode(ModeFix { path: "/etc/docker/daemon.json".into(), mask: 0o7755, own_by_root: false })
}

#[test]
fn a_file_that_came_into_being_after_the_preview_is_left_alone() {
    let place = Place::new("came");
    let seen = place.preview(icc()).expect("previewed").facts["before"].as_str().expect("text").to_string();
    assert_eq!(seen, "");
    let file = place.folder.join("etc/docker/daemon.json");
    fs::write(&file, "{\"mine\": 1}").expect("written");
    assert!(place.apply_seen(icc(), &seen).expect_err("changed").contains("preview again"));
    // Nor one that comes in the very middle of it.
    fs::remove_file(&file).expect("removed");
    let ground = place.ground();
    let nothing = ground.read("/etc/docker/daemon.json").expect("read");
    fs::write(&file, "{\"mine\": 1}").expect("written");
    assert!(ground.replace("/etc/docker/daemon.json", b"{}", nothing.as_ref()).expect_err("changed").contains("meanwhile"));
    assert_eq!(fs::read_to_string(&file).expect("read"), "{\"mine\": 1}");
    assert_eq!(fs::read_dir(place.folder.join("etc/docker")).expect("folder").count(), 1);
}

#[test]
fn permissions_and_owners_other_than_previewed_are_refused() {
    let place = Place::new("other-mode");
    let file = place.folder.join("etc/docker/daemon.json");
    fs::write(&file, "{}").expect("written");
    let permit = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("mode");
    permit(0o664);
    let seen = place.preview(closed()).expect("previewed").facts["before"].as_str().expect("text").to_string();
    permit(0o666);
    assert!(place.apply_seen(closed(), &seen).expect_err("changed").contains("preview again"));
    assert!(place.apply_seen(closed(), "").expect_err("never previewed").contains("preview again"));
    assert_eq!(fs::metadata(&file).expect("meta").permissions().mode() & 0o7777, 0o666);
    permit(0o664);
    assert_eq!(place.apply_seen(closed(), &seen).expect("applied").outcome, Outcome::Done);
    // Somebody closed it further since: that stays.
    permit(0o600);
    assert!(place.undo().expect_err("changed since").contains("changed since"));
    assert_eq!(fs::metadata(&file).expect("meta").permissions().mode() & 0o7777, 0o600);
}

#[test]
fn a_program_of_somebody_elses_does_not_become_one_that_runs_as_root() {
    let place = Place::new("setuid");
    let file = place.folder.join("etc/docker/daemon.json");
    fs::write(&file, "{}").expect("written");
    if std::os::unix::fs::chown(&file, Some(1000), Some(1000)).is_err() {
        eprintln!("skipped: files cannot be given away here");
        return;
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o4775)).expect("mode");
    let change = Change::Mode(ModeFix { path: "/etc/docker/daemon.json".into(), mask: 0o7755, own_by_root: true });
    place.apply(change).expect("applied");
    assert_eq!(fs::metadata(&file).expect("meta").permissions().mode() & 0o7777, 0o755);
    place.undo().expect("undone");
    assert_eq!(fs::metadata(&file).expect("meta").permissions().mode() & 0o7777, 0o4775);
}

/// The sensor ends where the closure panics, as by a loss of power: nothing after it happens.
fn ends(work: impl FnOnce() -> Result<(), String>) {
    assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
}

fn begun(place: &Place, change: impl FnOnce(&Ground<'_>, &Before) -> Result<(), String>) {
    let (ground, path) = (place.ground(), "/etc/docker/daemon.json");
    let before = ground.read(path).expect("read").expect("there");
    ends(|| {
        ground.carry_out("o1", &facts_of(path, Some(&before), "{\"icc\": false}"), Some(&before), || {
            change(&ground, &before)?;
            panic!("the power is gone")
        })
    });
}

#[test]
fn a_sensor_that_ends_after_the_change_and_before_its_answer_tells_it_when_it_starts_again() {
    let place = Place::new("ends-after");
    let file = place.folder.join("etc/docker/daemon.json");
    fs::write(&file, "{}").expect("written");
    begun(&place, |ground, before| ground.replace("/etc/docker/daemon.json", b"{\"icc\": false}", Some(before)));
    let told = place.interrupted();
    assert_eq!((told.len(), told[0].0.as_str(), told[0].1.outcome), (1, "o1", Outcome::Done));
    assert_eq!(told[0].1.facts["path"], "/etc/docker/daemon.json");
    // The order comes again, since the server never had an answer.
    assert_eq!(place.apply_seen(icc(), "").expect("again").outcome, Outcome::Done);
    assert_eq!(place.undo().expect("undone").outcome, Outcome::Done);
    assert_eq!(fs::read_to_string(&file).expect("read"), "{}");
    assert!(place.interrupted().is_empty());
}

#[test]
fn a_sensor_that_ends_before_the_change_has_changed_nothing_and_says_so() {
    let place = Place::new("ends-before");
    let file = place.folder.join("etc/docker/daemon.json");
    fs::write(&file, "{}").expect("written");
    begun(&place, |_, _| fs::write(place.folder.join("etc/docker/.bulwark-f1"), "torn").map_err(|error| error.to_string()));
    // What was being put together when the power went is no journal.
    fs::create_dir_all(place.state.path("fixes/.new-f2")).expect("folder");
    let told = place.interrupted();
    assert_eq!((told.len(), told[0].1.outcome, told[0].1.detail.contains("as it was")), (1, Outcome::Failed, true));
    assert_eq!((fs::read_to_string(&file).expect("read").as_str(), place.undo().expect("again").outcome), ("{}", Outcome::Unchanged));
    assert_eq!(fs::read_dir(place.folder.join("etc/docker")).expect("folder").count(), 1);
    assert_eq!(place.apply(icc()).expect("applied").outcome, Outcome::Done);
}

#[test]
fn what_others_made_of_it_since_is_left_alone_and_kept() {
    let place = Place::new("ends-other");
    let file = place.folder.join("etc/docker/daemon.json");
    fs::write(&file, "{}").expect("written");
    begun(&place, |_, _| fs::write(&file, "{\"theirs\": 1}").map_err(|error| error.to_string()));
    let told = place.interrupted();
    assert_eq!((told[0].1.outcome, told[0].1.detail.contains("kept in")), (Outcome::Failed, true));
    assert!(place.undo().is_err() && fs::read_to_string(&file).expect("read").contains("theirs"));
    // An answer that was remembered is not told twice.
    place.state.save_result(&crate::response::result("o1", Report::new(Outcome::Failed, "x"))).expect("saved");
    assert!(place.interrupted().is_empty());
}

#[test]
fn labels_and_lists_of_access_go_with_the_file() {
    let place = Place::new("attributes");
    let file = place.folder.join("etc/docker/daemon.json");
    fs::write(&file, "{}").expect("written");
    let path = std::ffi::CString::new(file.to_string_lossy().as_bytes()).expect("path");
    let read = || {
        let mut value = [0u8; 16];
        // SAFETY: zero-terminated names, and a buffer of the stated size.
        let length = unsafe { libc::getxattr(path.as_ptr(), c"user.label".as_ptr(), value.as_mut_ptr().cast(), value.len()) };
        value[..usize::try_from(length).unwrap_or(0)].to_vec()
    };
    // SAFETY: zero-terminated names, and a value of the stated length.
    if unsafe { libc::setxattr(path.as_ptr(), c"user.label".as_ptr(), c"etc_t".as_ptr().cast(), 5, 0) } != 0 {
        eprintln!("skipped: this file system keeps no attributes");
        return;
    }
    place.apply(icc()).expect("applied");
    assert_eq!(read(), b"etc_t");
    place.undo().expect("undone");
    assert_eq!((read(), fs::read_to_string(&file).expect("read").as_str()), (b"etc_t".to_vec(), "{}"));
}

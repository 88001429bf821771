//! Fixes of a node's configuration: one setting, the permissions of one file, or one sysctl. What was there, and what will be, is on the
//! disk before anything changes (journal.rs); files are replaced as a whole, and no link is followed on the way (ground.rs). A fix that
//! does not take is undone at once. What apply finds must be what the preview saw.
mod ground;
mod journal;

use serde_json::{Value, json};
use std::os::fd::OwnedFd;

use super::{Report, edit};
use crate::clock::now_us;
use crate::facts::{network, redact, sysctl_path, sysctl_value};
use crate::ndjson::hexadecimal;
use crate::resolve;
use crate::server::identity::State;
use crate::wire::{ApplyFix, ModeFix, SettingFix, SysctlFix, UndoFix, apply_fix::Change, order_result::Outcome};
use ground::{Before, Ground, Permissions, sha256};
use journal::Undoing;

/// Writing these runs programs, ends the machine, or cannot be taken back before its next start; no benchmark asks for them.
const NEVER: [&str; 10] = [
    "kernel.core_pattern",
    "kernel.modprobe",
    "kernel.hotplug",
    "kernel.poweroff_cmd",
    "kernel.sysrq",
    "kernel.panic",
    "kernel.usermodehelper",
    "kernel.modules_disabled",
    "kernel.kexec_load_disabled",
    "fs.binfmt_misc",
];
/// Files whose settings may be changed; a kubelet's configuration may lie elsewhere and is YAML then.
const SETTINGS: [(&str, &str); 3] =
    [("sshd", "/etc/ssh/sshd_config"), ("json", "/etc/docker/daemon.json"), ("yaml", "/var/lib/kubelet/config.yaml")];
/// Below these permissions may be taken away.
const MODES: [&str; 8] =
    ["/etc/", "/var/lib/kubelet/", "/var/lib/etcd", "/boot/grub", "/opt/cni/", "/var/log/", "/run/docker.sock", "/run/containerd/"];
/// Setuid and setgid.
const SET_IDS: u32 = 0o6000;

pub fn apply(state: &State, order_id: &str, order: &ApplyFix) -> Result<Report, String> {
    in_the_nodes_network(|| apply_in(node_root()?, state, order_id, order))?
}

pub fn undo(state: &State, order: &UndoFix) -> Result<Report, String> {
    in_the_nodes_network(|| undo_in(node_root()?, state, &order.fix_id))?
}

/// What came of orders during which the sensor ended, by their ids: told after the next start. What was left half-way is put back.
pub fn interrupted(state: &State) -> Vec<(String, Report)> {
    match in_the_nodes_network(|| interrupted_in(&node_root, state, now_us())).and_then(|found| found) {
        Ok(found) => found,
        Err(why) => {
            eprintln!("fixes that were interrupted are not looked at: {why}");
            Vec::new()
        }
    }
}

/// In a thread of its own, since settings of the network are those of the thread that writes them.
fn in_the_nodes_network<Answer: Send>(work: impl FnOnce() -> Answer + Send) -> Result<Answer, String> {
    std::thread::scope(|scope| {
        scope.spawn(|| network::enter().map(|()| work())).join().unwrap_or_else(|_| Err("the fix ended half-way".into()))
    })
}

fn node_root() -> Result<OwnedFd, String> {
    resolve::root_of(1)
        .or_else(|_| resolve::root_of(std::process::id()))
        .map_err(|error| format!("the node's root cannot be opened: {error}"))
}

fn checked_id(id: &str) -> Result<(), String> {
    if id.is_empty() || id.len() > 64 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(format!("`{id}` is no id of a fix"));
    }
    Ok(())
}

fn apply_in(root: OwnedFd, state: &State, order_id: &str, order: &ApplyFix) -> Result<Report, String> {
    checked_id(&order.fix_id)?;
    let ground = Ground { root, state, id: &order.fix_id };
    if !order.dry_run
        && let Some(journal) = ground.journal()?
    {
        return Ok(ground.ended(&journal));
    }
    match &order.change {
        Some(Change::Sysctl(fix)) => ground.sysctl(fix, order_id, order),
        Some(Change::Mode(fix)) => ground.mode(fix, order_id, order),
        Some(Change::Setting(fix)) => ground.setting(fix, order_id, order),
        None => Err("the order names no change".into()),
    }
}

fn undo_in(root: OwnedFd, state: &State, id: &str) -> Result<Report, String> {
    checked_id(id)?;
    let ground = Ground { root, state, id };
    match ground.journal()? {
        None => Ok(Report::new(Outcome::Unchanged, "nothing is kept of such a fix: it was not applied, or is undone")),
        Some(journal) => ground.undo(&journal, Undoing::Later),
    }
}

fn interrupted_in(root: &dyn Fn() -> Result<OwnedFd, String>, state: &State, now_us: i64) -> Result<Vec<(String, Report)>, String> {
    let mut found = Vec::new();
    for id in journal::ids(state)? {
        let ground = Ground { root: root()?, state, id: &id };
        let Ok(Some(journal)) = ground.journal() else { continue };
        if journal.order_id.is_empty() || journal.at_us < now_us - journal::UNTOLD_US || state.result(&journal.order_id).is_some() {
            continue;
        }
        found.push((journal.order_id.clone(), ground.ended(&journal)));
    }
    Ok(found)
}

/// What was previewed is what is there. Nothing at all stands for a file that is not there.
fn agreed(order: &ApplyFix, seen: &str, what: &str) -> Result<(), String> {
    if order.dry_run || hexadecimal(&order.expected_sha256) == seen {
        return Ok(());
    }
    Err(format!("{what} has changed since the preview, or was never previewed so; preview again"))
}

impl Ground<'_> {
    fn setting(&self, fix: &SettingFix, order_id: &str, order: &ApplyFix) -> Result<Report, String> {
        let path = fix.path.as_str();
        let known = SETTINGS.iter().any(|(format, known)| *format == fix.format && *known == path);
        let is_kubelets = fix.format == "yaml" && path.contains("kubelet") && (path.ends_with(".yaml") || path.ends_with(".yml"));
        if !known && !is_kubelets {
            return Err(format!("this sensor changes no settings in {path}"));
        }
        let before = self.read(path)?;
        if before.is_none() && fix.format != "json" {
            return Err(format!("{path} is not there"));
        }
        let text = String::from_utf8(before.as_ref().map(|before| before.bytes.clone()).unwrap_or_default())
            .map_err(|_| format!("{path} is no text"))?;
        let after = edit::set(&text, &fix.format, &fix.key, &fix.value)?;
        let seen = before.as_ref().map_or(String::new(), |before| sha256(&before.bytes));
        let shown = redact::text(path, &edit::difference(&text, &after)).unwrap_or_default();
        let mut facts = facts_of(path, before.as_ref(), &after);
        facts["diff"] = shown.into();
        facts["before"] = seen.as_str().into();
        if text == after {
            return Ok(Report::new(Outcome::Unchanged, format!("{path} says so already")).with(facts));
        }
        agreed(order, &seen, path)?;
        if order.dry_run {
            return Ok(Report::new(Outcome::Done, format!("{path} would be changed")).with(facts));
        }
        self.carry_out(order_id, &facts, before.as_ref(), || {
            self.replace(path, after.as_bytes(), before.as_ref())?;
            match self.read(path)? {
                Some(now) if now.bytes == after.as_bytes() => Ok(()),
                _ => Err(format!("{path} does not hold what was written")),
            }
        })?;
        Ok(Report::new(Outcome::Done, format!("{path} is changed; what was there is kept")).with(facts))
    }

    fn mode(&self, fix: &ModeFix, order_id: &str, order: &ApplyFix) -> Result<Report, String> {
        let path = fix.path.as_str();
        if !MODES.iter().any(|allowed| path.starts_with(allowed)) {
            return Err(format!("this sensor changes no permissions of {path}"));
        }
        let file = self.look(path)?;
        let meta = file.metadata().map_err(|error| format!("{path}: {error}"))?;
        let now = Permissions::of(&meta);
        let mut wanted = Permissions { mode: now.mode & fix.mask, ..now };
        if fix.own_by_root {
            (wanted.uid, wanted.gid) = (0, 0);
        }
        if meta.is_file() && (wanted.uid, wanted.gid) != (now.uid, now.gid) {
            // A program of somebody else's must not become one that runs as root.
            wanted.mode &= !SET_IDS;
        }
        let facts = json!({"path": path, "existed": true, "permissions": true, "before": now.seen(path),
            "mode": now.mode, "uid": now.uid, "gid": now.gid,
            "wantedMode": wanted.mode, "wantedUid": wanted.uid, "wantedGid": wanted.gid,
            "diff": format!("-{now} {path}\n+{wanted} {path}\n")});
        if wanted == now {
            return Ok(Report::new(Outcome::Unchanged, format!("{path} has these permissions already")).with(facts));
        }
        agreed(order, &now.seen(path), &format!("who may do what with {path}"))?;
        if order.dry_run {
            return Ok(Report::new(Outcome::Done, format!("permissions of {path} would be changed")).with(facts));
        }
        self.carry_out(order_id, &facts, None, || {
            wanted.set(&file).map_err(|error| format!("{path}: {error}"))?;
            let meta = file.metadata().map_err(|error| format!("{path}: {error}"))?;
            if Permissions::of(&meta) == wanted { Ok(()) } else { Err(format!("{path} did not take the permissions")) }
        })?;
        let (is, was) = (wanted.owner(), now.owner());
        Ok(Report::new(Outcome::Done, format!("{path} is {:04o} of {is}; it was {:04o} of {was}", wanted.mode, now.mode)).with(facts))
    }

    fn sysctl(&self, fix: &SysctlFix, order_id: &str, order: &ApplyFix) -> Result<Report, String> {
        let (name, value) = (fix.name.as_str(), fix.value.as_str());
        let is_kind = ["kernel.", "net.", "fs.", "vm."].iter().any(|kind| name.starts_with(kind));
        let is_number =
            !value.is_empty() && value.len() < 64 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ' || byte == b'-');
        if !is_kind || !is_number || NEVER.iter().any(|never| name.starts_with(never)) || is_for_good(name, value) {
            return Err(format!("this sensor does not set {name} to {value}"));
        }
        let place = sysctl_path(name).ok_or_else(|| format!("{name} is no setting"))?;
        let now = sysctl_value(&place)?;
        let path = format!("/etc/sysctl.d/60-bulwark-{}.conf", name.replace(['.', '/'], "-"));
        let before = self.read(&path)?;
        let text = before.as_ref().map(|before| String::from_utf8_lossy(&before.bytes).into_owned()).unwrap_or_default();
        let after = format!("{name} = {value}\n");
        if now == value && text == after {
            return Ok(Report::new(Outcome::Unchanged, format!("{name} is {now} already")).with(json!({"path": path})));
        }
        let file = before.as_ref().map_or(String::new(), |before| sha256(&before.bytes));
        let seen = sha256(format!("{name} = {now}\n{path} {file}\n").as_bytes());
        let mut facts = facts_of(&path, before.as_ref(), &after);
        facts["before"] = seen.as_str().into();
        (facts["sysctl"], facts["value"], facts["wanted"]) = (name.into(), now.as_str().into(), value.into());
        facts["diff"] = format!("-{name} = {now}\n+{name} = {value}\n{}", edit::difference(&text, &after)).into();
        agreed(order, &seen, &format!("{name}, or {path},"))?;
        if order.dry_run {
            return Ok(Report::new(Outcome::Done, format!("{name} would be {value} instead of {now}, now and in {path}")).with(facts));
        }
        self.carry_out(order_id, &facts, before.as_ref(), || {
            if text != after || before.is_none() {
                self.replace(&path, after.as_bytes(), before.as_ref())?;
            }
            ground::write_value(&place, value)?;
            match sysctl_value(&place)? {
                held if held == value => Ok(()),
                held => Err(format!("the kernel holds {name} at {held}")),
            }
        })?;
        Ok(Report::new(Outcome::Done, format!("{name} is {value} now and after the next start; it was {now}")).with(facts))
    }
}

/// Values that the kernel does not let anybody take back (Documentation/admin-guide/LSM/Yama.rst, sysctl/kernel.rst).
fn is_for_good(name: &str, value: &str) -> bool {
    matches!((name, value), ("kernel.yama.ptrace_scope", "3") | ("kernel.unprivileged_bpf_disabled", "1"))
}

/// What is known of a file that a fix replaces.
fn facts_of(path: &str, before: Option<&Before>, after: &str) -> Value {
    json!({"path": path, "existed": before.is_some(), "after": sha256(after.as_bytes()),
        "mode": before.map(|before| before.permissions.mode), "uid": before.map(|before| before.permissions.uid),
        "gid": before.map(|before| before.permissions.gid)})
}

#[cfg(test)]
mod tests;

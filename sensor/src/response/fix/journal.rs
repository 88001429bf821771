//! What undoes a fix, and what came of it: one folder for each, complete before anything changes. Whenever the sensor ends, the next one
//! tells from it what is the case, and can give back what was.
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::ground::{Before, Ground, Permissions, sha256, write_value};
use crate::clock::now_us;
use crate::facts::{sysctl_path, sysctl_value};
use crate::response::Report;
use crate::server::identity::State;
use crate::wire::order_result::Outcome;

/// Orders that began longer ago are not told of any more: results are remembered somewhat longer.
pub const UNTOLD_US: i64 = 6 * 24 * 3_600 * 1_000_000;
const FOLDER: &str = "fixes";
/// Says that the whole change was made and found in place.
const MADE: &str = "made";
const MAX_KEPT: usize = 10_000;
/// Of what is kept of one fix.
const FACTS_LIMIT: u64 = 4 << 20;

pub struct Journal {
    pub order_id: String,
    pub at_us: i64,
    facts: Value,
    is_made: bool,
}

/// When something is undone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Undoing {
    /// In the middle of the change: what is there is of this fix.
    AtOnce,
    /// Others may have changed it since: theirs is left alone.
    Later,
}

/// What is there, held against what was and what was to be.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Before,
    After,
    Half,
    Other(String),
}

/// Fixes of which something is kept.
pub fn ids(state: &State) -> Result<Vec<String>, String> {
    let folder = state.path(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("{}: {error}", folder.display())),
    };
    let mut ids: Vec<String> = entries.flatten().take(MAX_KEPT).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    ids.sort();
    // Half-made and half-removed ones: nothing was changed yet, or all of it is back.
    for name in ids.extract_if(.., |name| name.starts_with('.')) {
        if let Err(error) = fs::remove_dir_all(folder.join(&name)) {
            eprintln!("{}: {error}", folder.join(name).display());
        }
    }
    Ok(ids)
}

fn write_kept(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn read_kept(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FACTS_LIMIT).read_to_end(&mut bytes))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(bytes)
}

/// A name is on the disk when its folder is.
fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

impl Ground<'_> {
    fn kept(&self, prefix: &str) -> PathBuf {
        self.state.path(FOLDER).join(format!("{prefix}{}", self.id))
    }

    /// What is kept of this fix; `None` where it was not begun, or is undone.
    pub fn journal(&self) -> Result<Option<Journal>, String> {
        let folder = self.kept("");
        if !folder.exists() {
            return Ok(None);
        }
        let facts: Value =
            serde_json::from_slice(&read_kept(&folder.join("facts"))?).map_err(|error| format!("what was kept cannot be read: {error}"))?;
        let order_id = facts["order"].as_str().unwrap_or_default().to_string();
        // What an older sensor kept is of a change that was made.
        let is_made = folder.join(MADE).exists() || order_id.is_empty();
        Ok(Some(Journal { order_id, at_us: facts["at"].as_i64().unwrap_or_default(), facts, is_made }))
    }

    /// Keeps what undoes the fix, makes the change, and notes that it is made. One that failed half-way leaves nothing behind.
    pub fn carry_out(
        &self,
        order_id: &str,
        facts: &Value,
        before: Option<&Before>,
        change: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        let (folder, fresh) = (self.kept(""), self.kept(".new-"));
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let mut all = facts.clone();
        (all["order"], all["at"]) = (order_id.into(), now_us().into());
        fs::create_dir_all(&fresh).map_err(failed)?;
        if let Some(before) = before {
            write_kept(&fresh.join("content"), &before.bytes).map_err(failed)?;
        }
        write_kept(&fresh.join("facts"), all.to_string().as_bytes())
            .and_then(|()| sync(&fresh))
            .and_then(|()| fs::rename(&fresh, &folder))
            .and_then(|()| sync(&self.state.path(FOLDER)))
            .and_then(|()| sync(&self.state.folder))
            .map_err(failed)?;
        let done = change().and_then(|()| write_kept(&folder.join(MADE), b"").and_then(|()| sync(&folder)).map_err(failed));
        done.map_err(|why| {
            let journal = Journal { order_id: order_id.into(), at_us: 0, facts: all, is_made: false };
            match self.undo(&journal, Undoing::AtOnce) {
                Ok(_) => format!("{why}; everything is as it was"),
                Err(also) => format!("{why}; and it could not be undone: {also}"),
            }
        })
    }

    /// What came of a fix whose order ended without an answer. What was left half-way is put back.
    pub fn ended(&self, journal: &Journal) -> Report {
        let path = journal.facts["path"].as_str().unwrap_or_default();
        let standing = self.standing(journal);
        if journal.is_made {
            let now = match standing {
                Ok(Standing::After) => "",
                _ => ", and was changed by somebody since",
            };
            let detail = format!("{path} was changed before the sensor started again{now}; what was there is kept");
            return Report::new(Outcome::Done, detail).with(journal.facts.clone());
        }
        let failed = |detail: String| Report::new(Outcome::Failed, detail).with(journal.facts.clone());
        let why = "the sensor ended in the middle of the change";
        match standing {
            Ok(Standing::After) => {
                let made = write_kept(&self.kept("").join(MADE), b"");
                let note = made.map_or_else(|error| format!(" ({error})"), |()| String::new());
                let detail = format!("{path} is changed: {why}, and after it; what was there is kept{note}");
                Report::new(Outcome::Done, detail).with(journal.facts.clone())
            }
            Ok(Standing::Before | Standing::Half) => match self.undo(journal, Undoing::AtOnce) {
                Ok(_) => failed(format!("{why}; everything is as it was")),
                Err(also) => failed(format!("{why}; and it could not be undone: {also}")),
            },
            Ok(Standing::Other(other)) => failed(format!("{why}, and {other}")),
            Err(error) => failed(format!("{why}, and what is there cannot be told: {error}")),
        }
    }

    fn standing(&self, journal: &Journal) -> Result<Standing, String> {
        let facts = &journal.facts;
        let path = facts["path"].as_str().unwrap_or_default();
        let mut parts = Vec::new();
        if let Some((before, after)) = journal.permissions()? {
            let now = Permissions::of(&self.look(path)?.metadata().map_err(|error| format!("{path}: {error}"))?);
            parts.push((now == before, now == after, format!("permissions of {path} were changed since: they are {now}")));
        } else {
            let now = self.read(path)?.map(|now| sha256(&now.bytes));
            let kept = self.content(journal)?.map(|kept| sha256(&kept));
            parts.push((now == kept, now.as_deref() == facts["after"].as_str(), format!("{path} was changed since")));
        }
        if let Some((name, before, after)) = journal.sysctl() {
            let place = sysctl_path(name).ok_or("what was kept names no setting")?;
            let now = sysctl_value(&place)?;
            parts.push((now == before, now == after, format!("{name} was changed since: it is {now}")));
        }
        if let Some((_, _, other)) = parts.iter().find(|(before, after, _)| !before && !after) {
            return Ok(Standing::Other(format!("{other}; what it was before the fix is kept in {}", self.kept("").display())));
        }
        let is_after = parts.iter().all(|(_, after, _)| *after);
        let is_before = parts.iter().all(|(before, ..)| *before);
        Ok(if is_after {
            Standing::After
        } else if is_before {
            Standing::Before
        } else {
            Standing::Half
        })
    }

    /// The bytes of before; `None` where there was no file.
    fn content(&self, journal: &Journal) -> Result<Option<Vec<u8>>, String> {
        if journal.facts["existed"].as_bool() != Some(true) {
            return Ok(None);
        }
        read_kept(&self.kept("").join("content")).map(Some)
    }

    /// Exactly the bytes, the mode and the owner of before; what somebody changed since is left alone.
    pub fn undo(&self, journal: &Journal, when: Undoing) -> Result<Report, String> {
        let facts = &journal.facts;
        let path = facts["path"].as_str().unwrap_or_default();
        self.sweep(path)?;
        // What an older sensor kept does not say all of what it changed to.
        if when == Undoing::Later
            && !journal.order_id.is_empty()
            && let Standing::Other(why) = self.standing(journal)?
        {
            return Err(why);
        }
        match journal.permissions()? {
            Some((before, _)) => before.set(&self.look(path)?).map_err(|error| format!("{path}: {error}"))?,
            None => self.restore(path, journal)?,
        }
        if let Some((name, before, _)) = journal.sysctl() {
            let place = sysctl_path(name).ok_or("what was kept names no setting")?;
            if sysctl_value(&place)? != before {
                write_value(&place, before)?;
            }
        }
        self.forget()?;
        Ok(Report::new(Outcome::Done, format!("{path} is as it was before")).with(serde_json::json!({"path": path})))
    }

    /// In one step, so that no half of it is taken for a journal.
    fn forget(&self) -> Result<(), String> {
        let (folder, gone) = (self.kept(""), self.kept(".gone-"));
        fs::rename(&folder, &gone)
            .and_then(|()| sync(&self.state.path(FOLDER)))
            .and_then(|()| fs::remove_dir_all(&gone))
            .map_err(|error| format!("{}: {error}", folder.display()))
    }

    fn restore(&self, path: &str, journal: &Journal) -> Result<(), String> {
        let now = self.read(path)?;
        let kept = self.content(journal)?;
        let digest = now.as_ref().map(|now| sha256(&now.bytes));
        if digest == kept.as_ref().map(|kept| sha256(kept)) {
            return Ok(());
        }
        if digest.as_deref() != journal.facts["after"].as_str() {
            return Err(format!("{path} was changed since; what it was before the fix is kept in {}", self.kept("").display()));
        }
        match kept {
            None => self.remove(path),
            Some(kept) => self.replace(path, &kept, now.as_ref()),
        }
    }
}

impl Journal {
    fn number(&self, name: &str) -> Option<u32> {
        self.facts[name].as_u64().and_then(|value| u32::try_from(value).ok())
    }

    /// Of before and after, where the fix is one of permissions.
    fn permissions(&self) -> Result<Option<(Permissions, Permissions)>, String> {
        if self.facts["permissions"].as_bool() != Some(true) {
            return Ok(None);
        }
        let (Some(mode), Some(uid), Some(gid)) = (self.number("mode"), self.number("uid"), self.number("gid")) else {
            return Err("what was kept is incomplete".into());
        };
        let before = Permissions { mode, uid, gid };
        let wanted = |name: &str, otherwise: u32| self.number(name).unwrap_or(otherwise);
        let after = Permissions { mode: wanted("wantedMode", mode), uid: wanted("wantedUid", 0), gid: wanted("wantedGid", 0) };
        Ok(Some((before, after)))
    }

    /// Name, and values of before and after.
    fn sysctl(&self) -> Option<(&str, &str, &str)> {
        Some((self.facts["sysctl"].as_str()?, self.facts["value"].as_str()?, self.facts["wanted"].as_str()?))
    }
}

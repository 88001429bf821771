//! What a node keeps in its state folder: who it is, whom it trusts, what it was told.
use prost::Message;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::wire::{EnrollResponse, OrderResult, Policy};

/// The node's private key and certificate.
pub const NODE: &str = "node.pem";
/// Names of files: results of orders, and orders that have none yet.
const ORDER: &str = "order";
const BEGUN: &str = "begun";
pub const DEFAULT_STATE: &str = "/var/lib/bulwark-sensor";

#[derive(Debug, Clone)]
pub struct State {
    pub folder: PathBuf,
}

/// What enrolment gave.
#[derive(Debug, Clone)]
pub struct Identity {
    pub server: String,
    pub node_id: String,
    /// Both in PEM.
    pub certificate_and_key: String,
    pub authority: String,
    pub order_key: Vec<u8>,
}

impl State {
    /// Opens or makes the folder; nobody else may look into it.
    pub fn open(folder: &str) -> Result<Self, String> {
        let folder = PathBuf::from(folder);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self { folder })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Replaces a file as a whole: a reader sees the old or the new one, also after a crash.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.path(name);
        let fresh = self.path(&format!(".{name}.new"));
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh).map_err(failed)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&fresh, &path).map_err(failed)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.path(name);
        fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn text(&self, name: &str) -> Result<String, String> {
        String::from_utf8(self.read(name)?).map_err(|_| format!("{}: not text", self.path(name).display()))
    }

    pub fn is_enrolled(&self) -> bool {
        self.path(NODE).exists()
    }

    pub fn save(&self, server: &str, private_key: &str, answer: &EnrollResponse) -> Result<(), String> {
        self.write("server", server.as_bytes())?;
        self.write("node-id", answer.node_id.as_bytes())?;
        self.write("authority.crt", answer.authority.as_bytes())?;
        self.write("order.key", &answer.order_key)?;
        // Last: its presence says that all of it is there. One file, since a key without its certificate is of no use.
        self.write(NODE, format!("{private_key}\n{}", answer.certificate).as_bytes())
    }

    pub fn identity(&self) -> Result<Identity, String> {
        if !self.is_enrolled() {
            return Err(format!("{} holds no identity; `bulwark-sensor enroll` first", self.folder.display()));
        }
        Ok(Identity {
            server: self.text("server")?,
            node_id: self.text("node-id")?,
            certificate_and_key: self.text(NODE)?,
            authority: self.text("authority.crt")?,
            order_key: self.read("order.key")?,
        })
    }

    /// The policy of before; `None` when there was none or it cannot be read.
    pub fn policy(&self) -> Option<Policy> {
        Policy::decode(self.read("policy").ok()?.as_slice()).ok()
    }

    pub fn save_policy(&self, policy: &Policy) -> Result<(), String> {
        self.write("policy", &policy.encode_to_vec())
    }

    fn order_name(kind: &str, id: &str) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, id.as_bytes());
        format!("{kind}-{}", crate::ndjson::hexadecimal(&digest.as_ref()[..16]))
    }

    fn result_of(&self, kind: &str, id: &str) -> Option<OrderResult> {
        OrderResult::decode(self.read(&Self::order_name(kind, id)).ok()?.as_slice()).ok()
    }

    /// What an order came to that was carried out before.
    pub fn result(&self, id: &str) -> Option<OrderResult> {
        self.result_of(ORDER, id)
    }

    pub fn save_result(&self, result: &OrderResult) -> Result<(), String> {
        self.write(&Self::order_name(ORDER, &result.order_id), &result.encode_to_vec())?;
        self.forget_begun(&result.order_id);
        Ok(())
    }

    /// What is to be said of an order that was begun and has no result: whoever began it is gone.
    pub fn begun(&self, id: &str) -> Option<OrderResult> {
        self.result_of(BEGUN, id)
    }

    /// Notes before an order is begun what it has come to if nothing else is ever said of it.
    pub fn note_begun(&self, otherwise: &OrderResult) -> Result<(), String> {
        self.write(&Self::order_name(BEGUN, &otherwise.order_id), &otherwise.encode_to_vec())
    }

    /// An order that may be begun again.
    pub fn forget_begun(&self, id: &str) {
        let path = self.path(&Self::order_name(BEGUN, id));
        if path.exists() {
            remove(&path);
        }
    }

    /// Forgets results of orders that have long expired.
    pub fn prune_results(&self, older_than_us: i64) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let of_order = |name: &str| [ORDER, BEGUN].iter().any(|kind| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('-')));
        for entry in entries.filter(|entry| of_order(&entry.file_name().to_string_lossy())) {
            let old = fs::read(entry.path()).ok().and_then(|bytes| OrderResult::decode(bytes.as_slice()).ok());
            if old.is_some_and(|result| result.finished_us < older_than_us) {
                remove(&entry.path());
            }
        }
    }
}

/// Removes a file that is of no use any more; when that fails it stays, and the next start tries again.
pub fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        eprintln!("{}: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_remembered_by_order() {
        let folder = std::env::temp_dir().join(format!("state-{}", std::process::id()));
        let state = State::open(&folder.to_string_lossy()).expect("folder");
        assert!(state.result("../x").is_none());
        state.save_result(&OrderResult { order_id: "../x".into(), finished_us: 5, ..OrderResult::default() }).expect("saved");
        assert_eq!(state.result("../x").expect("remembered").finished_us, 5);
        state.prune_results(6);
        assert!(state.result("../x").is_none());
        // Of one that was begun, until it has a result of its own.
        let otherwise = OrderResult { order_id: "y".into(), detail: "ended".into(), finished_us: 5, ..OrderResult::default() };
        for again in [false, true] {
            state.note_begun(&otherwise).expect("noted");
            assert_eq!((state.begun("y").expect("noted").detail.as_str(), state.result("y")), ("ended", None));
            if again {
                state.save_result(&OrderResult { detail: "done".into(), ..otherwise.clone() }).expect("saved");
                assert_eq!((state.begun("y"), state.result("y").expect("result").detail.as_str()), (None, "done"));
            } else {
                state.forget_begun("y");
                assert!(state.begun("y").is_none());
            }
        }
        assert!(state.identity().unwrap_err().contains("enroll"));
        fs::remove_dir_all(folder).expect("clean");
    }
}

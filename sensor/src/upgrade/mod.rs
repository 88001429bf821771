//! The sensor replaces itself: a signed program is fetched, put in place of this one, tried, and kept or taken back.
//!
//! The old program stays until the new one has proved itself. It lets go of the kernel, starts the new one as its child and waits:
//! when that reaches a gateway it becomes it (the same process, so that whoever watches the sensor notices nothing); when not, it
//! puts itself back. What came of it is kept in the state folder and told with the next stream.
mod execution;
pub mod fetch;
pub mod place;
pub mod trial;

use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::response::Report;
use crate::server::identity::Identity;
use crate::wire::{Upgrade, order_result::Outcome};
use place::Place;

const DOMAIN: &[u8] = b"bulwark sensor v1\0";

/// A new program that lies beside the old one, verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    pub order_id: String,
    pub version: String,
    /// In hexadecimal.
    pub sha256: String,
}

/// Fetches and verifies a program; it is not in its place yet.
pub async fn prepare(order_id: String, order: Upgrade, identity: Identity) -> Result<Fetched, Report> {
    let failed = |why: String| Report::new(Outcome::Failed, why);
    check_order(&order, &identity.order_key).map_err(|why| Report::new(Outcome::Refused, why))?;
    let place = Place::own().map_err(failed)?;
    let sha256 = crate::ndjson::hexadecimal(&order.sha256);
    if place.digest().map_err(failed)? == sha256 {
        return Err(Report::new(Outcome::Unchanged, format!("{} runs this program already", place.program.display())));
    }
    let program = fetch::fetch(&order.address, &identity.authority).await.map_err(failed)?;
    check_program(&program, &order.sha256).map_err(failed)?;
    place.put_beside(&program).map_err(failed)?;
    Ok(Fetched { order_id, version: order.version, sha256 })
}

/// The order is signed as a whole; this is about the program, so that one who may give orders cannot give programs.
fn check_order(order: &Upgrade, order_key: &[u8]) -> Result<(), String> {
    if order.sha256.len() != SHA256.output_len() {
        return Err("the order names no SHA-256 of the program".into());
    }
    let message = [DOMAIN, &order.sha256].concat();
    let verified = UnparsedPublicKey::new(&ED25519, order_key).verify(&message, &order.signature);
    verified.map_err(|_| "the signature of the program is wrong".to_string())
}

fn check_program(program: &[u8], sha256: &[u8]) -> Result<(), String> {
    let found = digest(&SHA256, program);
    if found.as_ref() == sha256 {
        return Ok(());
    }
    let (found, wanted) = (crate::ndjson::hexadecimal(found.as_ref()), crate::ndjson::hexadecimal(sha256));
    Err(format!("what was downloaded has the SHA-256 {found}, ordered was {wanted}; nothing was changed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    fn order(key: &Ed25519KeyPair, program: &[u8]) -> Upgrade {
        let sha256 = digest(&SHA256, program).as_ref().to_vec();
        let signature = key.sign(&[DOMAIN, &sha256].concat()).as_ref().to_vec();
        Upgrade { version: "2".into(), address: "https://x/".into(), sha256, signature }
    }

    #[test]
    fn only_a_program_that_was_signed_is_taken() {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("key");
        let public = key.public_key().as_ref();
        let good = order(&key, b"program");
        assert_eq!(check_order(&good, public), Ok(()));
        let other = Upgrade { sha256: digest(&SHA256, b"other").as_ref().to_vec(), ..good.clone() };
        assert!(check_order(&other, public).unwrap_err().contains("signature"));
        assert!(check_order(&Upgrade { sha256: Vec::new(), ..good.clone() }, public).unwrap_err().contains("SHA-256"));
        // A signature over the digest alone is one for something else.
        let bare = Upgrade { signature: key.sign(&good.sha256).as_ref().to_vec(), ..good.clone() };
        assert!(check_order(&bare, public).is_err());
        assert_eq!(check_program(b"program", &good.sha256), Ok(()));
        assert!(check_program(b"programm", &good.sha256).unwrap_err().contains("nothing was changed"));
    }
}

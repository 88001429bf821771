//! Whether an order is to be carried out: by its signature, its node, its time, and whether it was carried out before.
use prost::Message;
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::wire::{Order, SignedOrder};

const DOMAIN: &[u8] = b"bulwark order v1\0";
/// Orders issued later than now by more than this come from a clock that is wrong.
const FUTURE_US: i64 = 300_000_000;

/// The order within, or why it is refused (with its id, as far as it can be read).
pub fn verify(signed: &SignedOrder, key: &[u8], node_id: &str, now_us: i64) -> Result<Order, (String, String)> {
    let message = [DOMAIN, &signed.order].concat();
    let verified = UnparsedPublicKey::new(&ED25519, key).verify(&message, &signed.signature);
    let order = Order::decode(signed.order.as_slice()).map_err(|error| (String::new(), format!("the order cannot be read: {error}")))?;
    let refuse = |why: &str| Err((order.id.clone(), why.to_string()));
    if verified.is_err() {
        return refuse("the order's signature is wrong");
    }
    if order.id.is_empty() {
        return refuse("the order has no id");
    }
    if order.node_id != node_id {
        return refuse("the order is for another node");
    }
    if order.expires_us <= now_us {
        return refuse("the order has expired");
    }
    if order.issued_us > now_us + FUTURE_US {
        return refuse("the order was issued in the future: check the clocks");
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    fn signed(order: &Order, key: &Ed25519KeyPair) -> SignedOrder {
        let bytes = order.encode_to_vec();
        let signature = key.sign(&[DOMAIN, &bytes].concat()).as_ref().to_vec();
        SignedOrder { order: bytes, signature }
    }

    #[test]
    fn only_a_signed_timely_order_for_this_node_passes() {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("key");
        let public = key.public_key().as_ref().to_vec();
        let order = Order { id: "o".into(), node_id: "n".into(), issued_us: 5, expires_us: 100, action: None };
        assert!(verify(&signed(&order, &key), &public, "n", 50).is_ok());
        assert!(verify(&signed(&order, &key), &public, "n", 100).unwrap_err().1.contains("expired"));
        assert!(verify(&signed(&order, &key), &public, "m", 50).unwrap_err().1.contains("another node"));
        let mut forged = signed(&order, &key);
        forged.order = Order { node_id: "n".into(), id: "p".into(), expires_us: 100, ..Order::default() }.encode_to_vec();
        assert!(verify(&forged, &public, "n", 50).unwrap_err().1.contains("signature"));
        assert!(verify(&signed(&order, &key), &[1; 32], "n", 50).is_err());
        let later = Order { issued_us: 50 + FUTURE_US + 1, expires_us: i64::MAX, ..order };
        assert!(verify(&signed(&later, &key), &public, "n", 50).unwrap_err().1.contains("clocks"));
    }
}

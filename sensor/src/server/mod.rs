//! The sensor's side of the contract with the server.
pub mod batch;
pub mod enroll;
pub mod health;
pub mod identity;
pub mod inventory;
pub mod link;
pub mod node;
pub mod spool;
pub mod tls;
pub mod uplink;

//! What is captured and what is blocked.
pub mod block;
pub mod default;
pub mod json;

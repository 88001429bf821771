//! What is captured and what is blocked.
pub mod default;
pub mod json;

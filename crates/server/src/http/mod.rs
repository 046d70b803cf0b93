//! What surrounds every request: its id, the client's network, the log line, metrics, health, the page of the interface.

pub mod bodies;
pub mod client;
pub mod docs;
pub mod health;
pub mod observe;

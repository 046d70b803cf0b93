//! Adapters against real counterparts: a real SMTP server, a real SMS gateway, and HTTP peers that check what they are told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod aggregators;
mod mail;
mod money;
mod operators;
mod peers;
mod sms_http;
mod sms_kannel;
mod wave;

//! The simulator over real HTTP: each operator's interface, its callbacks, its faults, and the books behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod cinetpay;
mod clients;
mod djamo;
mod faults;
mod gsma;
mod harness;
mod hub2;
mod moov;
mod mtn;
mod orange;
mod pawapay;
mod paystack;
mod pispi;
mod wave;

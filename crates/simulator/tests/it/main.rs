//! The simulator over real HTTP: each operator's interface, its callbacks, its faults, and the books behind.

mod cinetpay;
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

//! The simulator over real HTTP: each operator's interface, its callbacks, its faults, and the books behind.

mod djamo;
mod faults;
mod harness;
mod mtn;
mod orange;
mod wave;

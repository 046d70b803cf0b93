//! Reverse geocoding: what a point lies in, from memory.

pub(crate) mod api;

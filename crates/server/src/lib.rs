//! The program: what it reads from the environment, how the houses are wired, which address leads where, and everything
//! that spans houses.

pub mod adoption;
pub mod commands;
pub mod config;
pub mod dashboard;
pub mod database;
pub mod delivery;
pub mod development;
pub mod housekeeping;
pub mod http;
pub mod messages;
pub mod openapi;
pub mod operators;
pub mod postman;
pub mod router;
pub mod seed;
pub mod wiring;

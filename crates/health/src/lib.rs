//! The health map.
pub mod geo; pub mod hours; pub mod kind; pub mod phone; pub mod text;

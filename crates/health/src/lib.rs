//! The health map.
pub mod geo; pub mod hours; pub mod import; pub mod kind; pub mod phone; pub mod text; pub mod units;

//! The HTTP contract: one envelope for success, one for failure, extractors that refuse clearly.

pub mod body;
pub mod client;
pub mod key;
pub mod lang;
pub mod lexicon;
pub mod page;
pub mod problem;
pub mod render;
pub mod reply;

pub use body::{Body, Path, Query};
pub use client::{ClientNetwork, RequestId};
pub use key::IdempotencyKey;
pub use lang::Lang;
pub use lexicon::Lexicon;
pub use page::{Page, PageQuery};
pub use problem::{FieldError, Problem};
pub use reply::Reply;
